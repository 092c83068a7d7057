import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

/// The tensors of a convolution, of which a gradient's step makes the gradient of one.
private struct ConvolutionTensors {
  var images: Operand
  var filters: Operand
  var result: Operand
}

extension Step {
  /// Whether it makes the gradient of a convolution's filters rather than that of its images.
  fileprivate var isOfFilters: Bool {
    if case .op(.convolutionFilterGradient) = kind { true } else { false }
  }

  fileprivate var tensors: ConvolutionTensors {
    get {
      isOfFilters
        ? ConvolutionTensors(images: operands[0], filters: results[0], result: operands[1])
        : ConvolutionTensors(images: results[0], filters: operands[1], result: operands[0])
    }
    set {
      if isOfFilters {
        (operands[0], results[0], operands[1]) = (
          newValue.images, newValue.filters, newValue.result
        )
      } else {
        (results[0], operands[1], operands[0]) = (
          newValue.images, newValue.filters, newValue.result
        )
      }
    }
  }
}

extension OneDNNLibrary {
  func convolutionGradient(
    _ convolution: Convolution, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let tensors = step.tensors
    var blueprint = try gradientBlueprint(convolution, step)
    let images = try description(of: tensors.images)
    let filters = try filterDescription(of: tensors.filters, groups: convolution.groups)
    let result = try description(of: tensors.result)
    if step.isOfFilters {
      blueprint.bind(DNNL_ARG_SRC, .operand(0), images)
      blueprint.bind(DNNL_ARG_DIFF_DST, .operand(1), result)
      blueprint.bind(DNNL_ARG_DIFF_WEIGHTS, .result(0), filters)
      if let bias = try bias(step) { blueprint.bind(DNNL_ARG_DIFF_BIAS, .result(1), bias) }
    } else {
      blueprint.bind(DNNL_ARG_DIFF_DST, .operand(0), result)
      blueprint.bind(DNNL_ARG_WEIGHTS, .operand(1), filters)
      blueprint.bind(DNNL_ARG_DIFF_SRC, .result(0), images)
    }
    return blueprint
  }

  /// Chooses the layout of the filters, and of images where they are `any`.
  ///
  /// Where the library has only slow code for the layouts asked for, it tries either for both, and
  /// chooses them itself if that does not help.
  func resolveGradient(_ convolution: Convolution, _ step: Step) throws(BackendError) -> Step {
    let asked = step.tensors
    var candidates = [step]
    for layout in [asked.images.layout, asked.result.layout, .any, .channelsLast] {
      var other = step
      other.tensors.images.layout = layout
      other.tensors.result.layout = layout
      candidates.append(other)
    }
    for candidate in candidates {
      let blueprint = try gradientBlueprint(convolution, candidate)
      if !Self.isSlow(blueprint.implementation),
        let resolved = try resolvedGradient(convolution, candidate, blueprint)
      {
        return resolved
      }
    }
    // Channels-last: its slow code is a product of matrices at least.
    let last = candidates[candidates.count - 1]
    return try resolvedGradient(convolution, last, gradientBlueprint(convolution, last)) ?? last
  }

  /// The step with the layouts that an implementation wants, if they have names.
  private func resolvedGradient(
    _ convolution: Convolution, _ step: Step, _ blueprint: Blueprint
  ) throws(BackendError) -> Step? {
    var step = step
    let wanted =
      step.isOfFilters
      ? (dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md)
      : (dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md)
    let images = try imageLayout(of: blueprint.wanted(wanted.0), step.tensors.images.type.shape)
    let result = try imageLayout(of: blueprint.wanted(wanted.2), step.tensors.result.type.shape)
    guard let images, let result else { return nil }
    if step.tensors.images.layout == .any { step.tensors.images.layout = images }
    if step.tensors.result.layout == .any { step.tensors.result.layout = result }
    let shape = filterShape(step.tensors.filters.type.shape, groups: convolution.groups)
    step.tensors.filters.layout = native(
      try blueprint.wanted(wanted.1), rowMajor: try .rowMajor(shape))
    return step
  }

  private func gradientBlueprint(
    _ convolution: Convolution, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let images = try description(of: step.tensors.images)
    let filters = try filterDescription(of: step.tensors.filters, groups: convolution.groups)
    let result = try description(of: step.tensors.result)
    let bias = try bias(step)
    let window = ConvolutionWindow(convolution)
    let hint = try Blueprint("dnnl_convolution_forward_primitive_desc_create") {
      dnnl_convolution_forward_primitive_desc_create(
        $0, $1, dnnl_forward_training, dnnl_convolution_direct, images.pointer, filters.pointer,
        bias?.pointer, result.pointer, window.strides, window.gaps, window.before, window.after,
        $2)
    }
    if step.isOfFilters {
      return try Blueprint("dnnl_convolution_backward_weights_primitive_desc_create") {
        dnnl_convolution_backward_weights_primitive_desc_create(
          $0, $1, dnnl_convolution_direct, images.pointer, filters.pointer, bias?.pointer,
          result.pointer, window.strides, window.gaps, window.before, window.after,
          hint.description.pointer, $2)
      }
    }
    return try Blueprint("dnnl_convolution_backward_data_primitive_desc_create") {
      dnnl_convolution_backward_data_primitive_desc_create(
        $0, $1, dnnl_convolution_direct, images.pointer, filters.pointer, result.pointer,
        window.strides, window.gaps, window.before, window.after, hint.description.pointer, $2)
    }
  }

  /// The gradient of the bias, where the step makes that too.
  private func bias(_ step: Step) throws(BackendError) -> MemoryDescription? {
    step.results.count == 2 ? try description(of: step.results[1]) : nil
  }
}
