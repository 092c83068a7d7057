extension NumPyArchive {
  /// Writes an archive as `numpy.savez` does; NumPy has no `bfloat16`.
  static func write(_ contents: [WeightFile.Content], to path: String) throws(WeightsError) {
    var headers: [[UInt8]] = []
    for content in contents {
      guard let header = NumPyFile.header(content.type) else {
        throw WeightsError(
          path: path,
          reason: .notWritable(
            tensor: content.name, type: content.type, format: .npz,
            remedy: "write .safetensors or .pth instead"))
      }
      headers.append(header)
    }
    var file = try ZipWriter(path: path)
    for (content, header) in zip(contents, headers) {
      try file.add(content.name + suffix, header, try content.load())
    }
    try file.commit()
  }
}
