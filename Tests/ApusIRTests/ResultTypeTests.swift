import ApusIR
import Testing

/// An op, the types it is given and those it must infer.
struct TypeRow: Sendable, CustomStringConvertible {
  let op: Op
  let operands: [TensorType]
  let results: [TensorType]

  init(_ op: Op, _ operands: [TensorType], _ results: [TensorType]) {
    self.op = op
    self.operands = operands
    self.results = results
  }

  var description: String { "\(op.name) \(op.attributes) of \(operands)" }
}

/// A type of `float32`.
func f32(_ extents: Int...) -> TensorType { TensorType(.float32, Shape(extents)) }

/// A type of `int32`.
func i32(_ extents: Int...) -> TensorType { TensorType(.int32, Shape(extents)) }

/// A type of `bool`.
func bool(_ extents: Int...) -> TensorType { TensorType(.bool, Shape(extents)) }

@Suite("Result types")
struct ResultTypeTests {
  @Test("are inferred", arguments: elementwise + arranging + folding + images)
  func inferred(row: TypeRow) throws {
    #expect(try row.op.resultTypes(row.operands) == row.results)
  }

  static let elementwise: [TypeRow] = [
    TypeRow(.input(Input(.argument("x"), f32(2, 3))), [], [f32(2, 3)]),
    TypeRow(.constant(Constant(i32(2), [1, 2])), [], [i32(2)]),
    TypeRow(.constant(Constant(f32(9, 9), repeating: 0.5)), [], [f32(9, 9)]),
    TypeRow(.constant(Constant(f32(), [1])), [], [f32()]),
    TypeRow(.iota(Iota(i32(2, 4), axis: 1)), [], [i32(2, 4)]),
    TypeRow(.unary(.exp), [f32(3)], [f32(3)]),
    TypeRow(.unary(.negate), [i32(3)], [i32(3)]),
    TypeRow(.binary(.add), [f32(3), f32(3)], [f32(3)]),
    TypeRow(.binary(.and), [bool(3), bool(3)], [bool(3)]),
    TypeRow(.compare(.less), [i32(3), i32(3)], [bool(3)]),
    TypeRow(.compare(.equal), [bool(3), bool(3)], [bool(3)]),
    TypeRow(.select, [bool(2, 3), i32(2, 3), i32(2, 3)], [i32(2, 3)]),
    TypeRow(.convert(.bool), [f32(4, 1)], [bool(4, 1)]),
    TypeRow(.activation(.elu(alpha: 1)), [f32(2, 2)], [f32(2, 2)]),
    TypeRow(
      .batchNorm(BatchNorm(epsilon: 1e-5)), [f32(2, 3, 4), f32(3), f32(3), f32(3), f32(3)],
      [f32(2, 3, 4)]),
    TypeRow(.localResponseNorm(LocalResponseNorm()), [f32(1, 2, 3, 4)], [f32(1, 2, 3, 4)]),
    TypeRow(.barrier, [f32(2), i32(3)], [f32(2), i32(3)]),
  ]

  static let arranging: [TypeRow] = [
    TypeRow(.reshape([6]), [f32(2, 3)], [f32(6)]),
    TypeRow(.reshape([]), [i32(1, 1)], [i32()]),
    TypeRow(.transpose(Transpose([2, 0, 1])), [f32(2, 3, 4)], [f32(4, 2, 3)]),
    TypeRow(.broadcast(Broadcast(to: [2, 3, 4], axes: [1])), [f32(3)], [f32(2, 3, 4)]),
    TypeRow(.broadcast(Broadcast(to: [2, 3], axes: [])), [i32()], [i32(2, 3)]),
    TypeRow(.broadcast(Broadcast(to: [2, 3], axes: [0, 1])), [f32(1, 3)], [f32(2, 3)]),
    TypeRow(.slice(Slice(starts: [1], ends: [8], steps: [3])), [f32(9)], [f32(3)]),
    TypeRow(.slice(Slice(starts: [1], ends: [7], steps: [3])), [f32(9)], [f32(2)]),
    TypeRow(.slice(Slice(starts: [0, 2], ends: [1, 5])), [i32(4, 5)], [i32(1, 3)]),
    TypeRow(.pad(Pad(low: [1, 0], high: [2, 0], interior: [0, 2])), [f32(2, 3)], [f32(5, 7)]),
    TypeRow(.concatenate(Concatenate(axis: 1)), [f32(2, 1), f32(2, 4), f32(2, 2)], [f32(2, 7)]),
  ]

  static let folding: [TypeRow] = [
    TypeRow(.reduce(Reduce(.sum, axes: [0, 2])), [i32(2, 3, 4)], [i32(3)]),
    TypeRow(.reduce(Reduce(.mean, axes: [0, 1])), [f32(2, 3)], [f32()]),
    TypeRow(.reduce(Reduce(.max, axes: [])), [f32(2, 3)], [f32(2, 3)]),
    TypeRow(.argMax(ArgMax(axis: 0)), [f32(5, 3)], [i32(3)]),
    TypeRow(.dot(Dot()), [f32(2, 3), f32(3, 4)], [f32(2, 4)]),
    TypeRow(.dot(Dot(transposesLeft: true)), [f32(3, 2), f32(3, 4)], [f32(2, 4)]),
    TypeRow(.dot(Dot(transposesRight: true)), [f32(2, 3), f32(4, 3)], [f32(2, 4)]),
    TypeRow(
      .dot(Dot(transposesLeft: true, transposesRight: true)), [f32(7, 3, 2), f32(7, 4, 3)],
      [f32(7, 2, 4)]),
  ]

  static let images: [TypeRow] = convolutions + pools.flatMap { $0 }

  private static let convolutions: [TypeRow] = [
    TypeRow(
      .convolution(Convolution(stride: Size2D(2), padding: Padding2D(3))),
      [f32(8, 3, 224, 224), f32(64, 3, 7, 7)], [f32(8, 64, 112, 112)]),
    TypeRow(
      .convolution(Convolution(dilation: Size2D(2, 3), groups: 2)),
      [f32(1, 4, 9, 9), f32(6, 2, 3, 2), f32(6)], [f32(1, 6, 5, 6)]),
    TypeRow(
      .convolution(Convolution(padding: Padding2D(top: 0, left: 1, bottom: 2, right: 3))),
      [f32(1, 1, 4, 4), f32(1, 1, 1, 1)], [f32(1, 1, 6, 8)]),
  ]

  private static let pools: [[TypeRow]] = [
    pool(112, kernel: 3, stride: 2, padding: 1, floor: 56, ceil: 57),
    pool(55, kernel: 3, stride: 2, padding: 0, floor: 27, ceil: 27),
    pool(6, kernel: 3, stride: 2, padding: 0, floor: 2, ceil: 3),
    // The last window in ceil mode would begin beyond the image.
    pool(4, kernel: 2, stride: 3, padding: 1, floor: 2, ceil: 2),
    pool(5, kernel: 2, stride: 2, padding: 0, floor: 2, ceil: 3),
    pool(1, kernel: 3, stride: 2, padding: 1, floor: 1, ceil: 1),
  ]

  /// Floor and ceil mode on square images.
  private static func pool(
    _ side: Int, kernel: Int, stride: Int, padding: Int, floor: Int, ceil: Int
  ) -> [TypeRow] {
    [(false, floor), (true, ceil)].map { ceilMode, expected in
      let pool = Pool(
        .max, kernel: Size2D(kernel), stride: Size2D(stride), padding: Padding2D(padding),
        ceilMode: ceilMode)
      return TypeRow(.pool(pool), [f32(2, 5, side, side)], [f32(2, 5, expected, expected)])
    }
  }
}
