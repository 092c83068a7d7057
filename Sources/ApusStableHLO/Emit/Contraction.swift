import ApusIR

extension Function {
  /// The attribute that keeps products of `float32` exact; others are exact by themselves.
  func precision(_ dtype: DType) -> [String] {
    let highest = "#stablehlo<precision HIGHEST>"
    return dtype == .float32 && !allowsTF32
      ? ["precision_config = [\(highest), \(highest)]"] : []
  }
}

extension Dot {
  /// Operands may lie in any order: the attributes name their places.
  func emit(
    _ left: Emitted, _ right: Emitted, _ type: TensorType, into function: inout Function
  ) -> Emitted {
    let (a, leftOrder) = function.term(left)
    let (b, rightOrder) = function.term(right)
    let rank = type.rank
    func places(_ axes: [Int], _ order: [Int]) -> String {
      "[" + axes.map { "\(order.firstIndex(of: $0)!)" }.joined(separator: ", ") + "]"
    }
    let leading = Array(0..<rank - 2)
    let contractedLeft = [transposesLeft ? rank - 2 : rank - 1]
    let contractedRight = [transposesRight ? rank - 1 : rank - 2]
    var numbers = [
      "lhs_contracting_dimensions = \(places(contractedLeft, leftOrder))",
      "rhs_contracting_dimensions = \(places(contractedRight, rightOrder))",
    ]
    if !leading.isEmpty {
      numbers.insert("lhs_batching_dimensions = \(places(leading, leftOrder))", at: 0)
      numbers.insert("rhs_batching_dimensions = \(places(leading, rightOrder))", at: 1)
    }
    let attributes =
      ["dot_dimension_numbers = #stablehlo.dot<\(numbers.joined(separator: ", "))>"]
      + function.precision(type.dtype)
    func product(_ operands: [Term], into function: inout Function) -> Term {
      function.apply("dot_general", operands, attributes, to: type.with(operands[0].type.dtype))
    }
    // Floating-point products accumulate in 32 bits by themselves and come out in their own type.
    let result =
      type.dtype.isFloatingPoint
      ? product([a, b], into: &function)
      : function.widened([a, b]) { product($1, into: &$0) }
    return function.define(type, type.shape.rowMajorOrder, result)
  }
}
