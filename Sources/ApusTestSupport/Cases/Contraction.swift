import ApusIR

extension OpCase {
  static let contraction: [OpCase] =
    [false, true].flatMap { left in
      [false, true].flatMap { right in
        let dot = Dot(transposesLeft: left, transposesRight: right)
        return [
          row(dot, [], m: 5, k: 7, n: 3), row(dot, [3], m: 4, k: 6, n: 5),
          row(dot, [2, 3], m: 3, k: 4, n: 2), row(dot, [], m: 4, k: 1, n: 6),
          row(dot, [], m: 1, k: 33, n: 17), row(dot, [2], m: 8, k: 5, n: 1),
        ]
      }
    } + [
      row(Dot(), [], m: 1, k: 1, n: 1), row(Dot(), [2], m: 3, k: 4, n: 5, .int32),
      row(Dot(transposesRight: true), [], m: 3, k: 40, n: 10, .float64),
    ]

  private static func row(
    _ dot: Dot, _ leading: [Int], m: Int, k: Int, n: Int, _ dtype: DType = .float32
  ) -> OpCase {
    let left = Shape(leading + (dot.transposesLeft ? [k, m] : [m, k]))
    let right = Shape(leading + (dot.transposesRight ? [n, k] : [k, n]))
    let marks = (dot.transposesLeft ? "ᵀ" : "", dot.transposesRight ? "ᵀ" : "")
    let operands: [OperandSpec] = [left, right].map { shape in
      dtype.isFloatingPoint ? .uniform(shape, -2...2, dtype) : .integers(shape, -9...9, dtype)
    }
    return OpCase(
      "dot \(dtype)\(left)\(marks.0) × \(right)\(marks.1)", .dot(dot), operands,
      dtype.isFloatingPoint ? .accumulation : .exact)
  }
}
