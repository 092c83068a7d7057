import ApusIR

extension OpCase {
  static let elementwise: [OpCase] =
    Unary.allCases.map(unary) + unariesOfOtherTypes + Binary.allCases.map(binary)
    + binariesOfOtherTypes + comparisons + selects + conversions

  private static func unary(_ unary: Unary) -> OpCase {
    let range: ClosedRange<Double> =
      switch unary {
      case .negate, .abs, .sign, .exp, .tanh, .logistic, .floor, .ceil: -5...5
      case .log, .rsqrt: 0.05...9
      case .sqrt: 0...9
      case .log1p: -0.9...5
      }
    return OpCase("\(unary)", .unary(unary), [.uniform([3, 37], range)], .elementwise)
  }

  private static let unariesOfOtherTypes: [OpCase] = [
    OpCase("negate int32", .unary(.negate), [.integers([9], -50...50, .int32)], .exact),
    OpCase("abs int8", .unary(.abs), [.integers([9], -100...100, .int8)], .exact),
    OpCase("sign int64", .unary(.sign), [.integers([20], -2...2, .int64)], .exact),
    OpCase("sign of zero", .unary(.sign), [.listed([-2, 0, 3, -1e-30, 1e30])], .exact),
    OpCase(
      "floor of halves and integers", .unary(.floor),
      [.listed([-1.5, -1, -0.5, 0.5, 1, 2.5, 1e9])],
      .exact),
    OpCase(
      "ceil of halves and integers", .unary(.ceil), [.listed([-1.5, -1, 0.25, 0.5, 1, 2.5, 1e9])],
      .exact),
    OpCase("exp scalar", .unary(.exp), [.uniform([])], .elementwise),
    OpCase("exp float64", .unary(.exp), [.uniform([5], -2...2, .float64)], .elementwise),
    OpCase("exp beyond range", .unary(.exp), [.listed([-200, 100, 88, -88, 0])], .elementwise),
    OpCase("tanh saturated", .unary(.tanh), [.listed([-100, 100, 1e-6, -1e-6])], .elementwise),
    OpCase("logistic saturated", .unary(.logistic), [.listed([-100, 100, 0])], .elementwise),
    OpCase("sqrt float16", .unary(.sqrt), [.uniform([9], 0...9, .float16)], .float16),
  ]

  private static func binary(_ binary: Binary) -> OpCase {
    let shape: Shape = [2, 3, 11]
    let operands: [OperandSpec] =
      switch binary {
      case .add, .subtract, .multiply, .maximum, .minimum: [.uniform(shape), .uniform(shape)]
      case .divide: [.uniform(shape), .uniform(shape, 0.3...3)]
      case .power: [.uniform(shape, 0.1...3), .uniform(shape, -3...3)]
      case .and, .or: [.integers(shape, 0...1, .bool), .integers(shape, 0...1, .bool)]
      }
    return OpCase("\(binary)", .binary(binary), operands, .elementwise)
  }

  private static let binariesOfOtherTypes: [OpCase] = [
    integers("add", .add, .int32, -1000...1000),
    integers("multiply", .multiply, .int64, -1000...1000),
    integers("subtract", .subtract, .int8, -60...60),
    integers("maximum", .maximum, .uint8, 0...255),
    integers("minimum ties", .minimum, .float32, -2...2),
    OpCase(
      "divide int32", .binary(.divide),
      [.integers([30], -50...50, .int32), .integers([30], 1...7, .int32)], .exact),
    OpCase(
      "add float64", .binary(.add),
      [.uniform([7], -1...1, .float64), .uniform([7], -1...1, .float64)],
      .exact),
    OpCase(
      "add bfloat16", .binary(.add),
      [.uniform([50], -1...1, .bfloat16), .uniform([50], -1...1, .bfloat16)], .bfloat16),
    OpCase(
      "multiply float16", .binary(.multiply),
      [.uniform([50], -1...1, .float16), .uniform([50], -1...1, .float16)], .float16),
    OpCase("multiply scalar", .binary(.multiply), [.uniform([]), .uniform([])], .elementwise),
    OpCase(
      "square by power", .binary(.power),
      [.uniform([20], -3...3), .listed(Array(repeating: 2, count: 20))],
      .elementwise),
  ]

  private static func integers(
    _ name: String, _ binary: Binary, _ dtype: DType, _ range: ClosedRange<Int>
  ) -> OpCase {
    OpCase(
      "\(name) \(dtype)", .binary(binary),
      [.integers([4, 9], range, dtype), .integers([4, 9], range, dtype)], .exact)
  }

  private static let comparisons: [OpCase] =
    Comparison.allCases.flatMap { comparison in
      [DType.float32, .int32, .bool].map { dtype in
        let operand = OperandSpec.integers([5, 8], dtype == .bool ? 0...1 : -2...2, dtype)
        return OpCase("\(comparison) \(dtype)", .compare(comparison), [operand, operand], .exact)
      }
    }

  private static let selects: [OpCase] = [
    OpCase("select", .select, [condition, .uniform([3, 14]), .uniform([3, 14])], .exact),
    OpCase(
      "select int32", .select,
      [condition, .integers([3, 14], -9...9, .int32), .integers([3, 14], -9...9, .int32)], .exact),
  ]

  private static let condition = OperandSpec.integers([3, 14], 0...1, .bool)

  private static let conversions: [OpCase] =
    DType.allCases.map { dtype in
      conversion(
        .listed(dtype.isFloatingPoint ? roundings : [0, 1, 1.5, 2.5, 99.99, 0.999, 127]), to: dtype)
    } + [
      conversion(.listed([-1.5, -0.5, -127.9, -3]), to: .int8, "negative"),
      conversion(.listed([-1.5, -2e9, 16_777_217]), to: .int32, "negative"),
      conversion(.integers([20], 0...255, .uint8), to: .float32),
      conversion(.integers([20], 0...1, .bool), to: .float32),
      conversion(.integers([20], -2_000_000_000...2_000_000_000, .int32), to: .float32),
      conversion(.integers([20], -99...99, .int64), to: .int32),
      conversion(.integers([20], -99...99, .int16), to: .float16),
      conversion(.integers([9], -1...1, .int32), to: .bool),
      conversion(.uniform([20], -2...2, .float16), to: .float32),
      conversion(.uniform([20], -2...2, .bfloat16), to: .float32),
      conversion(.uniform([20], -2...2, .float64), to: .float32),
    ]

  /// Halfway cases, subnormal numbers and the ends of the ranges of the 16-bit types.
  private static let roundings: [Double] = [
    0, -1.5, 0.1, 1.0009765625, 1.00048828125, 1.00146484375, 1.00390625, 1.01171875, 65504, 65519,
    65520, -65536, 6e-8, 2.9e-8, 3e-8, -1e-5, 1e-40, 3.39e38, -3.4e38, 16_777_216, 1e20,
  ]

  private static func conversion(
    _ operand: OperandSpec, to dtype: DType, _ remark: String = ""
  ) -> OpCase {
    let name = "convert \(operand.type.dtype) to \(dtype)"
    return OpCase(
      remark.isEmpty ? name : "\(name), \(remark)", .convert(dtype), [operand], .exact)
  }
}
