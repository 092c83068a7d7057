import ApusIR
import ApusRuntime

extension Op {
  /// What the op means: its results on the given operands, computed in `Double` and rounded to the
  /// element types of the results.
  ///
  /// An input yields the value it is given as its only operand.
  ///
  /// - Precondition: `resultTypes` is what the op infers from the operands' types.
  public func evaluate(
    _ operands: [ReferenceTensor], resultTypes: [TensorType]
  ) -> [ReferenceTensor] {
    let results = evaluate(operands, resultTypes[0])
    return zip(resultTypes, results).map { ReferenceTensor($0, rounding: $1) }
  }

  private func evaluate(_ operands: [ReferenceTensor], _ type: TensorType) -> [[Double]] {
    switch self {
    case .input: operands.map(\.values)
    case .constant(let constant): [constant.evaluate()]
    case .iota(let iota): [iota.evaluate()]
    case .unary(let unary): [unary.evaluate(operands[0])]
    case .binary(let binary): [binary.evaluate(operands[0], operands[1])]
    case .compare(let comparison): [comparison.evaluate(operands[0], operands[1])]
    case .select: [evaluateSelect(operands[0], operands[1], operands[2])]
    case .convert: [operands[0].values]
    case .activation(let activation): [activation.evaluate(operands[0])]
    case .activationGradient(let activation):
      [activation.evaluateGradient(operands[0], operands[1])]
    case .reshape: [operands[0].values]
    case .transpose(let transpose): [transpose.evaluate(operands[0], type)]
    case .broadcast(let broadcast): [broadcast.evaluate(operands[0], type)]
    case .slice(let slice): [slice.evaluate(operands[0], type)]
    case .pad(let pad): [pad.evaluate(operands[0], type)]
    case .concatenate(let concatenate): [concatenate.evaluate(operands)]
    case .barrier: operands.map(\.values)
    case .reduce(let reduce): [reduce.evaluate(operands[0])]
    case .argMax(let argMax): [argMax.evaluate(operands[0])]
    case .dot(let dot): [dot.evaluate(operands[0], operands[1], type)]
    case .convolution(let convolution): [convolution.evaluate(operands, type)]
    case .convolutionInputGradient(let gradient):
      [gradient.evaluate(operands[0], operands[1], type)]
    case .convolutionFilterGradient(let gradient):
      [gradient.evaluate(operands[0], operands[1], type)]
    case .pool(let pool): [pool.evaluate(operands[0], type)]
    case .poolGradient(let gradient): [gradient.evaluate(operands, type)]
    case .batchNorm(let norm): [norm.evaluate(operands)]
    case .batchNormTraining(let norm): norm.evaluate(operands)
    case .batchNormGradient(let gradient): gradient.evaluate(operands)
    case .activatedBatchNorm(let norm): norm.evaluate(operands)
    case .activatedBatchNormGradient(let norm): norm.evaluateGradient(operands)
    case .localResponseNorm(let norm): [norm.evaluate(operands[0])]
    case .localResponseNormGradient(let norm):
      [norm.evaluateGradient(operands[0], operands[1])]
    }
  }
}

/// Evaluates one op on tensors in host memory, as ``Op/evaluate(_:resultTypes:)`` does.
///
/// - Precondition: `resultTypes` is what the op infers from the operands' types.
public func evaluate(
  _ op: Op, _ operands: [HostTensor], _ resultTypes: [TensorType]
) -> [HostTensor] {
  op.evaluate(operands.map { ReferenceTensor($0) }, resultTypes: resultTypes)
    .map { HostTensor($0) }
}
