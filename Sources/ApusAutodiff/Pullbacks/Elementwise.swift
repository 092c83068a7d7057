import ApusIR
import ApusTensor

extension Unary {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    try call.linear { g in
      switch self {
      case .negate: return try -g
      case .abs: return try g * ApusTensor.sign(call.operand(0))
      case .sign, .floor, .ceil: return try g.copies(of: 0)
      case .exp: return try g * call.result()
      case .log: return try g / call.operand(0)
      case .log1p: return try g / (call.operand(0) + 1)
      case .sqrt: return try g * 0.5 / call.result()
      case .rsqrt:
        let y = try call.result()
        return try g * -0.5 * (y * y * y)
      case .tanh: return try call.result().activationGradient(.tanh, g)
      case .logistic: return try call.result().activationGradient(.sigmoid, g)
      }
    }
  }
}

extension Binary {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    guard let g = call.gradients[0] else { return [nil, nil] }
    func operands() throws -> (a: Tensor, b: Tensor) { (try call.operand(0), try call.operand(1)) }
    switch self {
    case .add: return [g, g]
    case .subtract: return [g, try call.gradient(of: 1) { try -g }]
    case .multiply:
      return [
        try call.gradient(of: 0) { try g * call.operand(1) },
        try call.gradient(of: 1) { try g * call.operand(0) },
      ]
    case .divide:
      return [
        try call.gradient(of: 0) { try g / call.operand(1) },
        try call.gradient(of: 1) { try -(g * call.result() / call.operand(1)) },
      ]
    case .maximum: return try share(g, call, .greater)
    case .minimum: return try share(g, call, .less)
    case .power:
      return [
        try call.gradient(of: 0) { try powerOfBase(g, call.operand(0), call.operand(1)) },
        try call.gradient(of: 1) { try powerOfExponent(g, call.operand(0), call.result()) },
      ]
    case .and, .or: return [nil, nil]
    }
  }

  /// The operand that is the result takes the gradient; of equal ones each takes half.
  private func share(
    _ g: Tensor, _ call: PullbackCall, _ comparison: Comparison
  ) throws -> [Tensor?] {
    let (a, b) = (try call.operand(0), try call.operand(1))
    let (zero, half) = (try g.copies(of: 0), try g * 0.5)
    let tie = try select(a.compared(.equal, b), half, zero)
    return [
      try call.gradient(of: 0) { try select(a.compared(comparison, b), g, tie) },
      try call.gradient(of: 1) { try select(b.compared(comparison, a), g, tie) },
    ]
  }

  /// `g · b · a^(b − 1)`, 0 where b is 0.
  private func powerOfBase(_ g: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    let zero = try g.copies(of: 0)
    return try select(b.compared(.equal, zero), zero, g * b * pow(a, b - 1))
  }

  /// `g · a^b · log a`, 0 where a is 0.
  private func powerOfExponent(_ g: Tensor, _ a: Tensor, _ y: Tensor) throws -> Tensor {
    let zero = try g.copies(of: 0)
    return try select(a.compared(.equal, zero), zero, g * y * log(a))
  }
}

/// Each branch takes the gradient where it was chosen.
func selectPullback(_ call: PullbackCall) throws -> [Tensor?] {
  guard let g = call.gradients[0] else { return [nil, nil, nil] }
  let (condition, zero) = (try call.operand(0), try g.copies(of: 0))
  return [
    nil, try call.gradient(of: 1) { try select(condition, g, zero) },
    try call.gradient(of: 2) { try select(condition, zero, g) },
  ]
}

func convertPullback(_ call: PullbackCall) throws -> [Tensor?] {
  try call.linear { try $0.converted(to: call.operandTypes[0].dtype) }
}
