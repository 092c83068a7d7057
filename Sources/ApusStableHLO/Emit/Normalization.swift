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
      var extents = order.map { _ in 1 }
      var padding = order.map { _ in (low: 0, high: 0) }
      extents[place] = size
      padding[place] = (low: size / 2, high: size / 2)
      let squares = function.foldWindows(
        function.map("multiply", x, x), .add, extents: extents, strides: order.map { _ in 1 },
        padding: padding, to: x.type.shape)
      let scaled = function.map(
        "multiply", squares, function.splat(alpha / Double(size), x.type))
      let base = function.map("add", scaled, function.splat(k, x.type))
      return function.map(
        "divide", x, function.map("power", base, function.splat(beta, x.type)))
    }
    return function.define(type, order, result)
  }
}
