import ApusIR
import Foundation

extension Unary {
  func evaluate(_ x: ReferenceTensor) -> [Double] { x.values.map(function) }

  private var function: (Double) -> Double {
    switch self {
    case .negate: { -$0 }
    case .abs: { $0.magnitude }
    case .sign: { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    case .exp: { Foundation.exp($0) }
    case .log: { Foundation.log($0) }
    case .log1p: { Foundation.log1p($0) }
    case .sqrt: { $0.squareRoot() }
    case .rsqrt: { 1 / $0.squareRoot() }
    case .tanh: { Foundation.tanh($0) }
    case .logistic: sigma
    case .floor: { $0.rounded(.down) }
    case .ceil: { $0.rounded(.up) }
    }
  }
}

extension Binary {
  func evaluate(_ a: ReferenceTensor, _ b: ReferenceTensor) -> [Double] {
    zip(a.values, b.values).map(function)
  }

  private var function: (Double, Double) -> Double {
    switch self {
    case .add: { $0 + $1 }
    case .subtract: { $0 - $1 }
    case .multiply: { $0 * $1 }
    case .divide: { $0 / $1 }
    case .maximum: larger
    case .minimum: smaller
    case .power: { pow($0, $1) }
    case .and: { $0 * $1 }
    case .or: larger
    }
  }
}

extension Comparison {
  func evaluate(_ a: ReferenceTensor, _ b: ReferenceTensor) -> [Double] {
    zip(a.values, b.values).map { holds($0, $1) ? 1 : 0 }
  }

  private func holds(_ a: Double, _ b: Double) -> Bool {
    switch self {
    case .equal: a == b
    case .notEqual: a != b
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }
}

func evaluateSelect(
  _ condition: ReferenceTensor, _ a: ReferenceTensor, _ b: ReferenceTensor
) -> [Double] {
  condition.values.indices.map { condition.values[$0] != 0 ? a.values[$0] : b.values[$0] }
}

/// 1 / (1 + e⁻ˣ)
func sigma(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// The larger number; NaN where one of them is.
func larger(_ a: Double, _ b: Double) -> Double { a.isNaN || a > b ? a : b }

/// The smaller number; NaN where one of them is.
func smaller(_ a: Double, _ b: Double) -> Double { a.isNaN || a < b ? a : b }
