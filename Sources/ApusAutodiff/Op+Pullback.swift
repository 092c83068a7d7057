import ApusIR
import ApusTensor

extension Op {
  /// The gradients of the operands from those of the results; `nil` where one has none or is not
  /// wanted.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    switch self {
    case .input, .constant, .iota: []
    case .unary(let unary): try unary.pullback(call)
    case .binary(let binary): try binary.pullback(call)
    case .compare: [nil, nil]
    case .select: try selectPullback(call)
    case .convert: try convertPullback(call)
    case .activation(let activation): try activation.pullback(call)
    case .activationGradient: try call.refuse()
    case .reshape: try reshapePullback(call)
    case .transpose(let transpose): try transpose.pullback(call)
    case .broadcast(let broadcast): try broadcast.pullback(call)
    case .slice(let slice): try slice.pullback(call)
    case .pad(let pad): try pad.pullback(call)
    case .concatenate(let concatenate): try concatenate.pullback(call)
    case .barrier: call.gradients
    case .reduce(let reduce): try reduce.pullback(call)
    case .argMax: [nil]
    case .dot(let dot): try dot.pullback(call)
    case .convolution(let convolution): try convolution.pullback(call)
    case .convolutionInputGradient(let gradient): try gradient.pullback(call)
    case .convolutionFilterGradient(let gradient): try gradient.pullback(call)
    case .pool(let pool): try pool.pullback(call)
    case .poolGradient(let gradient): try gradient.pullback(call)
    case .batchNorm(let norm): try norm.pullback(call)
    case .batchNormTraining(let norm): try norm.pullback(call)
    case .activatedBatchNorm(let norm): try norm.pullback(call)
    case .localResponseNorm(let norm): try norm.pullback(call)
    case .batchNormGradient, .activatedBatchNormGradient, .localResponseNormGradient:
      try call.refuse()
    }
  }
}
