import ApusIR
import ApusTensor

extension Pool {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let images = call.operandTypes[0].shape
    return try call.linear { g in
      switch kind {
      case .max: try call.operand(0).maxPoolGradient(self, g)
      case .average: try g.averagePoolGradient(self, images: Size2D(images[2], images[3]))
      }
    }
  }
}

extension PoolGradient {
  /// That of an average is linear.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    readsImages ? try call.refuse() : try call.linear { try $0.pooled(pool) }
  }
}
