import ApusIR

extension DType {
  /// The type that sums of this one are formed in: 16 bits are too few.
  var accumulator: DType {
    switch self {
    case .float16, .bfloat16, .float32: .float32
    case .float64: .float64
    case .int64, .int32, .int16, .int8, .uint8: .int64
    case .bool: .bool
    }
  }
}

extension TensorType {
  func with(_ dtype: DType) -> TensorType { TensorType(dtype, shape) }
}

extension Function {
  /// Computes in the accumulator of the operands' element type and rounds the result to that type;
  /// integers saturate.
  mutating func widened(
    _ operands: [Term], _ body: (inout Function, [Term]) -> Term
  ) -> Term {
    let dtype = operands[0].type.dtype
    var wide: [Term] = []
    for operand in operands { wide.append(convert(operand, to: dtype.accumulator)) }
    return convert(body(&self, wide), to: dtype)
  }

  /// The values as another element type: floating-point numbers to nearest; integers toward zero,
  /// saturating, NaN to 0; bool is true for everything but zero.
  mutating func convert(_ x: Term, to dtype: DType) -> Term {
    let (source, type) = (x.type.dtype, x.type.with(dtype))
    if source == dtype { return x }
    if dtype == .bool { return compare(x, "NE", splat(0, x.type)) }
    if source == .bool || dtype.isFloatingPoint { return apply("convert", [x], to: type) }
    guard let range = dtype.integers, let sourceRange = source.integers else {
      return truncate(x, to: type)
    }
    // What XLA makes of numbers out of range is its own affair.
    if range.lowerBound <= sourceRange.lowerBound && sourceRange.upperBound <= range.upperBound {
      return apply("convert", [x], to: type)
    }
    let least = splat(Double(max(range.lowerBound, sourceRange.lowerBound)), x.type)
    let most = splat(Double(min(range.upperBound, sourceRange.upperBound)), x.type)
    return apply("convert", [map("clamp", least, x, most)], to: type)
  }

  /// Floating-point numbers as integers.
  private mutating func truncate(_ x: Term, to type: TensorType) -> Term {
    let range = type.dtype.integers!
    // One past the largest integer is a power of two, which every type has or rounds to infinity.
    let beyond = compare(x, "GE", splat(Double(range.upperBound) + 1, x.type))
    let below = compare(x, "LE", splat(Double(range.lowerBound), x.type))
    let isNumber = compare(x, "EQ", x)
    let inside = select(
      isNumber, apply("convert", [x], to: type), splat(0, type))
    return select(
      beyond, splat(.infinity, type), select(below, splat(-.infinity, type), inside))
  }

  /// - Parameter direction: `EQ`, `NE`, `LT`, `LE`, `GT` or `GE`.
  mutating func compare(_ a: Term, _ direction: String, _ b: Term) -> Term {
    apply(
      "compare", [a, b],
      ["comparison_direction = #stablehlo<comparison_direction \(direction)>"],
      to: a.type.with(.bool))
  }

  mutating func select(_ condition: Term, _ a: Term, _ b: Term) -> Term {
    apply("select", [condition, a, b], to: a.type)
  }
}

// Boxes; everything is given for each place.
extension Function {
  /// Every `steps`-th of the elements from `starts` up to, but not including, `ends`.
  mutating func slice(
    _ x: Term, from starts: [Int], to ends: [Int], by steps: [Int]
  ) -> Term {
    let extents = starts.indices.map { (ends[$0] - starts[$0] - 1) / steps[$0] + 1 }
    return apply(
      "slice", [x],
      [
        "start_indices = \(spelled(starts))", "limit_indices = \(spelled(ends))",
        "strides = \(spelled(steps))",
      ], to: TensorType(x.type.dtype, Shape(extents)))
  }

  /// Surrounds a term with copies of a value; what is negative at the edges is cut off.
  mutating func pad(
    _ x: Term, _ value: Double, low: [Int], high: [Int], interior: [Int]
  ) -> Term {
    let extents = low.indices.map { place in
      let extent = x.type.shape[place]
      return low[place] + extent + (extent - 1) * interior[place] + high[place]
    }
    return apply(
      "pad", [x, splat(value, TensorType(x.type.dtype, []))],
      [
        "edge_padding_low = \(spelled(low))", "edge_padding_high = \(spelled(high))",
        "interior_padding = \(spelled(interior))",
      ], to: TensorType(x.type.dtype, Shape(extents)))
  }
}

/// How two values are folded into one.
enum Folding: String {
  case add, multiply, maximum, minimum

  /// What changes nothing.
  var neutral: Double {
    switch self {
    case .add: 0
    case .multiply: 1
    case .maximum: -.infinity
    case .minimum: .infinity
    }
  }

  fileprivate func region(_ dtype: DType) -> String {
    let type = TensorType(dtype, []).spelling
    return """
          ^bb0(%a: \(type), %b: \(type)):
            %c = "stablehlo.\(rawValue)"(%a, %b) : (\(type), \(type)) -> \(type)
            "stablehlo.return"(%c) : (\(type)) -> ()
      """
  }
}

extension Function {
  /// Folds the axes at the given places.
  mutating func fold(_ x: Term, _ folding: Folding, places: [Int]) -> Term {
    let dtype = x.type.dtype
    let kept = x.type.shape.indices.filter { !places.contains($0) }.map { x.type.shape[$0] }
    return apply(
      "reduce", [x, splat(folding.neutral, TensorType(dtype, []))],
      ["dimensions = \(spelled(places.sorted()))"], region: folding.region(dtype),
      to: TensorType(dtype, Shape(kept)))
  }

  /// Folds each window; extents, strides and padding are given for each place.
  mutating func foldWindows(
    _ x: Term, _ folding: Folding, extents: [Int], strides: [Int],
    padding: [(low: Int, high: Int)], to shape: Shape
  ) -> Term {
    let dtype = x.type.dtype
    return apply(
      "reduce_window", [x, splat(folding.neutral, TensorType(dtype, []))],
      [
        "window_dimensions = \(spelled(extents))", "window_strides = \(spelled(strides))",
        "padding = \(spelled(padding))",
      ], region: folding.region(dtype), to: TensorType(dtype, shape))
  }
}
