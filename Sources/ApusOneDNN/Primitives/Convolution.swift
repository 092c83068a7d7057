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
    let bias = hasBias(step) ? try description(of: step.operands[2]) : nil
    let result = try description(of: step.results[0])
    var blueprint = try primitive(convolution, images, filter, bias, result, step)
    blueprint.bind(DNNL_ARG_SRC, .operand(0), images)
    blueprint.bind(DNNL_ARG_WEIGHTS, .operand(1), filter)
    if let bias { blueprint.bind(DNNL_ARG_BIAS, .operand(2), bias) }
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  /// Chooses the layout of the filter, and of images and result where they are `any`; other steps
  /// cannot work in a layout of images without a name, so channels-last stands in for those.
  func resolve(_ convolution: Convolution, _ step: Step) throws(BackendError) -> Step {
    let images = try description(of: step.operands[0])
    let rowMajor = try filterDescription(convolution, step)
    let filter = try MemoryDescription(
      filterShape(convolution, step).extents, tag: dnnl_format_tag_any)
    let bias = hasBias(step) ? try description(of: step.operands[2]) : nil
    let result = try description(of: step.results[0])
    let blueprint = try primitive(convolution, images, filter, bias, result, step)
    let wantedImages = try imageLayout(
      of: blueprint.wanted(dnnl_query_src_md), step.operands[0].type.shape)
    let wantedResult = try imageLayout(
      of: blueprint.wanted(dnnl_query_dst_md), step.results[0].type.shape)
    var step = step
    guard let wantedImages, let wantedResult else {
      step.operands[0].layout = .channelsLast
      step.results[0].layout = .channelsLast
      return try resolve(convolution, step)
    }
    if step.operands[0].layout == .any { step.operands[0].layout = wantedImages }
    if step.results[0].layout == .any { step.results[0].layout = wantedResult }
    step.operands[1].layout = native(
      try blueprint.wanted(dnnl_query_weights_md), rowMajor: rowMajor)
    return step
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

  private func hasBias(_ step: Step) -> Bool { step.operands.count - step.postOperandCount == 3 }

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
