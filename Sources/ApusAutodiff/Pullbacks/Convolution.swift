import ApusIR
import ApusTensor

extension Convolution {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let types = call.operandTypes
    guard let g = call.gradients[0] else { return types.map { _ in nil } }
    let (images, filters) = (types[0].shape, types[1].shape)
    let gradients = [
      try call.gradient(of: 0) {
        try convolutionInputGradient(
          g, call.operand(1), self, images: Size2D(images[2], images[3]))
      },
      try call.gradient(of: 1) {
        try convolutionFilterGradient(
          call.operand(0), g, self, kernel: Size2D(filters[2], filters[3]))
      },
    ]
    return types.count == 2
      ? gradients : gradients + [try call.gradient(of: 2) { try g.sum(0, 2, 3) }]
  }
}

// Gradients of a convolution are linear in both operands too.
extension ConvolutionInputGradient {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    guard let g = call.gradients[0] else { return [nil, nil] }
    let filters = call.operandTypes[1].shape
    return [
      try call.gradient(of: 0) { try ApusTensor.convolution(g, call.operand(1), convolution) },
      try call.gradient(of: 1) {
        try convolutionFilterGradient(
          g, call.operand(0), convolution, kernel: Size2D(filters[2], filters[3]))
      },
    ]
  }
}

extension ConvolutionFilterGradient {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    guard let g = call.gradients[0] else { return [nil, nil] }
    let images = call.operandTypes[0].shape
    return [
      try call.gradient(of: 0) {
        try convolutionInputGradient(
          call.operand(1), g, convolution, images: Size2D(images[2], images[3]))
      },
      try call.gradient(of: 1) { try ApusTensor.convolution(call.operand(0), g, convolution) },
    ]
  }
}
