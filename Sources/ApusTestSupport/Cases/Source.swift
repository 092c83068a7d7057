import ApusIR

extension OpCase {
  static let source: [OpCase] =
    [
      OpCase(
        "input", .input(Input(.argument("x0"), TensorType(.float32, [2, 3]))), [.uniform([2, 3])],
        .exact)
    ] + constants + iotas

  private static let constants: [OpCase] = [
    constant("splat", .float32, [2, 3, 2], [0.1]),
    constant("full", .float32, [2, 3], [1, -2.5, 1e-3, 7, 1e30, -0.3]),
    constant("of twelve values", .float32, [3, 4], (0..<12).map { Double($0) / 3 }),
    constant("scalar", .float64, [], [0.1]),
    constant("int32", .int32, [4], [1, -2, 300, 0]),
    constant("int64 splat", .int64, [2, 2], [-7]),
    constant("bfloat16", .bfloat16, [3], [0.1, 1.00390625, -300]),
    constant("bool", .bool, [4], [0, 1, 1, 0]),
  ]

  private static let iotas: [OpCase] = [
    iota(.float32, [2, 3, 4], 0), iota(.float32, [2, 3, 4], 1), iota(.float32, [2, 3, 4], 2),
    iota(.int32, [7], 0), iota(.int64, [3, 2], 1), iota(.float16, [1, 5], 1),
  ]

  private static func constant(
    _ name: String, _ dtype: DType, _ shape: Shape, _ values: [Double]
  ) -> OpCase {
    let constant = Constant(TensorType(dtype, shape), values)
    return OpCase("constant \(name)", .constant(constant), [], .exact)
  }

  private static func iota(_ dtype: DType, _ shape: Shape, _ axis: Int) -> OpCase {
    let type = TensorType(dtype, shape)
    return OpCase("iota \(type) axis \(axis)", .iota(Iota(type, axis: axis)), [], .exact)
  }
}
