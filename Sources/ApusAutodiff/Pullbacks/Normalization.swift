import ApusIR
import ApusTensor

extension BatchNorm {
  /// With given statistics the function is linear in x, scale and offset.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let type = call.operandTypes[0]
    guard let g = call.gradients[0] else { return call.operandTypes.map { _ in nil } }
    let summed = type.shape.indices.filter { $0 != 1 }
    func perChannel(_ vector: Tensor) throws -> Tensor {
      try vector.broadcast(to: type.shape, axes: [1])
    }
    let reciprocal = try rsqrt(call.operand(4) + epsilon)
    func alongX() throws -> Tensor {
      let centred = try call.operand(0) - perChannel(call.operand(3))
      return try (g * centred).reduced(.sum, axes: summed)
    }
    func sum() throws -> Tensor { try g.reduced(.sum, axes: summed) }
    return [
      try call.gradient(of: 0) { try g * perChannel(call.operand(1) * reciprocal) },
      try call.gradient(of: 1) { try alongX() * reciprocal },
      try call.gradient(of: 2, sum),
      try call.gradient(of: 3) { try -(sum() * call.operand(1) * reciprocal) },
      try call.gradient(of: 4) {
        let cube = try reciprocal * reciprocal * reciprocal
        return try alongX() * call.operand(1) * cube * -0.5
      },
    ]
  }
}

extension BatchNormTraining {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    var gradients: [Tensor?] = [nil, nil, nil]
    if let g = call.gradients[0] {
      gradients = try batchNormGradient(
        call.operand(0), scale: call.operand(1), mean: call.result(1), variance: call.result(2),
        gradient: g, epsilon: epsilon)
    }
    gradients[0] = try add(gradients[0], statisticsPullback(call))
    return gradients
  }
}

extension ActivatedBatchNorm {
  /// Reads the result, not x, unless the loss depends on the statistics themselves.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    var gradients: [Tensor?] = [nil, nil, nil]
    if let g = call.gradients[0] {
      gradients = try activatedBatchNormGradient(
        call.result(), scale: call.operand(1), offset: call.operand(2), variance: call.result(2),
        gradient: g, self)
    }
    gradients[0] = try add(gradients[0], statisticsPullback(call))
    return gradients
  }
}

extension LocalResponseNorm {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    try call.linear { try localResponseNormGradient(call.operand(0), $0, self) }
  }
}

/// What comes to x by the batch's mean and biased variance, results 1 and 2:
/// `dmean / m + dvariance · 2 · (x − mean) / m`.
private func statisticsPullback(_ call: PullbackCall) throws -> Tensor? {
  let type = call.operandTypes[0]
  let count = Double(type.elementCount / type.shape[1])
  func perChannel(_ vector: Tensor) throws -> Tensor {
    try vector.converted(to: type.dtype).broadcast(to: type.shape, axes: [1])
  }
  let byMean = try call.gradients[1].map { try perChannel($0 / count) }
  let byVariance = try call.gradients[2].map { g in
    try perChannel(g * (2 / count)) * (call.operand(0) - perChannel(call.result(1)))
  }
  return try add(byMean, byVariance)
}

private func add(_ a: Tensor?, _ b: Tensor?) throws -> Tensor? {
  guard let a, let b else { return a ?? b }
  return try a + b
}
