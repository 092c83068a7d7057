import ApusIR
import Glibc

/// A tensor's values in host memory: dense, row-major, immutable once made.
public struct HostTensor: Sendable {
  public let type: TensorType
  /// The memory the tensor lies in, shared with other tensors.
  public let storage: Storage
  /// Where in the storage the first element is.
  public let offsetInBytes: Int

  public var shape: Shape { type.shape }
  public var dtype: DType { type.dtype }

  /// Makes a tensor whose bytes `fill` writes; they are uninitialised before.
  public init<Failure: Error>(
    _ type: TensorType, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let storage = Storage(sizeInBytes: type.sizeInBytes)
    try fill(storage.bytes)
    self.init(type, storage: storage, offsetInBytes: 0)
  }

  /// A view into memory that `storage` keeps alive, for instance a mapped file.
  ///
  /// - Precondition: the bytes lie inside the storage and are aligned for the element type.
  public init(_ type: TensorType, storage: Storage, offsetInBytes: Int) {
    precondition(offsetInBytes >= 0 && offsetInBytes + type.sizeInBytes <= storage.bytes.count)
    self.type = type
    self.storage = storage
    self.offsetInBytes = offsetInBytes
  }

  /// Makes a `float32` tensor of the given values, row-major.
  public init(_ shape: Shape, _ values: [Float]) {
    self.init(TensorType(.float32, shape), values)
  }

  /// Makes a `float32` tensor in pages of its own, for what is large or lives long; `fill` writes
  /// its values, which are undefined before.
  init(pagesOf shape: Shape, fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
    let type = TensorType(.float32, shape)
    let storage = Storage(pagesFor: type.sizeInBytes)
    fill(storage.bytes.bindMemory(to: Float.self))
    self.init(type, storage: storage, offsetInBytes: 0)
  }

  /// Makes a tensor of values that have the element type's own layout (`Float` for `float32`, …).
  ///
  /// - Precondition: as many values as the shape has elements, each of the element type's size.
  public init<Element: BitwiseCopyable>(_ type: TensorType, _ values: [Element]) {
    precondition(
      values.count == type.elementCount && MemoryLayout<Element>.size == type.dtype.sizeInBytes)
    self.init(type) { bytes in
      values.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  /// Calls `body` with the tensor's bytes.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = UnsafeRawBufferPointer(
      rebasing: storage.bytes[offsetInBytes..<offsetInBytes + type.sizeInBytes])
    defer { withExtendedLifetime(storage) {} }
    return try body(bytes)
  }

  /// The values as an array of the element type's own Swift type.
  ///
  /// - Precondition: `Element` has the size of the element type.
  public func values<Element: BitwiseCopyable>(as element: Element.Type) -> [Element] {
    precondition(MemoryLayout<Element>.size == type.dtype.sizeInBytes)
    return withUnsafeBytes { bytes in
      Array(unsafeUninitializedCapacity: type.elementCount) { buffer, count in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        count = type.elementCount
      }
    }
  }

  /// The values of a `float32` tensor, row-major.
  public var floats: [Float] {
    precondition(dtype == .float32)
    return values(as: Float.self)
  }

  /// Whether the types and all bits are the same; unlike numbers, a NaN equals itself.
  public func isIdentical(to other: HostTensor) -> Bool {
    type == other.type
      && withUnsafeBytes { bytes in other.withUnsafeBytes { bytes.elementsEqual($0) } }
  }

  /// Gives the memory of what a file holds back to the system until it is read again.
  public func releasePages() {
    storage.releasePages(offsetInBytes..<offsetInBytes + type.sizeInBytes)
  }

  /// The same bytes seen with another shape of as many elements.
  public func reshaped(to shape: Shape) -> HostTensor {
    precondition(shape.elementCount == type.elementCount)
    return HostTensor(
      TensorType(dtype, shape), storage: storage, offsetInBytes: offsetInBytes)
  }
}

extension HostTensor {
  /// Memory that tensors share, released with the last of them.
  public final class Storage: @unchecked Sendable {
    public let bytes: UnsafeMutableRawBufferPointer
    private let release: (UnsafeMutableRawBufferPointer) -> Void
    /// Whether the bytes are a file's, so that the system can read them again.
    private let isFile: Bool

    /// Allocates memory aligned for vector instructions.
    public init(sizeInBytes: Int) {
      bytes = .allocate(byteCount: sizeInBytes, alignment: 64)
      release = { $0.deallocate() }
      isFile = false
    }

    /// Memory in pages of its own, where that is worth it: they go back to the system with the last
    /// tensor, whatever an allocator still keeps around them.
    public convenience init(pagesFor sizeInBytes: Int) {
      let mapping =
        sizeInBytes < Self.leastOfPages
        ? MAP_FAILED
        : mmap(nil, sizeInBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let mapping, mapping != MAP_FAILED else {
        self.init(sizeInBytes: sizeInBytes)
        return
      }
      let bytes = UnsafeMutableRawBufferPointer(start: mapping, count: sizeInBytes)
      self.init(adopting: bytes) { munmap($0.baseAddress, $0.count) }
    }

    private static var leastOfPages: Int { 1 << 16 }

    /// Adopts memory; `release` gives it back.
    public init(
      adopting bytes: UnsafeMutableRawBufferPointer,
      release: @escaping (UnsafeMutableRawBufferPointer) -> Void
    ) {
      self.bytes = bytes
      self.release = release
      isFile = false
    }

    /// Adopts a file that is mapped into memory and never written there.
    init(
      mappedFile bytes: UnsafeMutableRawBufferPointer,
      release: @escaping (UnsafeMutableRawBufferPointer) -> Void
    ) {
      self.bytes = bytes
      self.release = release
      isFile = true
    }

    deinit { release(bytes) }

    /// Gives the memory of a file's bytes back to the system until they are read again; other
    /// memory stays.
    public func releasePages(_ range: Range<Int>) {
      guard isFile, let base = bytes.baseAddress, !range.isEmpty else { return }
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let start = range.lowerBound / page * page
      madvise(base + start, range.upperBound - start, MADV_DONTNEED)
    }
  }
}
