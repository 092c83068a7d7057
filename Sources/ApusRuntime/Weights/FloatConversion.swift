import ApusIR

extension HostTensor {
  /// The same numbers as `float32`, rounded to nearest even where they are wider.
  ///
  /// - Precondition: the elements are floating-point numbers.
  package func convertedToFloat32() -> HostTensor {
    precondition(dtype.isFloatingPoint)
    if dtype == .float32 { return self }
    let source = dtype
    return withUnsafeBytes { bytes in
      HostTensor(TensorType(.float32, shape)) { target in
        for index in 0..<shape.elementCount {
          let value: Float =
            switch source {
            case .float64:
              Float(bytes.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
            case .bfloat16:
              Float(
                bitPattern: UInt32(
                  bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)) << 16)
            default:
              Float(bytes.loadUnaligned(fromByteOffset: index * 2, as: Float16.self))
            }
          target.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
        }
      }
    }
  }
}
