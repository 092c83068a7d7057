import ApusIR

extension WeightFile {
  /// Writes tensors as a safetensors file, which replaces one of that name only when complete.
  ///
  /// Tensors with wider elements come first, so that all are aligned, else in the given order.
  public static func writeSafetensors(
    _ tensors: [(name: String, tensor: HostTensor)], metadata: [String: String] = [:],
    to path: String
  ) throws(WeightsError) {
    try write(
      tensors.map { Content($0.name, $0.tensor) }, as: .safetensors, metadata: metadata, to: path)
  }
}

extension Safetensors {
  static func write(
    _ contents: [WeightFile.Content], metadata: [String: String], to path: String
  ) throws(WeightsError) {
    let ordered = contents.enumerated().sorted {
      ($1.element.type.dtype.sizeInBytes, $0.offset)
        < ($0.element.type.dtype.sizeInBytes, $1.offset)
    }.map(\.element)
    let header: [UInt8]
    do throws(WeightsError.Reason) {
      header = try Self.header(ordered, metadata)
    } catch {
      throw WeightsError(path: path, reason: error)
    }
    var file = try WeightOutput(path: path)
    try file.write(integer: UInt64(header.count))
    try file.write(header)
    for content in ordered { try file.write(try content.load()) }
    try file.commit()
  }

  private static func header(
    _ contents: [WeightFile.Content], _ metadata: [String: String]
  ) throws(WeightsError.Reason) -> [UInt8] {
    var names: Set<String> = [metadataKey]
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      members.append("\(quoted(metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for content in contents {
      let (name, type) = (content.name, content.type)
      guard names.insert(name).inserted else { throw .nameNotWritable(name) }
      let end = offset + type.sizeInBytes
      let shape = type.shape.map(String.init).joined(separator: ",")
      let dtype = Self.name(of: type.dtype)
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
