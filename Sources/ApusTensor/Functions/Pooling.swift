import ApusIR

/// The largest element of each window.
public func maxPool(
  _ x: Tensor, kernel: Int, stride: Int, padding: Int = 0, ceilMode: Bool = false
) throws -> Tensor {
  try x.pooled(
    Pool(
      .max, kernel: Size2D(kernel), stride: Size2D(stride), padding: Padding2D(padding),
      ceilMode: ceilMode))
}

/// The mean of each window.
public func averagePool(
  _ x: Tensor, kernel: Int, stride: Int, padding: Int = 0, ceilMode: Bool = false,
  countsPadding: Bool = true
) throws -> Tensor {
  try x.pooled(
    Pool(
      .average(countsPadding: countsPadding), kernel: Size2D(kernel), stride: Size2D(stride),
      padding: Padding2D(padding), ceilMode: ceilMode))
}

/// The mean of each channel: `[n, c, h, w] → [n, c]`.
public func globalAveragePool(_ x: Tensor) throws -> Tensor { try x.mean(2, 3) }

/// Averages to a fixed size; window `i` covers `⌊i·h/H⌋ ..< ⌈(i+1)·h/H⌉`, as in PyTorch.
///
/// Sizes that divide the image's are one pooling; others are two matrix products.
public func adaptiveAveragePool(_ x: Tensor, to size: Size2D) throws -> Tensor {
  guard x.rank == 4, x.dtype.isFloatingPoint, size.height >= 1, size.width >= 1 else {
    return try x.pooled(Pool(.average(countsPadding: false), kernel: size, stride: size))
  }
  let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  if h % size.height == 0 && w % size.width == 0 {
    let kernel = Size2D(h / size.height, w / size.width)
    return try x.pooled(Pool(.average(countsPadding: false), kernel: kernel, stride: kernel))
  }
  func weights(_ from: Int, _ to: Int) throws -> Tensor {
    var values = [Double](repeating: 0, count: to * from)
    for i in 0..<to {
      let (start, end) = (i * from / to, ((i + 1) * from + to - 1) / to)
      for j in start..<end { values[i * from + j] = 1 / Double(end - start) }
    }
    let type = TensorType(x.dtype, [to, from])
    let matrix = try x.builder.append(.constant(Constant(type, values)), [])[0]
    return try matrix.broadcast(to: [n, c, to, from])
  }
  let rows = try dot(weights(h, size.height), x)  // [n, c, H, w]
  return try dot(rows, weights(w, size.width), transposesRight: true)  // [n, c, H, W]
}

extension Tensor {
  public func pooled(_ pool: Pool) throws -> Tensor { try Self.record(.pool(pool), self) }

  /// The gradient of a maximum's images, which this tensor is, from that of its result.
  package func maxPoolGradient(_ pool: Pool, _ gradient: Tensor) throws -> Tensor {
    let op = PoolGradient(pool, images: Size2D(shape[2], shape[3]))
    return try Self.record(.poolGradient(op), self, gradient)
  }

  /// The gradient of an average's images of a size, from that of its result, which this tensor is.
  package func averagePoolGradient(_ pool: Pool, images: Size2D) throws -> Tensor {
    try Self.record(.poolGradient(PoolGradient(pool, images: images)), self)
  }
}
