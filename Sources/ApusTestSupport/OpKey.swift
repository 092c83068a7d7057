import ApusIR

/// The kinds of op that the table must have a row for: adding one to ``Op`` breaks the switch here.
public enum OpKey: Hashable, Sendable, CaseIterable {
  case input, constant, iota
  case unary, binary, compare, select, convert
  case relu, relu6, leakyRelu, elu, sigmoid, tanh, hardSigmoid, swish, hardSwish, mish
  case activationGradient
  case reshape, transpose, broadcast, slice, pad, concatenate, barrier
  case reduce, argMax
  case dot
  case convolution, convolutionInputGradient, convolutionFilterGradient
  case maxPool, averagePool, maxPoolGradient, averagePoolGradient
  case batchNorm, batchNormTraining, batchNormGradient
  case activatedBatchNorm, activatedBatchNormGradient
  case localResponseNorm, localResponseNormGradient

  public init(_ op: Op) {
    switch op {
    case .input: self = .input
    case .constant: self = .constant
    case .iota: self = .iota
    case .unary: self = .unary
    case .binary: self = .binary
    case .compare: self = .compare
    case .select: self = .select
    case .convert: self = .convert
    case .activation(let activation): self.init(activation)
    case .activationGradient: self = .activationGradient
    case .reshape: self = .reshape
    case .transpose: self = .transpose
    case .broadcast: self = .broadcast
    case .slice: self = .slice
    case .pad: self = .pad
    case .concatenate: self = .concatenate
    case .barrier: self = .barrier
    case .reduce: self = .reduce
    case .argMax: self = .argMax
    case .dot: self = .dot
    case .convolution: self = .convolution
    case .convolutionInputGradient: self = .convolutionInputGradient
    case .convolutionFilterGradient: self = .convolutionFilterGradient
    case .pool(let pool): self = pool.kind == .max ? .maxPool : .averagePool
    case .poolGradient(let gradient):
      self = gradient.pool.kind == .max ? .maxPoolGradient : .averagePoolGradient
    case .batchNorm: self = .batchNorm
    case .batchNormTraining: self = .batchNormTraining
    case .batchNormGradient: self = .batchNormGradient
    case .activatedBatchNorm: self = .activatedBatchNorm
    case .activatedBatchNormGradient: self = .activatedBatchNormGradient
    case .localResponseNorm: self = .localResponseNorm
    case .localResponseNormGradient: self = .localResponseNormGradient
    }
  }

  private init(_ activation: Activation) {
    switch activation {
    case .relu: self = .relu
    case .relu6: self = .relu6
    case .leakyRelu: self = .leakyRelu
    case .elu: self = .elu
    case .sigmoid: self = .sigmoid
    case .tanh: self = .tanh
    case .hardSigmoid: self = .hardSigmoid
    case .swish: self = .swish
    case .hardSwish: self = .hardSwish
    case .mish: self = .mish
    }
  }
}
