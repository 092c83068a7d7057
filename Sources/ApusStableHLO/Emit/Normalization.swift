import ApusIR

extension BatchNorm {
  /// `(x − mean) · (scale / √(variance + ε)) + offset`, 16-bit numbers in 32 bits.
  func emit(_ operands: [Emitted], _ type: TensorType, into function: inout Function) -> Emitted {
    let (x, order) = function.term(operands[0])
    let terms = [x] + operands.dropFirst().map { function.term($0, in: [0]) }
    let place = order.firstIndex(of: 1)!
    let result = function.widened(terms) { function, wide in
      let (x, scale, offset, mean, variance) = (wide[0], wide[1], wide[2], wide[3], wide[4])
      func perChannel(_ vector: Term) -> Term {
        function.broadcast(vector, to: x.type, places: [place])
      }
      let shifted = function.map("add", variance, function.splat(epsilon, variance.type))
      let factor = function.map("divide", scale, function.map("sqrt", shifted))
      let centred = function.map("subtract", x, perChannel(mean))
      let scaled = function.map("multiply", centred, perChannel(factor))
      return function.map("add", scaled, perChannel(offset))
    }
    return function.define(type, order, result)
  }
}

extension LocalResponseNorm {
  /// `x / (k + α/size · Σ x²)^β`, 16-bit numbers in 32 bits.
  func emit(_ operand: Emitted, _ type: TensorType, into function: inout Function) -> Emitted {
    let (x, order) = function.term(operand)
    let place = order.firstIndex(of: 1)!
    let result = function.widened([x]) { function, wide in
      let x = wide[0]
      let power = function.map(
        "power", base(x, place, into: &function), function.splat(beta, x.type))
      return function.map("divide", x, power)
    }
    return function.define(type, order, result)
  }

  /// `g · d^−β − 2αβ/size · x · Σ g · x · d^(−β−1)` with `d = k + α/size · Σ x²`.
  func emitGradient(
    _ operands: [Emitted], _ type: TensorType, into function: inout Function
  ) -> Emitted {
    let (x, order) = function.term(operands[0])
    let gradient = function.term(operands[1], in: order)
    let place = order.firstIndex(of: 1)!
    let result = function.widened([x, gradient]) { function, wide in
      let (x, gradient) = (wide[0], wide[1])
      let base = self.base(x, place, into: &function)
      let power = function.map("power", base, function.splat(-beta, x.type))
      let direct = function.map("multiply", gradient, power)
      let terms = function.map("divide", function.map("multiply", direct, x), base)
      let factor = function.splat(2 * alpha * beta / Double(size), x.type)
      let around = function.map("multiply", sum(terms, place, into: &function), factor)
      return function.map("subtract", direct, function.map("multiply", x, around))
    }
    return function.define(type, order, result)
  }

  /// k + α/size · Σ x²
  private func base(_ x: Term, _ place: Int, into function: inout Function) -> Term {
    let squares = sum(function.map("multiply", x, x), place, into: &function)
    let scaled = function.map(
      "multiply", squares, function.splat(alpha / Double(size), x.type))
    return function.map("add", scaled, function.splat(k, x.type))
  }

  /// The sum over the channels around each, which lie at a place.
  private func sum(_ x: Term, _ place: Int, into function: inout Function) -> Term {
    var extents = x.type.shape.map { _ in 1 }
    var padding = x.type.shape.map { _ in (low: 0, high: 0) }
    extents[place] = size
    padding[place] = (low: size / 2, high: size / 2)
    return function.foldWindows(
      x, .add, extents: extents, strides: x.type.shape.map { _ in 1 }, padding: padding,
      to: x.type.shape)
  }
}

extension BatchNormTraining {
  func emit(
    _ operands: [Emitted], _ types: [TensorType], into function: inout Function
  ) -> [Emitted] {
    let images = NormImages(operands[0], in: &function)
    let wide = operands.dropFirst().map { images.vector($0, in: &function) }
    let (mean, variance) = images.statistics(in: &function)
    let standardized = images.standardized(mean, variance, epsilon, in: &function)
    let scaled = images.apply("multiply", standardized, wide[0], in: &function)
    let y = images.apply("add", scaled, wide[1], in: &function)
    return images.results([y, mean, variance], types, in: &function)
  }
}

extension BatchNormGradient {
  func emit(
    _ operands: [Emitted], _ types: [TensorType], into function: inout Function
  ) -> [Emitted] {
    let images = NormImages(operands[0], in: &function)
    let wide = operands[1...3].map { images.vector($0, in: &function) }
    let standardized = images.standardized(wide[1], wide[2], epsilon, in: &function)
    let gradients = images.gradients(
      images.other(operands[4], in: &function), standardized, factor: wide[0],
      function.deviation(wide[2], epsilon), in: &function)
    return images.results(gradients, types, in: &function)
  }
}

extension ActivatedBatchNorm {
  func emit(
    _ operands: [Emitted], _ types: [TensorType], into function: inout Function
  ) -> [Emitted] {
    let images = NormImages(operands[0], in: &function)
    let wide = operands.dropFirst().map { images.vector($0, in: &function) }
    let (mean, variance) = images.statistics(in: &function)
    let standardized = images.standardized(mean, variance, epsilon, in: &function)
    let scaled = images.apply(
      "multiply", standardized, factor(wide[0], into: &function), in: &function)
    let z = images.apply("add", scaled, wide[1], in: &function)
    let y = activation?.emit([z], into: &function) ?? z
    return images.results([y, mean, variance], types, in: &function)
  }

  func emitGradient(
    _ operands: [Emitted], _ types: [TensorType], into function: inout Function
  ) -> [Emitted] {
    let images = NormImages(operands[0], in: &function)
    let wide = operands[1...3].map { images.vector($0, in: &function) }
    let factor = self.factor(wide[0], into: &function)
    let shifted = images.apply(
      "subtract", inverse(images.x, into: &function), wide[1], in: &function)
    let standardized = images.apply("divide", shifted, factor, in: &function)
    let outer = images.other(operands[4], in: &function)
    let inner = activation?.emitGradient([images.x, outer], into: &function) ?? outer
    var gradients = images.gradients(
      inner, standardized, factor: factor, function.deviation(wide[2], epsilon), in: &function)
    let isNegative = function.compare(wide[0], "LT", function.splat(0, wide[0].type))
    gradients[1] = function.select(
      isNegative, function.map("negate", gradients[1]), gradients[1])
    return images.results(gradients, types, in: &function)
  }

  /// |scale| + ε
  private func factor(_ scale: Term, into function: inout Function) -> Term {
    function.map("add", function.map("abs", scale), function.splat(epsilon, scale.type))
  }

  /// What the activation made `y` of.
  private func inverse(_ y: Term, into function: inout Function) -> Term {
    let quotient: Term
    switch activation {
    case .leakyRelu(let factor)?:
      quotient = function.map("divide", y, function.splat(factor, y.type))
    case .elu(let factor)?:
      quotient = function.map(
        "log_plus_one", function.map("divide", y, function.splat(factor, y.type)))
    default: return y
    }
    return function.select(
      function.compare(y, "GT", function.splat(0, y.type)), y, quotient)
  }
}

/// The images of a norm in the type that sums are formed in, and what belongs to their channels.
private struct NormImages {
  let x: Term
  private let order: [Int]
  private var place: Int { order.firstIndex(of: 1)! }

  init(_ operand: Emitted, in function: inout Function) {
    let (term, order) = function.term(operand)
    x = function.convert(term, to: term.type.dtype.accumulator)
    self.order = order
  }

  /// Other images of that shape.
  func other(_ operand: Emitted, in function: inout Function) -> Term {
    function.convert(function.term(operand, in: order), to: x.type.dtype)
  }

  /// What there is one of for each channel.
  func vector(_ operand: Emitted, in function: inout Function) -> Term {
    function.convert(function.term(operand, in: [0]), to: x.type.dtype)
  }

  /// An op on images and a vector.
  func apply(
    _ op: String, _ images: Term, _ vector: Term, in function: inout Function
  ) -> Term {
    function.map(op, images, function.broadcast(vector, to: x.type, places: [place]))
  }

  /// Of each channel; the sums of x and x² are one reduction.
  func statistics(in function: inout Function) -> (mean: Term, variance: Term) {
    let mean = self.mean(x, in: &function)
    let square = self.mean(function.map("multiply", x, x), in: &function)
    let variance = function.map("subtract", square, function.map("multiply", mean, mean))
    return (mean, function.map("maximum", variance, function.splat(0, variance.type)))
  }

  /// `(x − mean) / √(variance + ε)`
  func standardized(
    _ mean: Term, _ variance: Term, _ epsilon: Double, in function: inout Function
  ) -> Term {
    let deviation = function.deviation(variance, epsilon)
    return apply(
      "divide", apply("subtract", x, mean, in: &function), deviation, in: &function)
  }

  /// The gradients of x, factor and offset of `x̂ · factor + offset`.
  func gradients(
    _ gradient: Term, _ standardized: Term, factor: Term, _ deviation: Term,
    in function: inout Function
  ) -> [Term] {
    let offsets = self.mean(gradient, in: &function)
    let factors = self.mean(function.map("multiply", gradient, standardized), in: &function)
    let centred = apply("subtract", gradient, offsets, in: &function)
    let along = apply("multiply", standardized, factors, in: &function)
    let dx = apply(
      "multiply", function.map("subtract", centred, along),
      function.map("divide", factor, deviation), in: &function)
    let count = function.splat(self.count, offsets.type)
    return [dx, function.map("multiply", factors, count), function.map("multiply", offsets, count)]
  }

  /// Images and vectors in the types of a node's results.
  func results(
    _ terms: [Term], _ types: [TensorType], in function: inout Function
  ) -> [Emitted] {
    zip(terms, types).enumerated().map { index, result in
      let (term, type) = result
      return function.define(
        type, index == 0 ? order : [0], function.convert(term, to: type.dtype))
    }
  }

  private var count: Double { Double(x.type.elementCount / x.type.shape[place]) }

  private func mean(_ term: Term, in function: inout Function) -> Term {
    let places = order.indices.filter { $0 != place }
    let sum = function.fold(term, .add, places: places)
    return function.map("divide", sum, function.splat(count, sum.type))
  }
}

extension Function {
  /// √(variance + ε)
  fileprivate mutating func deviation(_ variance: Term, _ epsilon: Double) -> Term {
    map("sqrt", map("add", variance, splat(epsilon, variance.type)))
  }
}
