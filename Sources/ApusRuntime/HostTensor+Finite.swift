import ApusIR

extension HostTensor {
  /// The row-major index of the first element that is NaN or infinite; `nil` without any, and for
  /// element types other than `float32`.
  public var firstNonFinite: Int? {
    guard dtype == .float32 else { return nil }
    return withUnsafeBytes { bytes in
      let words = bytes.bindMemory(to: UInt32.self)
      // A flag vectorises, unlike a search; only a bad tensor is searched.
      var bad: UInt32 = 0
      for word in words { bad |= word & 0x7f80_0000 == 0x7f80_0000 ? 1 : 0 }
      guard bad != 0 else { return nil }
      return words.firstIndex { $0 & 0x7f80_0000 == 0x7f80_0000 }
    }
  }
}
