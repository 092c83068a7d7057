import ApusIR
import ApusTestSupport

/// NaN, infinities and ends of ranges, on which backends like to differ.
func specialCases() throws -> [JudgedCase] {
  try (functionsOfSpecialNumbers() + pairsOfSpecialNumbers() + wholeNumbers() + literals())
    .map { row in
      try JudgedCase(
        row.name, row.graph(), row.inputs(seed: 0), Tolerance(relative: 2e-6, absolute: 1e-6))
    }
}

private let numbers: [Double] = [
  .nan, .infinity, -.infinity, 1, -1, 0, 2.5, -300, 70_000, 3e9, -3e9, 1e19, -1e19,
]

/// Ends of the ranges of small integer types and numbers between them.
private let integers: [Double] = [
  -.infinity, .infinity, 0, 1, -1, 7, -100, 100, 50_000, 2_000_000_000,
]

private func row(
  _ op: Op, _ dtype: DType, _ operands: [[Double]], shape: Shape? = nil
) -> OpCase {
  let specs = operands.map { values in
    OperandSpec(TensorType(dtype, shape ?? [values.count]), .listed(values))
  }
  return OpCase("\(op.name) \(op.attributes) on \(dtype)", op, specs, .exact)
}

private func functionsOfSpecialNumbers() -> [OpCase] {
  let activations: [Activation] = [
    .relu, .relu6, .leakyRelu(slope: 0.1), .elu(alpha: 1), .hardSigmoid, .sigmoid,
  ]
  let window = Pool(.max, kernel: Size2D(1, 3), stride: Size2D(1))
  let ops: [Op] =
    DType.allCases.map { .convert($0) } + activations.map { .activation($0) }
    + [
      .unary(.sign), .unary(.abs), .argMax(ArgMax(axis: 0)), .reduce(Reduce(.max, axes: [0])),
      .reduce(Reduce(.min, axes: [0])),
    ]
  return ops.map { row($0, .float32, [numbers]) }
    + [row(.pool(window), .float32, [numbers], shape: [1, 1, 1, numbers.count])]
}

private func pairsOfSpecialNumbers() -> [OpCase] {
  let binaries = [Binary.maximum, .minimum].map { Op.binary($0) }
  let ops = binaries + Comparison.allCases.map { .compare($0) }
  return ops.map { row($0, .float32, allPairs(of: numbers)) }
}

private func allPairs(of values: [Double]) -> [[Double]] {
  [values.flatMap { a in values.map { _ in a } }, values.flatMap { _ in values }]
}

/// Overflowing arithmetic, division by zero and conversions out of range.
private func wholeNumbers() -> [OpCase] {
  [DType.int8, .uint8, .int16, .int32].flatMap { dtype in
    let values = dtype.rounded(integers)
    let binaries = [Binary.add, .subtract, .multiply, .divide, .power].map { binary in
      row(.binary(binary), dtype, allPairs(of: values))
    }
    let others = DType.allCases.filter { $0 != .bfloat16 }
    let conversions = others.map { row(.convert($0), dtype, [values]) }
    let reductions = [Reduce.Kind.sum, .product, .max, .min].map { kind in
      row(.reduce(Reduce(kind, axes: [0])), dtype, [values])
    }
    return binaries + conversions + reductions
  }
}

private func literals() -> [OpCase] {
  let values = [.nan, .infinity, -.infinity, 1e-5, -0.0, 65520, 1e300, 123_456_789, 0.1]
  let constants = DType.allCases.flatMap { dtype in
    [
      Constant(TensorType(dtype, [3, 3]), values),
      Constant(TensorType(dtype, [2]), repeating: -.infinity),
    ]
  }
  let iotas = [
    Iota(TensorType(.int8, [200]), axis: 0), Iota(TensorType(.bool, [3]), axis: 0),
    Iota(TensorType(.bfloat16, [2, 300]), axis: 1),
  ]
  return constants.map { row(.constant($0), $0.type.dtype, []) }
    + iotas.map { row(.iota($0), $0.type.dtype, []) }
}
