import ApusIR
import ApusTensor

/// The largest element of each window, as a layer.
public struct MaxPool2D: Layer {
  let kernel: Size2D
  let stride: Size2D
  let padding: WindowPadding
  let ceilMode: Bool

  public init(
    kernel: Int, stride: Int, padding: WindowPadding = 0, ceilMode: Bool = false
  ) {
    self.kernel = Size2D(kernel)
    self.stride = Size2D(stride)
    self.padding = padding
    self.ceilMode = ceilMode
  }

  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let image = x.rank == 4 ? Size2D(x.shape[2], x.shape[3]) : Size2D(1)
    return try x.pooled(
      Pool(
        .max, kernel: kernel, stride: stride,
        padding: padding.resolved(image, kernel: kernel, stride: stride), ceilMode: ceilMode))
  }
}
