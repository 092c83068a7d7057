import ApusIR

/// An element type as a weight file names it, whether or not tensors can have it here.
struct ElementType: Hashable, Sendable {
  let name: String
  let dtype: DType?
  let sizeInBits: Int

  init(_ dtype: DType) {
    name = dtype.rawValue
    self.dtype = dtype
    sizeInBits = dtype.sizeInBytes * 8
  }

  /// A type that is only listed.
  init(unsupported name: String, bits: Int) {
    self.name = name
    dtype = nil
    sizeInBits = bits
  }

  /// The bytes of that many elements, or `nil` where it is no whole number or overflows.
  func sizeInBytes(of count: Int) -> Int? {
    let (bits, overflow) = count.multipliedReportingOverflow(by: sizeInBits)
    return overflow || count < 0 || bits % 8 != 0 || bits / 8 > TensorType.largestSizeInBytes
      ? nil : bits / 8
  }
}
