import ApusIR

/// The order that remains of an order without some axes, whose logical numbers close up.
private func remaining(_ order: [Int], without axes: [Int]) -> [Int] {
  order.filter { !axes.contains($0) }.map { axis in axis - axes.count { $0 < axis } }
}

extension Reduce {
  /// Sums, means and products are formed in the accumulator type, extrema in the operand's own.
  func emit(_ operand: Emitted, _ type: TensorType, into function: inout Function) -> Emitted {
    if axes.isEmpty { return operand }
    let (x, order) = function.term(operand)
    let places = axes.map { order.firstIndex(of: $0)! }
    let count = axes.reduce(1) { $0 * operand.type.shape[$1] }
    let folded: Term
    switch kind {
    case .max: folded = function.fold(x, .maximum, places: places)
    case .min: folded = function.fold(x, .minimum, places: places)
    case .sum: folded = function.widened([x]) { $0.fold($1[0], .add, places: places) }
    case .product: folded = function.widened([x]) { $0.fold($1[0], .multiply, places: places) }
    case .mean:
      folded = function.widened([x]) { function, x in
        let sum = function.fold(x[0], .add, places: places)
        return function.map("divide", sum, function.splat(Double(count), sum.type))
      }
    }
    return function.define(type, remaining(order, without: axes), folded)
  }
}

extension ArgMax {
  /// Folds pairs of value and index.
  func emit(_ operand: Emitted, _ type: TensorType, into function: inout Function) -> Emitted {
    let (x, order) = function.term(operand)
    let place = order.firstIndex(of: axis)!
    let indices = function.apply(
      "iota", [], ["iota_dimension = \(place) : i64"], to: x.type.with(.int32))
    let resultOrder = remaining(order, without: [axis])
    let physical = PhysicalType(type, order: resultOrder).physical
    let scalar = TensorType(x.type.dtype, [])
    // An index that loses every tie makes the pair neutral, even among infinities.
    let neutral = [
      function.splat(-.infinity, scalar), function.splat(.infinity, TensorType(.int32, [])),
    ]
    let folded = function.write(
      "reduce", [x, indices] + neutral, ["dimensions = \(spelled([place]))"],
      region: region(scalar), to: [physical.with(x.type.dtype), physical])
    return function.define(type, resultOrder, folded[1])
  }

  /// Takes the first pair where its value is larger, or as large with the smaller index; NaN is
  /// larger than any number.
  private func region(_ type: TensorType) -> String {
    let (value, index) = (type.spelling, TensorType(.int32, []).spelling)
    let bool = TensorType(.bool, []).spelling
    var lines = ["^bb0(%a: \(value), %i: \(index), %b: \(value), %j: \(index)):"]
    func compare(_ name: String, _ direction: String, _ a: String, _ b: String, _ type: String) {
      lines.append(
        "  \(name) = \"stablehlo.compare\"(\(a), \(b)) "
          + "<{comparison_direction = #stablehlo<comparison_direction \(direction)>}>"
          + " : (\(type), \(type)) -> \(bool)")
    }
    func combine(_ name: String, _ op: String, _ a: String, _ b: String) {
      lines.append(
        "  \(name) = \"stablehlo.\(op)\"(\(a), \(b)) : (\(bool), \(bool)) -> \(bool)")
    }
    compare("%larger", "GT", "%a", "%b", value)
    compare("%equal", "EQ", "%a", "%b", value)
    compare("%earlier", "LT", "%i", "%j", index)
    if type.dtype.isFloatingPoint {
      compare("%nanA", "NE", "%a", "%a", value)
      compare("%numberB", "EQ", "%b", "%b", value)
      compare("%nanB", "NE", "%b", "%b", value)
      combine("%onlyA", "and", "%nanA", "%numberB")
      combine("%wins", "or", "%larger", "%onlyA")
      combine("%bothNaN", "and", "%nanA", "%nanB")
      combine("%alike", "or", "%equal", "%bothNaN")
    }
    let (wins, alike) =
      type.dtype.isFloatingPoint ? ("%wins", "%alike") : ("%larger", "%equal")
    combine("%tie", "and", alike, "%earlier")
    combine("%first", "or", wins, "%tie")
    for (name, a, b, type) in [("%v", "%a", "%b", value), ("%k", "%i", "%j", index)] {
      lines.append(
        "  \(name) = \"stablehlo.select\"(%first, \(a), \(b))"
          + " : (\(bool), \(type), \(type)) -> \(type)")
    }
    lines.append("  \"stablehlo.return\"(%v, %k) : (\(value), \(index)) -> ()")
    return lines.map { "    " + $0 }.joined(separator: "\n")
  }
}
