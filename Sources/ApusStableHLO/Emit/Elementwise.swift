import ApusIR

extension Function {
  /// Applies a function of elements to operands in one order.
  mutating func map(
    _ operands: [Emitted], _ type: TensorType, _ body: ([Term], inout Function) -> Term
  ) -> Emitted {
    let order = commonOrder(of: operands)
    var terms: [Term] = []
    for operand in operands { terms.append(term(operand, in: order)) }
    return define(type, order, body(terms, &self))
  }
}

extension Unary {
  func emit(_ x: [Term], into function: inout Function) -> Term {
    // Integers saturate: −(−128) is 127 in 8 bits.
    x[0].type.dtype.isFloatingPoint
      ? function.map(spelling, x[0])
      : function.widened(x) { $0.map(spelling, $1[0]) }
  }

  private var spelling: String {
    switch self {
    case .negate, .abs, .sign, .log, .sqrt, .rsqrt, .tanh, .logistic, .floor, .ceil: rawValue
    case .exp: "exponential"
    case .log1p: "log_plus_one"
    }
  }
}

extension Binary {
  func emit(_ operands: [Term], into function: inout Function) -> Term {
    let (a, b) = (operands[0], operands[1])
    switch self {
    case .maximum, .minimum, .and, .or: return function.map(rawValue, a, b)
    case .add, .subtract, .multiply:
      return a.type.dtype.isFloatingPoint
        ? function.map(rawValue, a, b)
        : function.widened(operands) { $0.map(rawValue, $1[0], $1[1]) }
    case .divide:
      return a.type.dtype.isFloatingPoint
        ? function.map(rawValue, a, b)
        : function.widened(operands) { divideIntegers($1[0], $1[1], into: &$0) }
    case .power:
      if a.type.dtype.isFloatingPoint { return function.map(rawValue, a, b) }
      let wide = function.map(
        rawValue, function.convert(a, to: .float64), function.convert(b, to: .float64))
      return function.convert(wide, to: a.type.dtype)
    }
  }
}

/// Quotients toward zero; by zero they are the end of the range on the dividend's side, 0 of 0.
private func divideIntegers(_ a: Term, _ b: Term, into function: inout Function) -> Term {
  let zero = function.splat(0, a.type)
  let isUndefined = function.compare(b, "EQ", zero)
  let divisor = function.select(isUndefined, function.splat(1, a.type), b)
  let negative = function.select(
    function.compare(a, "LT", zero), function.splat(-.infinity, a.type), zero)
  let limit = function.select(
    function.compare(a, "GT", zero), function.splat(.infinity, a.type), negative)
  return function.select(isUndefined, limit, function.map("divide", a, divisor))
}

extension Comparison {
  func emit(_ operands: [Term], into function: inout Function) -> Term {
    function.compare(operands[0], direction, operands[1])
  }

  private var direction: String {
    switch self {
    case .equal: "EQ"
    case .notEqual: "NE"
    case .less: "LT"
    case .lessOrEqual: "LE"
    case .greater: "GT"
    case .greaterOrEqual: "GE"
    }
  }
}

func emitSelect(_ operands: [Term], into function: inout Function) -> Term {
  function.select(operands[0], operands[1], operands[2])
}

extension DType {
  func emitConvert(_ operands: [Term], into function: inout Function) -> Term {
    function.convert(operands[0], to: self)
  }
}
