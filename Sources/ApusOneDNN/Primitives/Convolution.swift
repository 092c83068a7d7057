import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension OneDNNLibrary {
  func convolution(_ convolution: Convolution, _ step: Step) throws(BackendError) -> Blueprint {
    let images = try description(of: step.operands[0])
    let filter =
      step.operands[1].layout == .rowMajor
      ? try filterDescription(convolution, step) : try description(of: step.operands[1])
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

  private static func isSlow(_ implementation: String) -> Bool {
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
      rowMajor: try filterDescription(convolution, step))
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
    let filter = try MemoryDescription(
      filterShape(convolution, step).extents, tag: dnnl_format_tag_any)
    let bias = step.hasBias ? try description(of: step.operands[2]) : nil
    return try primitive(
      convolution, try description(of: step.operands[0]), filter, bias,
      try description(of: step.results[0]), step)
  }

  private func primitive(
    _ convolution: Convolution, _ images: MemoryDescription, _ filter: MemoryDescription,
    _ bias: MemoryDescription?, _ result: MemoryDescription, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let (stride, dilation) = (convolution.stride, convolution.dilation)
    let padding = convolution.padding
    func pair(_ height: Int, _ width: Int) -> [Int64] { [Int64(height), Int64(width)] }
    return try Blueprint(
      "dnnl_convolution_forward_primitive_desc_create", postOps: postOps(of: step)
    ) {
      dnnl_convolution_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, dnnl_convolution_direct, images.pointer, filter.pointer,
        bias?.pointer, result.pointer, pair(stride.height, stride.width),
        // The library counts the gaps between taps.
        pair(dilation.height - 1, dilation.width - 1), pair(padding.top, padding.left),
        pair(padding.bottom, padding.right), $2)
    }
  }

  /// Grouped filters have an axis of groups in front.
  private func filterShape(_ convolution: Convolution, _ step: Step) -> Shape {
    let shape = step.operands[1].type.shape
    let groups = convolution.groups
    return groups == 1 ? shape : Shape([groups, shape[0] / groups] + shape.dropFirst())
  }

  private func filterDescription(
    _ convolution: Convolution, _ step: Step
  ) throws(BackendError) -> MemoryDescription {
    try .rowMajor(filterShape(convolution, step))
  }
}
