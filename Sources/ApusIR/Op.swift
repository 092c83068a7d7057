/// One operation of a graph: a closed list, so that the compiler names every place that must know
/// a new one.
///
/// No op broadcasts implicitly; images are `[n, c, h, w]` and filters `[o, c, h, w]`.
public enum Op: Hashable, Sendable {
  // Source
  case input(Input)
  case constant(Constant)
  case iota(Iota)
  // Elementwise
  case unary(Unary)
  case binary(Binary)
  case compare(Comparison)
  case select
  case convert(DType)
  // Activation
  case activation(Activation)
  case activationGradient(Activation)
  // Arranging
  case reshape(Shape)
  case transpose(Transpose)
  case broadcast(Broadcast)
  case slice(Slice)
  case pad(Pad)
  case concatenate(Concatenate)
  case barrier
  // Reduction
  case reduce(Reduce)
  case argMax(ArgMax)
  // Contraction
  case dot(Dot)
  // Convolution
  case convolution(Convolution)
  case convolutionInputGradient(ConvolutionInputGradient)
  case convolutionFilterGradient(ConvolutionFilterGradient)
  // Pooling
  case pool(Pool)
  case poolGradient(PoolGradient)
  // Normalization
  case batchNorm(BatchNorm)
  case batchNormTraining(BatchNormTraining)
  case batchNormGradient(BatchNormGradient)
  case activatedBatchNorm(ActivatedBatchNorm)
  case activatedBatchNormGradient(ActivatedBatchNorm)
  case localResponseNorm(LocalResponseNorm)
  case localResponseNormGradient(LocalResponseNorm)
}

extension Op {
  /// The op's name in printed graphs and messages.
  public var name: String {
    switch self {
    case .input: "input"
    case .constant: "constant"
    case .iota: "iota"
    case .unary(let unary): unary.rawValue
    case .binary(let binary): binary.rawValue
    case .compare: "compare"
    case .select: "select"
    case .convert: "convert"
    case .activation(let activation): activation.name
    case .activationGradient(let activation): activation.name + "Gradient"
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .broadcast: "broadcast"
    case .slice: "slice"
    case .pad: "pad"
    case .concatenate: "concatenate"
    case .barrier: "barrier"
    case .reduce(let reduce): reduce.kind.rawValue
    case .argMax: "argMax"
    case .dot: "dot"
    case .convolution: "convolution"
    case .convolutionInputGradient: "convolutionInputGradient"
    case .convolutionFilterGradient: "convolutionFilterGradient"
    case .pool(let pool): pool.kind.name
    case .poolGradient(let gradient): gradient.pool.kind.name + "Gradient"
    case .batchNorm: "batchNorm"
    case .batchNormTraining: "batchNormTraining"
    case .batchNormGradient: "batchNormGradient"
    case .activatedBatchNorm: "activatedBatchNorm"
    case .activatedBatchNormGradient: "activatedBatchNormGradient"
    case .localResponseNorm: "localResponseNorm"
    case .localResponseNormGradient: "localResponseNormGradient"
    }
  }

  /// The types of the op's results on operands of the given types.
  ///
  /// - Throws: the first constraint of the op that does not hold; `C0` for a wrong number of
  ///   operands and for results beyond ``TensorType/largestSizeInBytes``.
  public func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    let types = try inferredTypes(operands)
    for type in types { try requireSize(type, "C0") }
    return types
  }

  private func inferredTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    switch self {
    case .input(let input): try input.resultTypes(operands)
    case .constant(let constant): try constant.resultTypes(operands)
    case .iota(let iota): try iota.resultTypes(operands)
    case .unary(let unary): try unary.resultTypes(operands)
    case .binary(let binary): try binary.resultTypes(operands)
    case .compare(let comparison): try comparison.resultTypes(operands)
    case .select: try Select.resultTypes(operands)
    case .convert(let dtype): try Convert.resultTypes(operands, to: dtype)
    case .activation(let activation): try activation.resultTypes(operands)
    case .activationGradient: try ActivationGradient.resultTypes(operands)
    case .reshape(let shape): try Reshape.resultTypes(operands, to: shape)
    case .transpose(let transpose): try transpose.resultTypes(operands)
    case .broadcast(let broadcast): try broadcast.resultTypes(operands)
    case .slice(let slice): try slice.resultTypes(operands)
    case .pad(let pad): try pad.resultTypes(operands)
    case .concatenate(let concatenate): try concatenate.resultTypes(operands)
    case .barrier: try Barrier.resultTypes(operands)
    case .reduce(let reduce): try reduce.resultTypes(operands)
    case .argMax(let argMax): try argMax.resultTypes(operands)
    case .dot(let dot): try dot.resultTypes(operands)
    case .convolution(let convolution): try convolution.resultTypes(operands)
    case .convolutionInputGradient(let gradient): try gradient.resultTypes(operands)
    case .convolutionFilterGradient(let gradient): try gradient.resultTypes(operands)
    case .pool(let pool): try pool.resultTypes(operands)
    case .poolGradient(let gradient): try gradient.resultTypes(operands)
    case .batchNorm(let norm): try norm.resultTypes(operands)
    case .batchNormTraining(let norm): try norm.resultTypes(operands)
    case .batchNormGradient(let gradient): try gradient.resultTypes(operands)
    case .activatedBatchNorm(let norm): try norm.resultTypes(operands)
    case .activatedBatchNormGradient(let norm):
      try ActivatedBatchNormGradient.resultTypes(operands, norm)
    case .localResponseNorm(let norm): try norm.resultTypes(operands)
    case .localResponseNormGradient(let norm):
      try LocalResponseNormGradient.resultTypes(operands, norm)
    }
  }

  /// The attributes as a printed graph shows them after the operands; empty without any.
  public var attributes: String {
    switch self {
    case .input(let input): input.attributes
    case .constant(let constant): constant.attributes
    case .iota(let iota): iota.attributes
    case .unary, .binary, .select, .barrier: ""
    case .compare(let comparison): comparison.rawValue
    case .convert(let dtype): dtype.rawValue
    case .activation(let activation), .activationGradient(let activation): activation.attributes
    case .reshape(let shape): shape.description
    case .transpose(let transpose): transpose.attributes
    case .broadcast(let broadcast): broadcast.attributes
    case .slice(let slice): slice.attributes
    case .pad(let pad): pad.attributes
    case .concatenate(let concatenate): concatenate.attributes
    case .reduce(let reduce): reduce.attributes
    case .argMax(let argMax): argMax.attributes
    case .dot(let dot): dot.attributes
    case .convolution(let convolution): convolution.attributes
    case .convolutionInputGradient(let gradient): gradient.attributes
    case .convolutionFilterGradient(let gradient): gradient.attributes
    case .pool(let pool): pool.attributes
    case .poolGradient(let gradient): gradient.attributes
    case .batchNorm(let norm): norm.attributes
    case .batchNormTraining(let norm): norm.attributes
    case .batchNormGradient(let gradient): gradient.attributes
    case .activatedBatchNorm(let norm), .activatedBatchNormGradient(let norm): norm.attributes
    case .localResponseNorm(let norm), .localResponseNormGradient(let norm): norm.attributes
    }
  }
}
