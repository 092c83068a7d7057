import ApusIR

extension MXNetParams {
  /// Writes a list of dense arrays of version 2, as MXNet 1 does; it has no scalars.
  static func write(_ contents: [WeightFile.Content], to path: String) throws(WeightsError) {
    for content in contents where content.type.shape.rank == 0 {
      throw WeightsError(
        path: path,
        reason: .notWritable(
          tensor: content.name, type: content.type, format: .mxnetParams,
          remedy: "name the network (apus convert -m): its weights go without batch counters"))
    }
    var file = try WeightOutput(path: path)
    for number in [magic, 0, UInt64(contents.count)] { try file.write(integer: number) }
    for content in contents {
      try file.write(header(content.type))
      try file.write(try content.load())
    }
    try file.write(integer: UInt64(contents.count))
    for content in contents {
      try file.write(integer: UInt64(content.name.utf8.count))
      try file.write(Array(content.name.utf8))
    }
    try file.commit()
  }

  /// The version, dense storage, the shape, the first CPU, the type.
  private static func header(_ type: TensorType) -> [UInt8] {
    var bytes = Version.two.littleEndianBytes + Int32(0).littleEndianBytes
    bytes += UInt32(type.shape.rank).littleEndianBytes
    for extent in type.shape { bytes += Int64(extent).littleEndianBytes }
    for number in [1, 0, code(of: type.dtype)] { bytes += number.littleEndianBytes }
    return bytes
  }
}
