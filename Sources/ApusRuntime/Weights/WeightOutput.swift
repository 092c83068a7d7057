/// A weight file while it is written: little-endian, front to back, complete or not at all.
struct WeightOutput: ~Copyable {
  private var file: AtomicFile
  private let path: String
  /// How many bytes were written.
  private(set) var count: UInt64 = 0

  init(path: String) throws(WeightsError) {
    self.path = path
    do throws(FileError) {
      file = try AtomicFile(path: path)
    } catch {
      throw WeightsError(path: path, reason: .file(error))
    }
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(WeightsError) {
    do throws(FileError) {
      try file.write(bytes)
      count += UInt64(bytes.count)
    } catch {
      throw WeightsError(path: path, reason: .file(error))
    }
  }

  mutating func write(_ bytes: [UInt8]) throws(WeightsError) {
    do throws(FileError) {
      try file.write(bytes)
      count += UInt64(bytes.count)
    } catch {
      throw WeightsError(path: path, reason: .file(error))
    }
  }

  mutating func write(integer: some FixedWidthInteger & BitwiseCopyable) throws(WeightsError) {
    try write(integer.littleEndianBytes)
  }

  mutating func write(_ tensor: HostTensor) throws(WeightsError) {
    try tensor.withUnsafeBytes { (bytes) throws(WeightsError) in try write(bytes) }
  }

  consuming func commit() throws(WeightsError) {
    let path = path
    do throws(FileError) {
      try file.commit()
    } catch {
      throw WeightsError(path: path, reason: .file(error))
    }
  }
}

extension FixedWidthInteger where Self: BitwiseCopyable {
  var littleEndianBytes: [UInt8] { Swift.withUnsafeBytes(of: littleEndian) { Array($0) } }
}
