import ApusIR

extension Op {
  /// Writes the op and returns its results.
  func emit(
    _ operands: [Emitted], _ types: [TensorType], into function: inout Function
  ) -> [Emitted] {
    switch self {
    case .input: [function.input()]
    case .constant(let constant): [function.define(constant)]
    case .iota(let iota): [function.define(iota)]
    case .unary(let unary): [function.map(operands, types[0], unary.emit)]
    case .binary(let binary): [function.map(operands, types[0], binary.emit)]
    case .compare(let comparison): [function.map(operands, types[0], comparison.emit)]
    case .select: [function.map(operands, types[0], emitSelect)]
    case .convert(let dtype): [function.map(operands, types[0], dtype.emitConvert)]
    case .activation(let activation): [function.map(operands, types[0], activation.emit)]
    case .activationGradient(let activation):
      [function.map(operands, types[0], activation.emitGradient)]
    case .reshape(let shape): [emitReshape(operands[0], to: shape, into: &function)]
    case .transpose(let transpose):
      [function.relabel(operands[0], transpose.permutation, types[0])]
    case .broadcast(let broadcast): [function.define(broadcast, of: operands[0])]
    case .slice(let slice): [slice.emit(operands[0], types[0], into: &function)]
    case .pad(let pad): [pad.emit(operands[0], types[0], into: &function)]
    case .concatenate(let concatenate):
      [concatenate.emit(operands, types[0], into: &function)]
    case .barrier: emitBarrier(operands, into: &function)
    case .reduce(let reduce): [reduce.emit(operands[0], types[0], into: &function)]
    case .argMax(let argMax): [argMax.emit(operands[0], types[0], into: &function)]
    case .dot(let dot): [dot.emit(operands[0], operands[1], types[0], into: &function)]
    case .convolution(let convolution):
      [convolution.emit(operands, types[0], into: &function)]
    case .convolutionInputGradient(let gradient):
      [gradient.emit(operands, types[0], into: &function)]
    case .convolutionFilterGradient(let gradient):
      [gradient.emit(operands, types[0], into: &function)]
    case .pool(let pool): [pool.emit(operands[0], types[0], into: &function)]
    case .poolGradient(let gradient): [gradient.emit(operands, types[0], into: &function)]
    case .batchNorm(let norm): [norm.emit(operands, types[0], into: &function)]
    case .batchNormTraining(let norm): norm.emit(operands, types, into: &function)
    case .batchNormGradient(let gradient): gradient.emit(operands, types, into: &function)
    case .activatedBatchNorm(let norm): norm.emit(operands, types, into: &function)
    case .activatedBatchNormGradient(let norm):
      norm.emitGradient(operands, types, into: &function)
    case .localResponseNorm(let norm): [norm.emit(operands[0], types[0], into: &function)]
    case .localResponseNormGradient(let norm):
      [norm.emitGradient(operands, types[0], into: &function)]
    }
  }
}
