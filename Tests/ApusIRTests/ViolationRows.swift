import ApusIR

extension ConstraintTests {
  static let rows: [ViolationRow] =
    sources + elementwise + arranging + folding + convolutions + pools + normalizations
    + gradients + counts

  private static let sources: [ViolationRow] = [
    ViolationRow("Input", "C0", .input(Input(.argument("x"), f32(2))), [f32(2)]),
    ViolationRow("Input", "C1", .input(Input(.argument("x"), f32(2, 0)))),
    ViolationRow("Input", "C1", .input(Input(.argument("x"), f32(-1)))),
    ViolationRow("Input", "C1", .input(Input(.argument("x"), f32(1 << 62, 1 << 62)))),
    ViolationRow("Input", "C1", .input(Input(.argument("x"), f32(1 << 44, 2)))),
    ViolationRow("Constant", "C1", .constant(Constant(f32(3), [1, 2]))),
    ViolationRow("Constant", "C1", .constant(Constant(f32(3), []))),
    ViolationRow("Constant", "C2", .constant(Constant(f32(0), [1]))),
    ViolationRow("Constant", "C2", .constant(Constant(f32(.max, .max), [1]))),
    ViolationRow("Iota", "C1", .iota(Iota(i32(3), axis: 1))),
    ViolationRow("Iota", "C1", .iota(Iota(i32(), axis: 0))),
    ViolationRow("Iota", "C2", .iota(Iota(i32(0), axis: 0))),
  ]

  private static let elementwise: [ViolationRow] = [
    ViolationRow("Unary", "C1", .unary(.exp), [i32(2)]),
    ViolationRow("Unary", "C1", .unary(.negate), [bool(2)]),
    ViolationRow("Unary", "C1", .unary(.abs), [TensorType(.uint8, [2])]),
    ViolationRow("Binary", "C1", .binary(.add), [f32(2), f32(1)]),
    ViolationRow("Binary", "C1", .binary(.add), [f32(2), i32(2)]),
    ViolationRow("Binary", "C2", .binary(.add), [bool(2), bool(2)]),
    ViolationRow("Binary", "C2", .binary(.or), [i32(2), i32(2)]),
    ViolationRow("Comparison", "C1", .compare(.less), [f32(2), f32(2, 1)]),
    ViolationRow("Select", "C1", .select, [bool(2), f32(2), i32(2)]),
    ViolationRow("Select", "C2", .select, [i32(2), f32(2), f32(2)]),
    ViolationRow("Select", "C2", .select, [bool(1), f32(2), f32(2)]),
    ViolationRow("Activation", "C1", .activation(.relu), [i32(2)]),
  ]

  private static let arranging: [ViolationRow] = [
    ViolationRow("Reshape", "C1", .reshape([5]), [f32(2, 3)]),
    ViolationRow("Reshape", "C1", .reshape([-2, -3]), [f32(2, 3)]),
    ViolationRow("Reshape", "C1", .reshape([.max, .max]), [f32(1)]),
    ViolationRow("Transpose", "C1", .transpose(Transpose([0, 0])), [f32(2, 3)]),
    ViolationRow("Transpose", "C1", .transpose(Transpose([0])), [f32(2, 3)]),
    ViolationRow("Broadcast", "C1", .broadcast(Broadcast(to: [2, 3], axes: [1, 0])), [f32(3, 2)]),
    ViolationRow("Broadcast", "C1", .broadcast(Broadcast(to: [2, 3], axes: [2])), [f32(3)]),
    ViolationRow("Broadcast", "C1", .broadcast(Broadcast(to: [2, 3], axes: [])), [f32(3)]),
    ViolationRow("Broadcast", "C2", .broadcast(Broadcast(to: [2, 3], axes: [0])), [f32(3)]),
    ViolationRow("Broadcast", "C3", .broadcast(Broadcast(to: [2, 0], axes: [0])), [f32(2)]),
    ViolationRow(
      "Broadcast", "C3", .broadcast(Broadcast(to: [1 << 40, 1 << 40], axes: [])), [f32()]),
    ViolationRow("Slice", "C1", .slice(Slice(starts: [0], ends: [1])), [f32(2, 3)]),
    ViolationRow("Slice", "C1", .slice(Slice(starts: [0], ends: [1, 1])), [f32(2)]),
    ViolationRow("Slice", "C2", .slice(Slice(starts: [0], ends: [3])), [f32(2)]),
    ViolationRow("Slice", "C2", .slice(Slice(starts: [-1], ends: [1])), [f32(2)]),
    ViolationRow("Slice", "C2", .slice(Slice(starts: [1], ends: [1])), [f32(2)]),
    ViolationRow("Slice", "C2", .slice(Slice(starts: [0], ends: [2], steps: [0])), [f32(2)]),
    ViolationRow("Pad", "C1", .pad(Pad(low: [1], high: [1])), [f32(2, 3)]),
    ViolationRow("Pad", "C1", .pad(Pad(low: [-1], high: [1])), [f32(2)]),
    ViolationRow("Pad", "C1", .pad(Pad(low: [.max], high: [.max])), [f32(2)]),
    ViolationRow(
      "Pad", "C2", .pad(Pad(low: [1 << 44, 1], high: [1 << 44, 1])), [f32(2, 3)]),
    ViolationRow(
      "Pad", "C2", .pad(Pad(low: [0], high: [0], interior: [1 << 45])), [f32(1 << 40)]),
    ViolationRow("Concatenate", "C1", .concatenate(Concatenate(axis: 0)), [f32(2), f32(2, 1)]),
    ViolationRow("Concatenate", "C1", .concatenate(Concatenate(axis: 0)), [f32(2), i32(2)]),
    ViolationRow("Concatenate", "C1", .concatenate(Concatenate(axis: 1)), [f32(2), f32(2)]),
    ViolationRow("Concatenate", "C2", .concatenate(Concatenate(axis: 0)), [f32(2, 3), f32(2, 4)]),
    ViolationRow("Concatenate", "C2", .concatenate(Concatenate(axis: 0)), [f32(1 << 44), f32(1)]),
  ]

  private static let folding: [ViolationRow] = [
    ViolationRow("Reduce", "C1", .reduce(Reduce(.sum, axes: [1, 0])), [f32(2, 3)]),
    ViolationRow("Reduce", "C1", .reduce(Reduce(.sum, axes: [1, 1])), [f32(2, 3)]),
    ViolationRow("Reduce", "C1", .reduce(Reduce(.sum, axes: [2])), [f32(2, 3)]),
    ViolationRow("Reduce", "C2", .reduce(Reduce(.sum, axes: [0])), [bool(2)]),
    ViolationRow("Reduce", "C2", .reduce(Reduce(.mean, axes: [0])), [i32(2)]),
    ViolationRow("ArgMax", "C1", .argMax(ArgMax(axis: -1)), [f32(2)]),
    ViolationRow("ArgMax", "C2", .argMax(ArgMax(axis: 0)), [bool(2)]),
    ViolationRow("Dot", "C1", .dot(Dot()), [f32(2), f32(2)]),
    ViolationRow("Dot", "C1", .dot(Dot()), [f32(1, 2, 2), f32(2, 2)]),
    ViolationRow("Dot", "C1", .dot(Dot()), [f32(2, 2), i32(2, 2)]),
    ViolationRow("Dot", "C2", .dot(Dot()), [f32(3, 2, 2), f32(4, 2, 2)]),
    ViolationRow("Dot", "C3", .dot(Dot(transposesRight: true)), [f32(2, 3), f32(3, 2)]),
    ViolationRow("Dot", "C4", .dot(Dot()), [bool(2, 2), bool(2, 2)]),
  ]

  private static func convolution(
    _ constraint: String, _ convolution: Convolution, _ operands: TensorType...
  ) -> ViolationRow {
    ViolationRow("Convolution", constraint, .convolution(convolution), operands)
  }

  private static let convolutions: [ViolationRow] = [
    convolution("C1", Convolution(), f32(3, 5, 5), f32(4, 3, 3, 3)),
    convolution("C1", Convolution(), i32(1, 3, 5, 5), i32(4, 3, 3, 3)),
    convolution(
      "C1", Convolution(), f32(1, 3, 5, 5), f32(4, 3, 3, 3), TensorType(.float16, [4])),
    convolution(
      "C1", Convolution(padding: Padding2D(1 << 39)), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
    convolution("C2", Convolution(groups: 0), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
    convolution("C2", Convolution(groups: 3), f32(1, 3, 5, 5), f32(4, 1, 3, 3)),
    convolution("C2", Convolution(groups: .max), f32(1, 3, 5, 5), f32(4, 1, 3, 3)),
    convolution("C3", Convolution(), f32(1, 3, 5, 5), f32(4, 2, 3, 3)),
    convolution("C3", Convolution(groups: 2), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
    convolution("C4", Convolution(), f32(1, 3, 5, 5), f32(4, 3, 3, 3), f32(3)),
    convolution("C4", Convolution(), f32(1, 3, 5, 5), f32(4, 3, 3, 3), f32(4, 1)),
    convolution("W1", Convolution(stride: Size2D(1, 0)), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
    convolution("W1", Convolution(dilation: Size2D(.max)), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
    convolution("W2", Convolution(padding: Padding2D(-1)), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
    convolution("W2", Convolution(padding: Padding2D(.max)), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
    convolution("W3", Convolution(), f32(1, 3, 5, 2), f32(4, 3, 3, 3)),
    convolution("W3", Convolution(dilation: Size2D(3)), f32(1, 3, 5, 5), f32(4, 3, 3, 3)),
  ]

  private static func pool(
    _ constraint: String, _ images: TensorType = f32(1, 3, 5, 5), kernel: Int = 2, stride: Int = 2,
    padding: Padding2D = Padding2D(0)
  ) -> ViolationRow {
    let pool = Pool(.max, kernel: Size2D(kernel), stride: Size2D(stride), padding: padding)
    return ViolationRow("Pool", constraint, .pool(pool), [images])
  }

  private static let pools: [ViolationRow] = [
    pool("C1", f32(3, 5, 5)),
    pool("C1", i32(1, 3, 5, 5)),
    pool("C2", padding: Padding2D(2)),
    pool("C2", padding: Padding2D(top: 0, left: 0, bottom: 0, right: 2)),
    pool("W1", kernel: 0),
    pool("W1", stride: .max),
    pool("W2", padding: Padding2D(-1)),
    pool("W3", kernel: 6),
  ]

  private static let normalizations: [ViolationRow] = [
    norm("C1", epsilon: 1, [f32(3), f32(3), f32(3), f32(3), f32(3)]),
    norm("C1", epsilon: 1, [i32(2, 3), i32(3), i32(3), i32(3), i32(3)]),
    norm("C2", epsilon: 1, [f32(2, 3), f32(3), f32(3), f32(2), f32(3)]),
    norm("C2", epsilon: 1, [f32(2, 3), f32(3), f32(3), f32(3), TensorType(.float64, [3])]),
    norm("C3", epsilon: 0, [f32(2, 3), f32(3), f32(3), f32(3), f32(3)]),
    norm("C3", epsilon: .nan, [f32(2, 3), f32(3), f32(3), f32(3), f32(3)]),
    localNorm("C1", LocalResponseNorm(), f32(2, 3, 4)),
    localNorm("C1", LocalResponseNorm(), i32(2, 3, 4, 5)),
    localNorm("C2", LocalResponseNorm(size: 4), f32(2, 3, 4, 5)),
    localNorm("C2", LocalResponseNorm(size: -1), f32(2, 3, 4, 5)),
    localNorm("C2", LocalResponseNorm(k: 0), f32(2, 3, 4, 5)),
  ]

  private static func norm(
    _ constraint: String, epsilon: Double, _ operands: [TensorType]
  ) -> ViolationRow {
    ViolationRow("BatchNorm", constraint, .batchNorm(BatchNorm(epsilon: epsilon)), operands)
  }

  private static func localNorm(
    _ constraint: String, _ norm: LocalResponseNorm, _ x: TensorType
  ) -> ViolationRow {
    ViolationRow("LocalResponseNorm", constraint, .localResponseNorm(norm), [x])
  }

  /// The constraint of every op: how many operands it takes, and how large its results may be.
  private static let counts: [ViolationRow] = [
    ViolationRow("Constant", "C0", .constant(Constant(f32(), [1])), [f32()]),
    ViolationRow("Iota", "C0", .iota(Iota(f32(2), axis: 0)), [f32()]),
    ViolationRow("Unary", "C0", .unary(.exp)),
    ViolationRow("Binary", "C0", .binary(.add), [f32(2)]),
    ViolationRow("Comparison", "C0", .compare(.less), [f32(2), f32(2), f32(2)]),
    ViolationRow("Select", "C0", .select, [bool(2), f32(2)]),
    ViolationRow("Convert", "C0", .convert(.int8)),
    ViolationRow("Activation", "C0", .activation(.relu), [f32(), f32()]),
    ViolationRow("Reshape", "C0", .reshape([1])),
    ViolationRow("Transpose", "C0", .transpose(Transpose([]))),
    ViolationRow("Broadcast", "C0", .broadcast(Broadcast(to: [1], axes: []))),
    ViolationRow("Slice", "C0", .slice(Slice(starts: [], ends: []))),
    ViolationRow("Pad", "C0", .pad(Pad(low: [], high: []))),
    ViolationRow("Concatenate", "C0", .concatenate(Concatenate(axis: 0))),
    ViolationRow("Barrier", "C0", .barrier),
    ViolationRow("Reduce", "C0", .reduce(Reduce(.sum, axes: []))),
    ViolationRow("ArgMax", "C0", .argMax(ArgMax(axis: 0))),
    ViolationRow("Dot", "C0", .dot(Dot()), [f32(2, 2)]),
    ViolationRow("Convolution", "C0", .convolution(Convolution()), [f32(1, 1, 1, 1)]),
    ViolationRow("Pool", "C0", .pool(Pool(.max, kernel: Size2D(1), stride: Size2D(1)))),
    ViolationRow("BatchNorm", "C0", .batchNorm(BatchNorm(epsilon: 1)), [f32(2, 2), f32(2)]),
    ViolationRow("LocalResponseNorm", "C0", .localResponseNorm(LocalResponseNorm())),
    ViolationRow("Convert", "C0", .convert(.float64), [TensorType(.int8, [1 << 46])]),
    ViolationRow("Dot", "C0", .dot(Dot()), [f32(1 << 12, 1 << 30, 1), f32(1 << 12, 1, 1 << 30)]),
  ]
}
