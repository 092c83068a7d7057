import ApusIR

extension OpCase {
  static let reduction: [OpCase] =
    Reduce.Kind.allCases.flatMap { kind in
      [[0], [1], [3], [0, 2], [2, 3], [1, 2, 3], [0, 1, 2, 3], []].map { axes in
        reduce(kind, [2, 3, 4, 5], axes)
      } + [reduce(kind, [6], [0]), reduce(kind, [], []), reduce(kind, [1, 4], [0])]
    } + reductionsOfIntegers + argMaxima

  private static let reductionsOfIntegers: [OpCase] =
    [Reduce.Kind.sum, .product, .max, .min].map { kind in
      OpCase(
        "\(kind) int32", .reduce(Reduce(kind, axes: [1])), [.integers([4, 5], -9...9, .int32)],
        .exact)
    }

  private static let argMaxima: [OpCase] = [
    argMax(.distinct([2, 3, 4, 5]), 0), argMax(.distinct([2, 3, 4, 5]), 1),
    argMax(.distinct([2, 3, 4, 5]), 2), argMax(.distinct([2, 3, 4, 5]), 3),
    argMax(.distinct([3, 100]), 1), argMax(.distinct([9]), 0), argMax(.uniform([4, 1]), 1),
    argMax(.integers([6, 12], 0...2), 1, "with ties"),
    argMax(.integers([5, 8], -50...50, .int32), 0),
  ]

  private static func reduce(_ kind: Reduce.Kind, _ shape: Shape, _ axes: [Int]) -> OpCase {
    let range: ClosedRange<Double> = kind == .product ? 0.5...1.5 : -2...2
    return OpCase(
      "\(kind) \(shape) axes \(axes)", .reduce(Reduce(kind, axes: axes)), [.uniform(shape, range)],
      .accumulation)
  }

  private static func argMax(
    _ operand: OperandSpec, _ axis: Int, _ remark: String = ""
  ) -> OpCase {
    let name = "argMax \(operand.type) axis \(axis)"
    return OpCase(
      remark.isEmpty ? name : "\(name) \(remark)", .argMax(ArgMax(axis: axis)), [operand], .exact)
  }
}
