import ApusIR

extension Dot {
  func evaluate(
    _ left: ReferenceTensor, _ right: ReferenceTensor, _ result: TensorType
  ) -> [Double] {
    let (m, k, n) = extents(left.shape, right.shape)
    let (a, b) = (left.values, right.values)
    let (rowStride, leftStride) = transposesLeft ? (1, m) : (k, 1)
    let (columnStride, rightStride) = transposesRight ? (k, 1) : (1, n)
    var values: [Double] = []
    values.reserveCapacity(result.elementCount)
    for batch in 0..<a.count / (m * k) {
      for i in 0..<m {
        for j in 0..<n {
          let leftStart = batch * m * k + i * rowStride
          let rightStart = batch * k * n + j * columnStride
          var sum = 0.0
          for l in 0..<k { sum += a[leftStart + l * leftStride] * b[rightStart + l * rightStride] }
          values.append(sum)
        }
      }
    }
    return values
  }
}
