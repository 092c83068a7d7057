import ApusIR

extension OpCase {
  static let arranging: [OpCase] =
    reshapes + transposes + broadcasts + slices + pads + concatenations + barriers

  private static let reshapes: [OpCase] = [
    reshape([2, 3, 4], to: [6, 4]), reshape([2, 3, 4], to: [24]), reshape([6], to: [1, 2, 3, 1]),
    reshape([1, 1], to: []), reshape([], to: [1]), reshape([2, 5, 1, 1], to: [2, 5]),
    reshape([2, 3], to: [3, 2], .uint8),
  ]

  private static let transposes: [OpCase] = [
    transpose([2, 3, 4, 5], [0, 2, 3, 1]), transpose([2, 4, 5, 3], [0, 3, 1, 2]),
    transpose([2, 3, 4, 5], [3, 2, 1, 0]), transpose([4, 7], [1, 0]), transpose([4, 7], [0, 1]),
    transpose([2, 3, 4], [1, 2, 0]), transpose([2, 3, 1, 2, 4], [4, 1, 0, 3, 2]),
    transpose([5], [0]), transpose([], []), transpose([2, 3, 4, 3], [0, 3, 1, 2], .uint8),
    transpose([3, 2], [1, 0], .int64),
  ]

  private static let broadcasts: [OpCase] = [
    broadcast([], to: [2, 3], axes: []), broadcast([], to: [], axes: []),
    broadcast([4], to: [2, 4, 3, 2], axes: [1]), broadcast([3], to: [2, 3], axes: [1]),
    broadcast([2], to: [2, 3], axes: [0]), broadcast([2, 1, 3], to: [2, 4, 3], axes: [0, 1, 2]),
    broadcast([2, 4, 1, 1], to: [2, 4, 3, 5], axes: [0, 1, 2, 3]),
    broadcast([2, 3], to: [2, 3], axes: [0, 1]), broadcast([1, 3], to: [4, 5, 3], axes: [1, 2]),
    broadcast([1], to: [3, 1, 2], axes: [2]),
    broadcast([2, 1], to: [2, 3, 4], axes: [0, 2], .int32),
  ]

  private static let slices: [OpCase] = [
    slice([7], [1], [6]), slice([7], [0], [7], [3]), slice([8], [1], [8], [2]),
    slice([4, 5], [1, 0], [3, 5]), slice([4, 5], [0, 1], [4, 5], [3, 2]),
    slice([2, 6, 5, 5], [0, 2, 1, 1], [2, 5, 4, 5]),
    slice([2, 3, 6, 7], [1, 0, 0, 1], [2, 3, 6, 7], [1, 1, 2, 3]),
    slice([3, 4], [2, 3], [3, 4]), slice([], [], []), slice([6, 4], [2, 1], [6, 3], nil, .int16),
  ]

  private static let pads: [OpCase] = [
    pad([5], Pad(low: [2], high: [1])), pad([5], Pad(low: [0], high: [0], interior: [2])),
    pad([2, 3], Pad(low: [1, 0], high: [0, 2], interior: [1, 0], value: -1.5)),
    pad([2, 3, 4, 5], Pad(low: [0, 0, 1, 2], high: [0, 0, 3, 0])),
    pad(
      [1, 2, 3, 3], Pad(low: [0, 1, 0, 0], high: [1, 0, 0, 1], interior: [0, 0, 1, 2], value: 3)),
    pad([], Pad(low: [], high: [])), pad([2, 2], Pad(low: [0, 0], high: [0, 0])),
    pad([4], Pad(low: [1], high: [1], value: 7), .int32),
  ]

  private static let concatenations: [OpCase] =
    (0..<4).flatMap { axis in
      [
        concatenate(axis: axis, [2, 3]), concatenate(axis: axis, [1, 3, 2, 1]),
      ]
    } + [
      concatenate(axis: 1, [4]), concatenate(axis: 1, [2, 3, 4], .uint8),
      OpCase(
        "concatenate vectors", .concatenate(Concatenate(axis: 0)), [.uniform([3]), .uniform([5])],
        .exact),
    ]

  private static let barriers: [OpCase] = [
    OpCase("barrier of one", .barrier, [.uniform([2, 3])], .exact),
    OpCase(
      "barrier of two", .barrier, [.uniform([2, 3]), .integers([4], -9...9, .int32)], .exact),
  ]

  private static func reshape(_ from: Shape, to: Shape, _ dtype: DType = .float32) -> OpCase {
    OpCase("reshape \(from) to \(to)", .reshape(to), [operand(from, dtype)], .exact)
  }

  private static func transpose(
    _ shape: Shape, _ order: [Int], _ dtype: DType = .float32
  ) -> OpCase {
    OpCase(
      "transpose \(TensorType(dtype, shape)) \(order)", .transpose(Transpose(order)),
      [operand(shape, dtype)], .exact)
  }

  private static func broadcast(
    _ from: Shape, to: Shape, axes: [Int], _ dtype: DType = .float32
  ) -> OpCase {
    OpCase(
      "broadcast \(from) to \(to)", .broadcast(Broadcast(to: to, axes: axes)),
      [operand(from, dtype)], .exact)
  }

  private static func slice(
    _ shape: Shape, _ starts: [Int], _ ends: [Int], _ steps: [Int]? = nil,
    _ dtype: DType = .float32
  ) -> OpCase {
    let op = Op.slice(Slice(starts: starts, ends: ends, steps: steps))
    return OpCase("slice \(shape) \(op.attributes)", op, [operand(shape, dtype)], .exact)
  }

  private static func pad(_ shape: Shape, _ pad: Pad, _ dtype: DType = .float32) -> OpCase {
    OpCase(
      "pad \(TensorType(dtype, shape)) \(pad.low) \(pad.high) \(pad.interior)", .pad(pad),
      [operand(shape, dtype)], .exact)
  }

  /// Operands of the given extents along the axis.
  private static func concatenate(
    axis: Int, _ extents: [Int], _ dtype: DType = .float32
  ) -> OpCase {
    let operands = extents.map { extent in
      var shape: Shape = [2, 3, 4, 5]
      shape[axis] = extent
      return operand(shape, dtype)
    }
    return OpCase(
      "concatenate \(extents) axis \(axis) \(dtype)", .concatenate(Concatenate(axis: axis)),
      operands, .exact)
  }

  private static func operand(_ shape: Shape, _ dtype: DType) -> OperandSpec {
    dtype.isFloatingPoint ? .uniform(shape, -2...2, dtype) : .integers(shape, 0...100, dtype)
  }
}
