import ApusIR

extension WeightFile {
  /// A tensor to be written, whose values are asked for when their turn comes.
  public struct Content: Sendable {
    public let name: String
    public let type: TensorType
    let values: @Sendable () throws(WeightsError) -> HostTensor

    /// A tensor in memory.
    public init(_ name: String, _ tensor: HostTensor) {
      self.name = name
      type = tensor.type
      values = { tensor }
    }

    /// A tensor that `values` makes; it has this type.
    public init(
      _ name: String, _ type: TensorType,
      values: @escaping @Sendable () throws(WeightsError) -> HostTensor
    ) {
      self.name = name
      self.type = type
      self.values = values
    }

    /// The same bytes under another shape of as many elements.
    public func reshaped(to shape: Shape) -> Content {
      precondition(shape.elementCount == type.elementCount)
      let content = self
      return Content(name, TensorType(type.dtype, shape)) { () throws(WeightsError) in
        try content.load().reshaped(to: shape)
      }
    }

    /// The values, whose type must be the one that was announced.
    public func load() throws(WeightsError) -> HostTensor {
      let tensor = try values()
      precondition(tensor.type == type, "\(name) has another type than announced")
      return tensor
    }
  }

  /// A tensor of this file under the same or another name, to be written to another one.
  ///
  /// - Throws: where there is no such tensor or its element type is not supported.
  public func content(
    _ name: String, as newName: String? = nil
  ) throws(WeightsError) -> Content {
    guard let entry = entry(named: name) else {
      throw WeightsError(path: path, reason: .noSuchTensor(name))
    }
    guard let type = entry.type else {
      throw WeightsError(
        path: path, reason: .unsupportedType(tensor: name, dtype: entry.dtypeName))
    }
    return Content(newName ?? name, type) { () throws(WeightsError) in
      try self.tensor(named: name)
    }
  }

  /// Writes tensors to a file, which replaces one of that name only when complete.
  ///
  /// One tensor at a time is in memory where its values are read from a file. Only safetensors
  /// holds `metadata`.
  ///
  /// - Throws: where a name occurs twice or the format cannot hold a tensor, before anything is
  ///   written.
  public static func write(
    _ contents: [Content], as format: Format, metadata: [String: String] = [:], to path: String
  ) throws(WeightsError) {
    var names: Set<String> = []
    for content in contents where !names.insert(content.name).inserted {
      throw WeightsError(path: path, reason: .nameNotWritable(content.name))
    }
    switch format {
    case .safetensors: try Safetensors.write(contents, metadata: metadata, to: path)
    case .torchZip: try TorchCheckpoint.write(contents, to: path)
    case .npz: try NumPyArchive.write(contents, to: path)
    case .mxnetParams: try MXNetParams.write(contents, to: path)
    case .torchLegacy:
      throw WeightsError(
        path: path,
        reason: .unsupported(
          part: "writing", feature: "\(format)", remedy: "write the zip format instead"))
    }
  }

  /// The same file with tensors under other names and other shapes of as many elements; those for
  /// which `change` is `nil` are left out.
  public func presented(_ change: (Entry) -> (name: String, shape: Shape)?) -> WeightFile {
    let presented = zip(tensors, entries).compactMap { tensor, entry in
      change(entry).map { name, shape in
        precondition(shape.elementCount == entry.shape.elementCount)
        var tensor = tensor
        tensor.name = name
        tensor.presentedShape = shape
        return tensor
      }
    }
    return WeightFile(
      path: path, format: format, metadata: metadata, file: file, tensors: presented)
  }
}

extension WeightFile.Format {
  /// The format that a file of this name is written in, or `nil` where its extension says none.
  public init?(extensionOf path: String) {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else { return nil }
    switch name[dot...].lowercased() {
    case ".safetensors": self = .safetensors
    case ".pth", ".pt": self = .torchZip
    case ".npz": self = .npz
    case ".params": self = .mxnetParams
    default: return nil
    }
  }
}
