import ApusIR

extension HostTensor {
  /// The values in another element type, each rounded to the nearest number there is.
  public func converted(to dtype: DType) -> HostTensor {
    if dtype == self.dtype { return self }
    let type = TensorType(dtype, shape)
    switch (self.dtype, dtype) {
    case (.float32, .bfloat16): return mapped(type) { (x: Float) in x.roundedToBFloat16 }
    case (.float32, .float16): return mapped(type) { (x: Float) in Float16(x) }
    default: return HostTensor(type, rounding: doubles)
    }
  }

  private func mapped<Source: BitwiseCopyable, Target: BitwiseCopyable>(
    _ type: TensorType, _ body: (Source) -> Target
  ) -> HostTensor {
    HostTensor(type) { target in
      withUnsafeBytes { source in
        let targets = target.bindMemory(to: Target.self)
        for (index, value) in source.bindMemory(to: Source.self).enumerated() {
          targets[index] = body(value)
        }
      }
    }
  }
}

extension Float {
  /// The upper half of the bits, rounded to nearest with ties to even; NaN stays NaN.
  fileprivate var roundedToBFloat16: UInt16 {
    if isNaN { return UInt16(bitPattern >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bitPattern + 0x7FFF + (bitPattern >> 16 & 1)) >> 16)
  }
}
