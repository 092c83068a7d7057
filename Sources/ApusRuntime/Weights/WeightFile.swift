import ApusIR

/// An opened file of weights: safetensors, a PyTorch state dict in either of its formats, NumPy's
/// `.npz`, or MXNet's `.params`.
///
/// Opening maps the file and reads its directory; a tensor's bytes are read when it is used. The
/// file must not be cut short by others meanwhile.
public struct WeightFile: Sendable {
  /// How a file is laid out, as its content (not its name) says.
  public enum Format: String, Sendable, CustomStringConvertible {
    case safetensors = "safetensors"
    case torchZip = "PyTorch zip"
    case torchLegacy = "PyTorch legacy"
    case npz = "NumPy npz"
    case mxnetParams = "MXNet params"

    public var description: String { rawValue }
  }

  /// A tensor's name and type.
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let shape: Shape
    /// What the element type is called, whether supported or not.
    public let dtypeName: String
    /// The tensor's type, or `nil` where the element type is not supported.
    public let type: TensorType?
    /// Of the dense tensor; views that share a storage count each.
    public let sizeInBytes: Int
  }

  public let path: String
  public let format: Format

  /// Texts that whoever wrote a safetensors file added; empty in the other formats.
  public let metadata: [String: String]

  /// In the order of the file.
  public let entries: [Entry]

  let file: MappedFile
  let tensors: [StoredTensor]
  private let positions: [String: Int]

  /// Opens the file at `path`.
  public init(path: String) throws(WeightsError) {
    do throws(WeightsError.Reason) {
      try self.init(MappedFile(path: path), path: path)
    } catch {
      throw WeightsError(path: path, reason: error)
    }
  }

  /// Reads bytes as if they were a file's.
  package init(contents: [UInt8], path: String) throws(WeightsError) {
    do throws(WeightsError.Reason) {
      try self.init(MappedFile(contents: contents), path: path)
    } catch {
      throw WeightsError(path: path, reason: error)
    }
  }

  private init(_ file: MappedFile, path: String) throws(WeightsError.Reason) {
    let format = try Self.format(of: file)
    var metadata: [String: String] = [:]
    let tensors: [StoredTensor]
    switch format {
    case .safetensors:
      let contents = try Safetensors.read(file)
      (metadata, tensors) = (contents.metadata, contents.tensors)
    case .torchLegacy: tensors = try TorchCheckpoint.readLegacy(file)
    case .mxnetParams: tensors = try MXNetParams.read(file)
    case .torchZip, .npz:
      let archive = try ZipArchive(file)
      if format == .npz || NumPyArchive.isArchive(archive) {
        self.init(
          path: path, format: .npz, metadata: [:], file: file,
          tensors: try NumPyArchive.read(archive, in: file))
        return
      }
      tensors = try TorchCheckpoint.readZip(archive, in: file)
    }
    self.init(path: path, format: format, metadata: metadata, file: file, tensors: tensors)
  }

  init(
    path: String, format: Format, metadata: [String: String], file: MappedFile,
    tensors: [StoredTensor]
  ) {
    self.path = path
    self.format = format
    self.metadata = metadata
    self.file = file
    self.tensors = tensors
    entries = tensors.map {
      let shape = $0.presentedShape ?? $0.shape
      return Entry(
        name: $0.name, shape: shape, dtypeName: $0.element.name,
        type: $0.element.dtype.map { TensorType($0, shape) }, sizeInBytes: $0.sizeInBytes)
    }
    positions = Dictionary(zip(tensors.map(\.name), tensors.indices)) { first, _ in first }
  }

  /// What is known of the tensor with this name.
  public func entry(named name: String) -> Entry? { positions[name].map { entries[$0] } }

  /// The values of the tensor with this name.
  public func tensor(named name: String) throws(WeightsError) -> HostTensor {
    guard let position = positions[name] else {
      throw WeightsError(path: path, reason: .noSuchTensor(name))
    }
    do throws(WeightsError.Reason) {
      return try tensors[position].materialize(from: file)
    } catch {
      throw WeightsError(path: path, reason: error)
    }
  }

  private static func format(of file: MappedFile) throws(WeightsError.Reason) -> Format {
    let start = file.storage.bytes.prefix(1024)
    // What the archive holds tells PyTorch's from NumPy's; one without entries has only its end.
    if start.starts(with: "PK\u{3}\u{4}".utf8) { return .torchZip }
    if start.starts(with: "PK\u{5}\u{6}".utf8) { return .npz }
    if MXNetParams.isList(file) { return .mxnetParams }
    if file.count > 8, start[8] == UInt8(ascii: "{") { return .safetensors }
    if TorchCheckpoint.isLegacy(file) { return .torchLegacy }
    throw .unrecognized(lookalike(start))
  }

  private static func lookalike(
    _ start: Swift.Slice<UnsafeMutableRawBufferPointer>
  ) -> WeightsError.Lookalike {
    if start.isEmpty { return .empty }
    if start.starts(with: [0x93] + "NUMPY".utf8) { return .numPy }
    if start[0] == 0x80 && (start.count < 2 || start[1] <= 5) { return .pickle }
    if start.starts(with: "version https://git-lfs".utf8) { return .gitLFSPointer }
    let text = start.map { Character(Unicode.Scalar($0)) }
    if start.first(where: { $0 < 9 || $0 > 126 }) != nil { return .unknown }
    let isMarkup = text.first { !$0.isWhitespace } == "<"
    return isMarkup ? .html : .text
  }
}
