import ApusIR
import ApusTensor

extension Activation {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    try call.linear { g in
      switch gradientReads {
      case .input: try call.operand(0).activationGradient(self, g)
      case .output: try call.result().activationGradient(self, g)
      }
    }
  }
}
