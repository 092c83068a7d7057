import ApusIR

/// Ops on tensors of one size, computed together element by element.
///
/// Values are numbered: the step's operands first, then what each instruction makes.
public struct ElementProgram: Hashable, Sendable {
  public enum Function: Hashable, Sendable {
    case unary(Unary)
    case binary(Binary)
    case activationGradient(Activation)
    case compare(Comparison)
    case select
    case convert(DType)

    /// The function that an op does to each element; `nil` for all other ops.
    public init?(_ op: Op) {
      switch op {
      case .unary(let unary): self = .unary(unary)
      case .binary(let binary): self = .binary(binary)
      case .activationGradient(let activation): self = .activationGradient(activation)
      case .compare(let comparison): self = .compare(comparison)
      case .select: self = .select
      case .convert(let dtype): self = .convert(dtype)
      case .input, .constant, .iota, .activation, .reshape, .transpose, .broadcast, .slice, .pad,
        .concatenate, .barrier, .reduce, .argMax, .dot, .convolution, .convolutionInputGradient,
        .convolutionFilterGradient, .pool, .poolGradient, .batchNorm, .batchNormTraining,
        .batchNormGradient, .activatedBatchNorm, .activatedBatchNormGradient, .localResponseNorm,
        .localResponseNormGradient:
        return nil
      }
    }

    /// Whether it takes operands and makes a result of such elements: arithmetic is that of
    /// `float32`.
    public func takes(_ dtypes: [DType]) -> Bool {
      switch self {
      case .unary, .binary, .activationGradient: dtypes.allSatisfy { $0 == .float32 }
      case .compare, .select, .convert: dtypes.allSatisfy(ElementProgram.dtypes.contains)
      }
    }

    /// Whether it makes zeros of zeros, so that what pads blocks of channels stays so.
    var keepsZero: Bool {
      switch self {
      case .unary(let unary): [.negate, .abs, .sqrt].contains(unary)
      case .binary(let binary): [.add, .subtract, .multiply, .maximum, .minimum].contains(binary)
      case .activationGradient, .select, .convert: true
      case .compare(let comparison): [.notEqual, .less, .greater].contains(comparison)
      }
    }

    var name: String {
      switch self {
      case .unary(let unary): unary.rawValue
      case .binary(let binary): binary.rawValue
      case .activationGradient(let activation): Op.activationGradient(activation).name
      case .compare(let comparison): comparison.rawValue
      case .select: "select"
      case .convert(let dtype): dtype.rawValue
      }
    }
  }

  public struct Instruction: Hashable, Sendable {
    public var function: Function
    /// One, two or three values.
    public var operands: [Int]
    /// The step's result that it makes; `nil` where only later instructions read it.
    public var result: Int?
  }

  /// What elements may be in memory: all numbers of these types are of `float32` too, in which
  /// instructions compute.
  static let dtypes: Set<DType> = [.float32, .float16, .bfloat16, .bool]

  public internal(set) var operandCount: Int
  public internal(set) var instructions: [Instruction]

  /// One function, of all operands of a step.
  public init(_ function: Function, of operandCount: Int) {
    self.operandCount = operandCount
    instructions = [
      Instruction(function: function, operands: Array(0..<operandCount), result: 0)
    ]
  }

  init(operandCount: Int, instructions: [Instruction]) {
    self.operandCount = operandCount
    self.instructions = instructions
  }

  /// The step's operands that are read after that result was written.
  func operandsRead(after result: Int) -> [Int] {
    let writer = instructions.firstIndex { $0.result == result } ?? -1
    return instructions[(writer + 1)...].flatMap(\.operands).filter { $0 < operandCount }
  }

  var name: String { instructions.map(\.function.name).joined(separator: "+") }
}
