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
}

extension Function {
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
