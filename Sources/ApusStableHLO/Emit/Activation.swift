import ApusIR

extension Activation {
  /// The forms that XLA fuses into a cuDNN convolution stay in the element type; functions of
  /// several roundings are computed in 32 bits at least.
  func emit(_ operands: [Term], into function: inout Function) -> Term {
    let x = operands[0]
    switch self {
    case .relu: return function.map("maximum", x, function.splat(0, x.type))
    case .relu6:
      // A clamp takes its bounds first.
      let (zero, six) = (function.splat(0, x.type), function.splat(6, x.type))
      return function.apply("clamp", [zero, x, six], to: x.type)
    case .leakyRelu(let slope):
      return function.selectPositive(
        x, else: function.map("multiply", x, function.splat(slope, x.type)))
    case .elu(alpha: 1):
      return function.selectPositive(x, else: function.map("exponential_minus_one", x))
    case .elu(let alpha):
      return function.widened(operands) { function, x in
        let power = function.map("exponential_minus_one", x[0])
        return function.selectPositive(
          x[0], else: function.map("multiply", power, function.splat(alpha, power.type)))
      }
    case .sigmoid: return function.map("logistic", x)
    case .tanh: return function.map("tanh", x)
    case .hardSigmoid: return function.widened(operands) { $0.ramp($1[0]) }
    case .swish:
      return function.widened(operands) { $0.map("multiply", $1[0], $0.map("logistic", $1[0])) }
    case .hardSwish:
      return function.widened(operands) { $0.map("multiply", $1[0], $0.ramp($1[0])) }
    case .mish:
      return function.widened(operands) { function, x in
        let softplus = function.map("log_plus_one", function.map("exponential", x[0]))
        return function.map("multiply", x[0], function.map("tanh", softplus))
      }
    }
  }

  /// The gradient of the input; of functions with kinks a choice, so that nothing is rounded.
  func emitGradient(_ operands: [Term], into function: inout Function) -> Term {
    let (value, gradient) = (operands[0], operands[1])
    let zero = function.splat(0, value.type)
    switch self {
    case .relu: return function.selectPositive(value, gradient, else: zero)
    case .relu6: return function.selectBetween(value, 0, 6, gradient)
    case .leakyRelu(let slope):
      let scaled = function.map("multiply", gradient, function.splat(slope, value.type))
      return function.selectPositive(value, gradient, else: scaled)
    case .elu, .sigmoid, .tanh, .swish, .mish:
      return function.widened(operands) { function, wide in
        function.map("multiply", wide[1], derivative(wide[0], into: &function))
      }
    case .hardSigmoid:
      return function.widened(operands) { function, wide in
        let sixth = function.map("divide", wide[1], function.splat(6, wide[1].type))
        return function.selectBetween(wide[0], 0, 1, sixth)
      }
    case .hardSwish:
      return function.widened(operands) { function, wide in
        let (x, type) = (wide[0], wide[0].type)
        let line = function.map(
          "add", function.map("divide", x, function.splat(3, type)), function.splat(0.5, type))
        let isBelow = function.compare(x, "LT", function.splat(3, type))
        let upper = function.select(isBelow, function.map("multiply", wide[1], line), wide[1])
        let isFlat = function.compare(x, "LE", function.splat(-3, type))
        return function.select(isFlat, function.splat(0, type), upper)
      }
    }
  }

  /// Of the smooth functions, in terms of what ``gradientReads`` says.
  private func derivative(_ value: Term, into function: inout Function) -> Term {
    let one = function.splat(1, value.type)
    switch self {
    case .elu(let alpha):
      let factor = function.splat(alpha, value.type)
      let slope =
        gradientReads == .output
        ? function.map("add", value, factor)
        : function.map("multiply", function.map("exponential", value), factor)
      return function.selectPositive(value, one, else: slope)
    case .sigmoid: return function.map("multiply", value, function.map("subtract", one, value))
    case .tanh: return function.map("subtract", one, function.map("multiply", value, value))
    case .swish:
      // σ + x · σ · (1 − σ)
      let sigma = function.map("logistic", value)
      let rest = function.map("multiply", value, function.map("subtract", one, sigma))
      return function.map("multiply", sigma, function.map("add", one, rest))
    case .mish:
      // t + x · σ · (1 − t²) with t = tanh(log(1 + eˣ))
      let softplus = function.map("log_plus_one", function.map("exponential", value))
      let t = function.map("tanh", softplus)
      let rest = function.map("subtract", one, function.map("multiply", t, t))
      let product = function.map("multiply", value, function.map("logistic", value))
      return function.map("add", t, function.map("multiply", product, rest))
    case .relu, .relu6, .leakyRelu, .hardSigmoid, .hardSwish:
      preconditionFailure("\(name) has kinks")
    }
  }
}

extension Function {
  /// A term where x > 0, else another.
  fileprivate mutating func selectPositive(_ x: Term, _ term: Term, else other: Term) -> Term {
    select(compare(x, "GT", splat(0, x.type)), term, other)
  }

  /// A term where x lies between two numbers, else 0.
  fileprivate mutating func selectBetween(
    _ x: Term, _ low: Double, _ high: Double, _ term: Term
  ) -> Term {
    let isInside = map(
      "and", compare(x, "GT", splat(low, x.type)), compare(x, "LT", splat(high, x.type)))
    return select(isInside, term, splat(0, x.type))
  }

  /// x where x > 0, else another value.
  fileprivate mutating func selectPositive(_ x: Term, else other: Term) -> Term {
    select(compare(x, "GT", splat(0, x.type)), x, other)
  }

  /// min(max(x/6 + 1/2, 0), 1)
  fileprivate mutating func ramp(_ x: Term) -> Term {
    let line = map("add", map("divide", x, splat(6, x.type)), splat(0.5, x.type))
    return map("clamp", splat(0, x.type), line, splat(1, x.type))
  }
}
