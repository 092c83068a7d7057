import ApusIR
import Foundation

extension BatchNorm {
  func evaluate(_ operands: [ReferenceTensor]) -> [Double] {
    let (x, scale, offset) = (operands[0], operands[1].values, operands[2].values)
    let (mean, variance) = (operands[3].values, operands[4].values)
    let (channels, inner) = (x.shape[1], x.shape.rowMajorStrides[1])
    return x.values.indices.map { index in
      let c = index / inner % channels
      return (x.values[index] - mean[c]) / (variance[c] + epsilon).squareRoot() * scale[c]
        + offset[c]
    }
  }
}

extension LocalResponseNorm {
  func evaluate(_ x: ReferenceTensor) -> [Double] {
    let (channels, inner) = (x.shape[1], x.shape.rowMajorStrides[1])
    return x.values.indices.map { index in
      let c = index / inner % channels
      let neighbours = max(c - size / 2, 0)...min(c + size / 2, channels - 1)
      let squares = neighbours.reduce(0.0) { sum, j in
        let neighbour = x.values[index + (j - c) * inner]
        return sum + neighbour * neighbour
      }
      return x.values[index] / pow(k + alpha / Double(size) * squares, beta)
    }
  }
}

extension LocalResponseNorm {
  func evaluateGradient(_ x: ReferenceTensor, _ gradient: ReferenceTensor) -> [Double] {
    let (channels, inner) = (x.shape[1], x.shape.rowMajorStrides[1])
    /// The sum over the channels around that of an index.
    func sum(_ values: [Double], around index: Int) -> Double {
      let c = index / inner % channels
      return (max(c - size / 2, 0)...min(c + size / 2, channels - 1)).reduce(0) {
        $0 + values[index + ($1 - c) * inner]
      }
    }
    let squares = x.values.map { $0 * $0 }
    let denominators = x.values.indices.map {
      k + alpha / Double(size) * sum(squares, around: $0)
    }
    let terms = x.values.indices.map {
      gradient.values[$0] * x.values[$0] * pow(denominators[$0], -beta - 1)
    }
    return x.values.indices.map { index in
      gradient.values[index] * pow(denominators[index], -beta)
        - 2 * alpha * beta / Double(size) * x.values[index] * sum(terms, around: index)
    }
  }
}

extension BatchNormTraining {
  func evaluate(_ operands: [ReferenceTensor]) -> [[Double]] {
    let (scale, offset) = (operands[1].values, operands[2].values)
    let (centred, mean, variance) = standardize(operands[0], epsilon)
    let y = operands[0].mapChannels { centred[$0] * scale[$1] + offset[$1] }
    return [y, mean, variance]
  }
}

extension BatchNormGradient {
  func evaluate(_ operands: [ReferenceTensor]) -> [[Double]] {
    let (x, scale, gradient) = (operands[0], operands[1].values, operands[4])
    let (mean, variance) = (operands[2].values, operands[3].values)
    let standardized = x.mapChannels {
      (x.values[$0] - mean[$1]) / (variance[$1] + epsilon).squareRoot()
    }
    return normGradients(gradient, standardized, factor: scale, variance, epsilon)
  }
}

extension ActivatedBatchNorm {
  func evaluate(_ operands: [ReferenceTensor]) -> [[Double]] {
    let (scale, offset) = (operands[1].values, operands[2].values)
    let (standardized, mean, variance) = standardize(operands[0], epsilon)
    let z = operands[0].mapChannels {
      standardized[$0] * (scale[$1].magnitude + epsilon) + offset[$1]
    }
    return [activation.map { z.map($0.callAsFunction) } ?? z, mean, variance]
  }

  func evaluateGradient(_ operands: [ReferenceTensor]) -> [[Double]] {
    let (y, scale, offset) = (operands[0], operands[1].values, operands[2].values)
    let (variance, gradient) = (operands[3].values, operands[4])
    let factor = scale.map { $0.magnitude + epsilon }
    let standardized = y.mapChannels { (inverse(y.values[$0]) - offset[$1]) / factor[$1] }
    let inner = activation.map { $0.evaluateGradient(y, gradient) } ?? gradient.values
    let gradients = normGradients(
      ReferenceTensor(TensorType(.float64, y.shape), rounding: inner), standardized,
      factor: factor, variance, epsilon)
    let signed = zip(gradients[1], scale).map { $1 < 0 ? -$0 : $0 }
    return [gradients[0], signed, gradients[2]]
  }

  /// What the activation made `y` of.
  private func inverse(_ y: Double) -> Double {
    switch activation {
    case .leakyRelu(let slope)?: y > 0 ? y : y / slope
    case .elu(let alpha)?: y > 0 ? y : log1p(y / alpha)
    default: y
    }
  }
}

/// `(x − mean) / √(variance + ε)`, and the mean and biased variance of each channel.
private func standardize(
  _ x: ReferenceTensor, _ epsilon: Double
) -> (standardized: [Double], mean: [Double], variance: [Double]) {
  let mean = x.means { index, _ in x.values[index] }
  let variance = x.means { (x.values[$0] - mean[$1]) * (x.values[$0] - mean[$1]) }
  let standardized = x.mapChannels {
    (x.values[$0] - mean[$1]) / (variance[$1] + epsilon).squareRoot()
  }
  return (standardized, mean, variance)
}

/// The gradients of x, factor and offset of `y = x̂ · factor + offset`.
private func normGradients(
  _ gradient: ReferenceTensor, _ standardized: [Double], factor: [Double], _ variance: [Double],
  _ epsilon: Double
) -> [[Double]] {
  let offsets = gradient.means { index, _ in gradient.values[index] }
  let factors = gradient.means { index, _ in gradient.values[index] * standardized[index] }
  let count = Double(gradient.values.count / offsets.count)
  let dx = gradient.mapChannels { index, c in
    factor[c] / (variance[c] + epsilon).squareRoot()
      * (gradient.values[index] - offsets[c] - standardized[index] * factors[c])
  }
  return [dx, factors.map { $0 * count }, offsets.map { $0 * count }]
}

extension ReferenceTensor {
  /// A function of each element's index and channel.
  fileprivate func mapChannels(_ function: (_ index: Int, _ channel: Int) -> Double) -> [Double] {
    let (channels, inner) = (shape[1], shape.rowMajorStrides[1])
    return values.indices.map { function($0, $0 / inner % channels) }
  }

  /// The mean of such a function over each channel.
  fileprivate func means(_ function: (_ index: Int, _ channel: Int) -> Double) -> [Double] {
    let (channels, inner) = (shape[1], shape.rowMajorStrides[1])
    var sums = Array(repeating: 0.0, count: channels)
    for index in values.indices {
      let channel = index / inner % channels
      sums[channel] += function(index, channel)
    }
    return sums.map { $0 * Double(channels) / Double(values.count) }
  }
}
