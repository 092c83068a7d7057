import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension OneDNNLibrary {
  func convolution(_ convolution: Convolution, _ step: Step) throws(BackendError) -> Blueprint {
    let images = try description(of: step.operands[0])
    let filter = try filterDescription(of: step.operands[1], groups: convolution.groups)
    let bias = step.hasBias ? try description(of: step.operands[2]) : nil
    let result = try description(of: step.results[0])
    var blueprint = try primitive(convolution, images, filter, bias, result, step)
    if case .implementation(let name) = step.algorithm, !blueprint.advance(to: name) {
      throw .unsupported("the library has no \(name) for \(step)")
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), images)
    blueprint.bind(DNNL_ARG_WEIGHTS, .operand(1), filter)
    if let bias { blueprint.bind(DNNL_ARG_BIAS, .operand(2), bias) }
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  /// Chooses the layout of the filter, and of images and result where they are `any`.
  ///
  /// Where the library has only slow code for the layouts asked for, it chooses those too, but for
  /// the result's of a step that adds to what lies there.
  func resolve(_ convolution: Convolution, _ step: Step) throws(BackendError) -> Step {
    if let resolved = try fast(convolution, step) { return resolved }
    var other = step
    for layout in [Layout.any, .channelsLast] {
      other.operands[0].layout = layout
      if !step.accumulates { other.results[0].layout = layout }
      if let resolved = try fast(convolution, other) { return resolved }
    }
    return try resolved(convolution, other, blueprint(convolution, other)) ?? other
  }

  /// The step with the layouts that the library's first implementation wants; `nil` where that is
  /// not made for this processor, or where no plan has a name for them.
  private func fast(_ convolution: Convolution, _ step: Step) throws(BackendError) -> Step? {
    let blueprint = try blueprint(convolution, step)
    if Self.isSlow(blueprint.implementation) { return nil }
    return try resolved(convolution, step, blueprint)
  }

  static func isSlow(_ implementation: String) -> Bool {
    implementation.hasPrefix("ref") || implementation.contains("gemm")
  }

  /// The step with the layouts that an implementation wants, if they have names.
  private func resolved(
    _ convolution: Convolution, _ step: Step, _ blueprint: Blueprint
  ) throws(BackendError) -> Step? {
    let images = try imageLayout(
      of: blueprint.wanted(dnnl_query_src_md), step.operands[0].type.shape)
    let result = try imageLayout(
      of: blueprint.wanted(dnnl_query_dst_md), step.results[0].type.shape)
    guard let images, let result else { return nil }
    var step = step
    if step.operands[0].layout == .any { step.operands[0].layout = images }
    if step.results[0].layout == .any { step.results[0].layout = result }
    step.operands[1].layout = native(
      try blueprint.wanted(dnnl_query_weights_md),
      rowMajor: try .rowMajor(
        filterShape(step.operands[1].type.shape, groups: convolution.groups)))
    return step
  }

  /// All implementations that the library has for a resolved step, but the slow ones.
  func implementations(of convolution: Convolution, _ step: Step) throws(BackendError) -> [Step] {
    var found: [Step] = []
    let blueprint = try blueprint(convolution, anyFilter(step))
    repeat {
      let name = blueprint.implementation
      guard !Self.isSlow(name), !found.contains(where: { $0.algorithm == .implementation(name) }),
        var other = try resolved(convolution, step, blueprint)
      else { continue }
      other.algorithm = .implementation(name)
      found.append(other)
    } while dnnl_primitive_desc_next_impl(blueprint.description.pointer) == dnnl_success
    return found
  }

  /// A resolved step by the implementation of that name, if the library has it.
  func implementation(
    _ name: String, of convolution: Convolution, _ step: Step
  ) throws(BackendError) -> Step? {
    let blueprint = try blueprint(convolution, anyFilter(step))
    guard blueprint.advance(to: name) else { return nil }
    var other = try resolved(convolution, step, blueprint)
    other?.algorithm = .implementation(name)
    return other
  }

  private func anyFilter(_ step: Step) -> Step {
    var step = step
    step.operands[1].layout = .any
    return step
  }

  private func blueprint(
    _ convolution: Convolution, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let filter = try filterDescription(
      of: anyFilter(step).operands[1], groups: convolution.groups)
    let bias = step.hasBias ? try description(of: step.operands[2]) : nil
    return try primitive(
      convolution, try description(of: step.operands[0]), filter, bias,
      try description(of: step.results[0]), step)
  }

  private func primitive(
    _ convolution: Convolution, _ images: MemoryDescription, _ filter: MemoryDescription,
    _ bias: MemoryDescription?, _ result: MemoryDescription, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let window = ConvolutionWindow(convolution)
    return try Blueprint(
      "dnnl_convolution_forward_primitive_desc_create", postOps: postOps(of: step)
    ) {
      dnnl_convolution_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, dnnl_convolution_direct, images.pointer, filter.pointer,
        bias?.pointer, result.pointer, window.strides, window.gaps, window.before, window.after,
        $2)
    }
  }

  /// Grouped filters have an axis of groups in front.
  func filterShape(_ shape: Shape, groups: Int) -> Shape {
    groups == 1 ? shape : Shape([groups, shape[0] / groups] + shape.dropFirst())
  }

  func filterDescription(
    of filter: Operand, groups: Int
  ) throws(BackendError) -> MemoryDescription {
    let shape = filterShape(filter.type.shape, groups: groups)
    switch filter.layout {
    case .rowMajor: return try .rowMajor(shape)
    case .any: return try MemoryDescription(shape.extents, tag: dnnl_format_tag_any)
    case .channelsLast, .blocked, .native: return try description(of: filter)
    }
  }
}

/// The window of a convolution in the library's words, height before width.
struct ConvolutionWindow {
  let strides: [Int64]
  /// Between the taps of a filter.
  let gaps: [Int64]
  /// The padding at the top and left, and at the bottom and right.
  let before: [Int64]
  let after: [Int64]

  init(_ convolution: Convolution) {
    let (stride, dilation) = (convolution.stride, convolution.dilation)
    let padding = convolution.padding
    strides = [Int64(stride.height), Int64(stride.width)]
    gaps = [Int64(dilation.height - 1), Int64(dilation.width - 1)]
    before = [Int64(padding.top), Int64(padding.left)]
    after = [Int64(padding.bottom), Int64(padding.right)]
  }
}
