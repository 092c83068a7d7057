import ApusIR

/// The two formats of `torch.save`: a zip archive, and the bare pickles before it.
///
/// Source: torch/serialization.py, `_save`, `_legacy_save` and their counterparts.
enum TorchCheckpoint {
  /// The first pickle of the bare format: the number 0x1950a86a20f9469cfc6c.
  private static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  // MARK: - Zip

  private static let remedy =
    "torch.save stores entries uncompressed; do not pack the file again"

  static func readZip(
    _ archive: ZipArchive, in file: MappedFile
  ) throws(WeightsError.Reason) -> [StoredTensor] {
    let folder = archive.entries.first.map { $0.name.prefix { $0 != "/" } } ?? ""
    let names = archive.entries.lazy.map(\.name)
    if names.contains(where: { $0 == "\(folder)/constants.pkl" || $0.hasPrefix("\(folder)/code/") })
    {
      throw .torchScript
    }
    guard let pickle = try archive.range(of: "\(folder)/data.pkl", remedy: remedy) else {
      throw .noStateDict(found: "a zip archive without \(folder)/data.pkl")
    }
    if let range = try archive.range(of: "\(folder)/byteorder", remedy: remedy) {
      let order = try file.bytes(at: range.lowerBound, count: range.count, part: "byteorder")
      guard order.elementsEqual("little".utf8) else { throw bigEndian }
    }
    var machine = try PickleMachine(file, at: pickle.lowerBound, count: pickle.count)
    let root = try machine.run()
    var offsets: [String: Int] = [:]
    for storage in machine.storages {
      let size = storage.count * storage.element.sizeInBits / 8
      let name = "\(folder)/data/\(storage.key)"
      guard let range = try archive.range(of: name, remedy: remedy) else {
        throw .invalid(part: "pickle", rule: "storages must be in the archive", got: name)
      }
      guard range.count >= size else {
        throw .truncated(part: name, needs: UInt64(size), has: range.count)
      }
      offsets[storage.key] = range.lowerBound
    }
    return try StateDict(root, in: machine).tensors(offsets)
  }

  // MARK: - Legacy

  /// Whether a file begins with the pickled magic number.
  static func isLegacy(_ file: MappedFile) -> Bool {
    guard file.count > 12, let machine = try? PickleMachine(file, at: 0, count: min(64, file.count))
    else { return false }
    var reader = machine
    guard let value = try? reader.run(), case .bigInteger(let bytes) = value else { return false }
    return bytes == magic
  }

  static func readLegacy(_ file: MappedFile) throws(WeightsError.Reason) -> [StoredTensor] {
    var position = 0
    func next() throws(WeightsError.Reason) -> (PickleMachine, PickleValue) {
      var machine = try PickleMachine(file, at: position, count: file.count - position)
      let value = try machine.run()
      position = machine.end
      return (machine, value)
    }
    _ = try next()
    guard case .integer(1001) = try next().1 else {
      throw .unsupported(part: "pickle", feature: "a protocol other than 1001", remedy: nil)
    }
    let (system, information) = try next()
    if case .bool(false)? = system.value(of: "little_endian", in: information) { throw bigEndian }
    let (machine, root) = try next()
    let (names, list) = try next()
    guard case .sequence(let index) = list else {
      throw .invalid(part: "storage keys", rule: "must be a list", got: list.kind)
    }
    let storages = Dictionary(machine.storages.map { ($0.key, $0) }) { first, _ in first }
    var offsets: [String: Int] = [:]
    for name in names.heap.sequences[index] {
      guard case .text(let key) = name, let storage = storages[key], offsets[key] == nil else {
        throw .invalid(part: "storage keys", rule: "must be those of the tensors", got: name.kind)
      }
      let part = "storage \(key)"
      var header = try ByteReader(
        file, at: position, count: min(8, file.count - position), part: part)
      let count: Int64 = try header.integer()
      guard count == storage.count else {
        throw .invalid(part: part, rule: "must have \(storage.count) elements", got: "\(count)")
      }
      let size = storage.count * storage.element.sizeInBits / 8
      _ = try file.bytes(at: position + 8, count: size, part: part)
      offsets[key] = position + 8
      position += 8 + size
    }
    // The same key with another type or size would not have been checked above.
    for storage in machine.storages {
      guard let first = storages[storage.key], offsets[storage.key] != nil,
        first.count == storage.count, first.element == storage.element
      else {
        throw .invalid(
          part: "storage \(storage.key)", rule: "must be in the file, with one type and size",
          got: "\(storage.count) × \(storage.element.name)")
      }
    }
    return try StateDict(root, in: machine).tensors(offsets)
  }

  private static var bigEndian: WeightsError.Reason {
    .unsupported(
      part: "byteorder", feature: "big-endian data",
      remedy: "load and save it again on a little-endian machine")
  }
}

extension PickleMachine {
  /// What a dictionary has under a text key; the last one counts, as in Python.
  func value(of key: String, in dictionary: PickleValue) -> PickleValue? {
    guard case .dictionary(let index) = dictionary else { return nil }
    return heap.dictionaries[index].last {
      if case .text(key) = $0.key { true } else { false }
    }?.value
  }
}
