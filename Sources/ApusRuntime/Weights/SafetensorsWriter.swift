import ApusIR

extension WeightFile {
  /// Writes tensors as a safetensors file, which replaces one of that name only when complete.
  ///
  /// Tensors with wider elements come first, so that all are aligned, else in the given order.
  public static func writeSafetensors(
    _ tensors: [(name: String, tensor: HostTensor)], metadata: [String: String] = [:],
    to path: String
  ) throws(WeightsError) {
    do throws(WeightsError.Reason) {
      try Safetensors.write(tensors, metadata: metadata, to: path)
    } catch {
      throw WeightsError(path: path, reason: error)
    }
  }
}

extension Safetensors {
  fileprivate static func write(
    _ tensors: [(name: String, tensor: HostTensor)], metadata: [String: String], to path: String
  ) throws(WeightsError.Reason) {
    let ordered = tensors.enumerated().sorted {
      ($1.element.tensor.dtype.sizeInBytes, $0.offset)
        < ($0.element.tensor.dtype.sizeInBytes, $1.offset)
    }.map(\.element)
    let header = try header(ordered, metadata)
    do throws(FileError) {
      var file = try AtomicFile(path: path)
      try file.write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
      try file.write(header)
      for (_, tensor) in ordered {
        try tensor.withUnsafeBytes { (bytes) throws(FileError) in try file.write(bytes) }
      }
      try file.commit()
    } catch {
      throw .file(error)
    }
  }

  private static func header(
    _ tensors: [(name: String, tensor: HostTensor)], _ metadata: [String: String]
  ) throws(WeightsError.Reason) -> [UInt8] {
    var names: Set<String> = [metadataKey]
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      members.append("\(quoted(metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for (name, tensor) in tensors {
      guard names.insert(name).inserted else { throw .nameNotWritable(name) }
      let end = offset + tensor.type.sizeInBytes
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let dtype = Self.name(of: tensor.dtype)
      members.append(
        "\(quoted(name)):{\"dtype\":\"\(dtype)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = Array("{\(members.joined(separator: ","))}".utf8)
    // Spaces bring the first tensor to a multiple of 64 bytes.
    header += Array(repeating: UInt8(ascii: " "), count: 63 - (header.count + 8 + 63) % 64)
    guard header.count <= longestHeader else {
      throw .invalid(
        part: part, rule: "must have at most \(longestHeader) bytes", got: "\(header.count)")
    }
    return header
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
