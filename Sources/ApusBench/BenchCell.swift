/// What was measured, without what came of it: rows of equal cells are repetitions of each other.
///
/// Micro-batches are left out: compiling chooses them by timing, and two runs that chose otherwise
/// have still measured the same thing.
public struct BenchCell: Hashable, Sendable {
  /// One property of a cell, under its key in the row.
  public struct Part: Hashable, Sendable {
    public let key: String
    public let value: JSONValue
  }

  /// The properties that apply, in the order of the row's keys.
  public let parts: [Part]

  public init(_ row: BenchRow) {
    let texts = [
      ("model", row.model), ("head", row.head), ("norm", row.norm),
      ("activation", row.activation), ("checkpoint", row.checkpoint), ("order", row.order),
      ("stem", row.stem), ("mode", row.mode),
      ("execution", row.execution), ("device", row.device), ("precision", row.precision),
    ]
    let numbers = [
      ("batch_size", row.batchSize), ("image_size", row.imageSize), ("threads", row.threads),
    ]
    let parts =
      texts.map { key, text in (key, text.map(JSONValue.string)) }
      + numbers.map { key, number in (key, number.map { .integer(Int64($0)) }) }
      + [("exact", row.exact.map(JSONValue.bool)), ("tuning", row.tuning.map(JSONValue.string))]
    self.parts = parts.compactMap { key, value in value.map { Part(key: key, value: $0) } }
  }

  /// The cell as it is known before it is compiled: a row of a cell that never ran has no more.
  var beforeCompiling: BenchCell {
    BenchCell(parts: parts.filter { $0.key != "exact" && $0.key != "tuning" })
  }

  private init(parts: [Part]) { self.parts = parts }

  /// The value under a key; nil where it does not apply.
  public subscript(key: String) -> JSONValue? { parts.first { $0.key == key }?.value }

  /// The cell as it is where `keys` are left out, such as "resnet50, infer, batch 4, 2 threads".
  public func words(without keys: Set<String> = []) -> String {
    parts.filter { !keys.contains($0.key) }.compactMap(\.words).joined(separator: ", ")
  }
}

extension BenchCell.Part {
  /// The value alone, as a cell of a table.
  public var text: String {
    if case .string(let text) = value { oneLine(text) } else { value.text() }
  }

  /// Nil where there is nothing to say.
  fileprivate var words: String? {
    switch key {
    case "batch_size": "batch \(text)"
    case "image_size": "\(text) pixels"
    case "threads": text == "1" ? "1 thread" : "\(text) threads"
    case "exact": value == .bool(true) ? "exact" : nil
    case "tuning": "tuning \(text)"
    default: text
    }
  }
}
