import ApusIR
import ApusPlan

/// A step of a program, as a profile shows it.
public struct StepDescription: Codable, Hashable, Sendable {
  /// What steps are summed by.
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case convolution, dot, pooling, normalization, reduction, elementwise, concatenation
    case arranging, reorder, source
  }

  /// A tensor that a step reads or writes.
  public struct Tensor: Codable, Hashable, Sendable {
    public let shape: [Int]
    public let layout: String
    public let bytes: Int
  }

  /// The layer the step belongs to.
  public let path: String
  /// The op with what is fused into it: `convolution+relu`.
  public let name: String
  public let attributes: String
  public let kind: Kind
  /// The kernel that runs it, in its library's words; `reference` for the slow one in plain Swift.
  public let implementation: String
  public let operands: [Tensor]
  public let results: [Tensor]
  public let macs: Int

  /// Bytes that are read and written at least.
  public var bytes: Int {
    let written = results.reduce(0) { $0 + $1.bytes }
    // Of a slice's operand only the slice is read.
    let read = operands.reduce(0) { $0 + (name == "slice" ? min($1.bytes, written) : $1.bytes) }
    return read + written
  }

  init(_ step: Step, _ kernel: Kernel) {
    func tensor(_ operand: Operand) -> Tensor {
      Tensor(
        shape: operand.type.shape.extents, layout: operand.layout.description,
        bytes: operand.sizeInBytes)
    }
    path = step.path
    name = step.name
    implementation = kernel.implementation
    operands = step.operands.map(tensor)
    results = step.results.map(tensor)
    switch step.kind {
    case .op(let op):
      kind = op.kind
      attributes = (step.depthwise.map { .convolution($0.convolution) } ?? op).attributes
      macs = step.macs(of: op)
    case .elements:
      kind = .elementwise
      attributes = ""
      macs = 0
    case .reorder:
      kind = .reorder
      attributes = ""
      macs = 0
    }
  }
}

extension Step {
  /// The multiplications of its op, and of a depthwise convolution after that.
  fileprivate func macs(of op: Op) -> Int {
    let (types, results) = (operands.map(\.type), results.map(\.type))
    guard let depthwise else { return op.macs(types, results) }
    let (images, filters) = (types[0].shape, types[1].shape)
    let expanded = TensorType(types[0].dtype, [images[0], filters[0], images[2], images[3]])
    return op.macs(types, [expanded])
      + Op.convolution(depthwise.convolution).macs([expanded, types[depthwise.filter]], results)
  }
}

extension Op {
  fileprivate var kind: StepDescription.Kind {
    switch self {
    case .input, .constant, .iota: .source
    case .unary, .binary, .compare, .select, .convert, .activation, .activationGradient:
      .elementwise
    case .reshape, .transpose, .broadcast, .slice, .pad, .barrier: .arranging
    case .concatenate: .concatenation
    case .reduce, .argMax: .reduction
    case .dot: .dot
    case .convolution, .convolutionInputGradient, .convolutionFilterGradient: .convolution
    case .pool, .poolGradient: .pooling
    case .batchNorm, .batchNormTraining, .batchNormGradient, .activatedBatchNorm,
      .activatedBatchNormGradient, .localResponseNorm, .localResponseNormGradient:
      .normalization
    }
  }
}
