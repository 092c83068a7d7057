/// A program as XLA's passes left it: what its device executes, kernel by kernel.
public struct OptimizedProgram: Hashable, Sendable {
  /// A list of instructions; one of them is the entry, others are called by it.
  public struct Computation: Hashable, Sendable {
    public let name: String
    public let instructions: [Instruction]
    let id: Int
  }

  /// An instruction; of the entry's, each call or fusion is a kernel or a library call.
  public struct Instruction: Hashable, Sendable {
    public let name: String
    /// XLA's name for it: `fusion`, `custom-call`, `transpose`, …
    public let opcode: String
    /// For instance `bf16[1,56,56,64]{3,2,1,0}`.
    public let shape: String
    public let operands: [String]
    /// The library function of a `custom-call`, for instance `__cudnn$convForward`.
    public let callTarget: String?
    /// The computations it calls, for instance what a fusion consists of.
    public let calls: [String]
  }

  public let name: String
  public let computations: [Computation]
  private let entryID: Int

  /// The computation that a run executes.
  public var entry: Computation? { computations.first { $0.id == entryID } }

  /// Reads a `HloModuleProtoWithConfig` (xla/service/hlo.proto); `nil` where it is none.
  package init?(_ bytes: [UInt8]) {
    guard let module = ProtoReader(bytes)?.message(1) else { return nil }
    name = module.string(1)
    entryID = module.number(6)
    let parts = module.messages(3)
    let names = Dictionary(parts.map { ($0.number(5), $0.string(1)) }) { first, _ in first }
    computations = parts.map { part in
      let instructions = part.messages(2)
      let operands = Dictionary(instructions.map { ($0.number(35), $0.string(1)) }) { first, _ in
        first
      }
      return Computation(
        name: part.string(1),
        instructions: instructions.map { Instruction($0, operands, names) }, id: part.number(5))
    }
    if computations.isEmpty { return nil }
  }
}

extension OptimizedProgram.Instruction {
  fileprivate init(_ proto: ProtoReader, _ operands: [Int: String], _ computations: [Int: String]) {
    name = proto.string(1)
    opcode = proto.string(2)
    shape = proto.message(3)?.shape ?? "?"
    let target = proto.string(28)
    callTarget = target.isEmpty ? nil : target
    self.operands = proto.numbers(36).map { operands[$0] ?? "?" }
    calls = proto.numbers(38).map { computations[$0] ?? "?" }
  }
}

extension ProtoReader {
  /// A `ShapeProto` as XLA prints it.
  fileprivate var shape: String {
    let parts = messages(4)
    let type = number(2)
    if type == 13 { return "(\(parts.map(\.shape).joined(separator: ", ")))" }
    let name = Self.elementTypes[type] ?? "type\(type)"
    let dims = numbers(3).map(String.init).joined(separator: ",")
    let order = message(5)?.numbers(1).map(String.init).joined(separator: ",") ?? ""
    return order.isEmpty ? "\(name)[\(dims)]" : "\(name)[\(dims)]{\(order)}"
  }

  /// XLA's `PrimitiveType`.
  private static let elementTypes = [
    1: "pred", 2: "s8", 3: "s16", 4: "s32", 5: "s64", 6: "u8", 7: "u16", 8: "u32", 9: "u64",
    10: "f16", 11: "f32", 12: "f64", 16: "bf16", 17: "token",
  ]
}

extension OptimizedProgram: CustomStringConvertible {
  /// Like XLA's own text, without the attributes.
  public var description: String {
    computations.map { computation in
      let mark = computation.id == entryID ? "ENTRY " : ""
      let lines = computation.instructions.map { "  \($0)" }
      return (["\(mark)%\(computation.name) {"] + lines + ["}"]).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }
}

extension OptimizedProgram.Instruction: CustomStringConvertible {
  public var description: String {
    let operands = operands.map { "%\($0)" }.joined(separator: ", ")
    let target = callTarget.map { ", custom_call_target=\"\($0)\"" } ?? ""
    let calls = calls.isEmpty ? "" : ", calls=" + calls.map { "%\($0)" }.joined(separator: ", ")
    return "%\(name) = \(shape) \(opcode)(\(operands))\(target)\(calls)"
  }
}
