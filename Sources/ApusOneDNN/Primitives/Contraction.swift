import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension OneDNNLibrary {
  func dot(_ dot: Dot, _ step: Step) throws(BackendError) -> Blueprint {
    let left = try matrix(step.operands[0], transposed: dot.transposesLeft)
    let right =
      step.operands[1].layout == .rowMajor
      ? try matrix(step.operands[1], transposed: dot.transposesRight)
      : try description(of: step.operands[1])
    let result = try description(of: step.results[0])
    var blueprint = try matmul(left, right, result, step)
    blueprint.bind(DNNL_ARG_SRC, .operand(0), left)
    blueprint.bind(DNNL_ARG_WEIGHTS, .operand(1), right)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  /// Chooses the layout of the right operand.
  func resolve(_ dot: Dot, _ step: Step) throws(BackendError) -> Step {
    var plain = step.operands[1]
    plain.layout = .rowMajor
    let rowMajor = try matrix(plain, transposed: dot.transposesRight)
    let extents = matrixShape(step.operands[1].type.shape, transposed: dot.transposesRight)
    let blueprint = try matmul(
      matrix(step.operands[0], transposed: dot.transposesLeft),
      MemoryDescription(extents.extents, tag: dnnl_format_tag_any),
      description(of: step.results[0]), step)
    var step = step
    step.operands[1].layout = native(
      try blueprint.wanted(dnnl_query_weights_md), rowMajor: rowMajor)
    return step
  }

  private func matmul(
    _ left: MemoryDescription, _ right: MemoryDescription, _ result: MemoryDescription,
    _ step: Step
  ) throws(BackendError) -> Blueprint {
    try Blueprint("dnnl_matmul_primitive_desc_create", postOps: postOps(of: step)) {
      dnnl_matmul_primitive_desc_create(
        $0, $1, left.pointer, right.pointer, nil, result.pointer, $2)
    }
  }

  /// A row-major operand with its last two axes as the product reads them.
  private func matrix(
    _ operand: Operand, transposed: Bool
  ) throws(BackendError) -> MemoryDescription {
    let shape = operand.type.shape
    var strides = shape.rowMajorStrides
    if transposed { strides.swapAt(shape.rank - 2, shape.rank - 1) }
    return try MemoryDescription(
      matrixShape(shape, transposed: transposed).extents, strides: strides)
  }

  private func matrixShape(_ shape: Shape, transposed: Bool) -> Shape {
    var extents = shape.extents
    if transposed { extents.swapAt(shape.rank - 2, shape.rank - 1) }
    return Shape(extents)
  }
}
