import ApusIR

/// Ops on tensors of one size, computed together element by element.
///
/// Values are numbered: the step's operands first, then what each instruction makes.
public struct ElementProgram: Hashable, Sendable {
  public enum Function: Hashable, Sendable {
    case unary(Unary)
    case binary(Binary)
    case activationGradient(Activation)

    /// Whether it makes zeros of zeros, so that what pads blocks of channels stays so.
    var keepsZero: Bool {
      switch self {
      case .unary(let unary): [.negate, .abs, .sqrt].contains(unary)
      case .binary(let binary): [.add, .subtract, .multiply, .maximum, .minimum].contains(binary)
      case .activationGradient: true
      }
    }

    var name: String {
      switch self {
      case .unary(let unary): unary.rawValue
      case .binary(let binary): binary.rawValue
      case .activationGradient(let activation): Op.activationGradient(activation).name
      }
    }
  }

  public struct Instruction: Hashable, Sendable {
    public var function: Function
    /// One or two values.
    public var operands: [Int]
    /// The step's result that it makes; `nil` where only later instructions read it.
    public var result: Int?
  }

  public internal(set) var operandCount: Int
  public internal(set) var instructions: [Instruction]

  /// The step's operands that are read after that result was written.
  func operandsRead(after result: Int) -> [Int] {
    let writer = instructions.firstIndex { $0.result == result } ?? -1
    return instructions[(writer + 1)...].flatMap(\.operands).filter { $0 < operandCount }
  }

  var name: String { instructions.map(\.function.name).joined(separator: "+") }
}
