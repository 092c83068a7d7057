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
