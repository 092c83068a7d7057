extension BenchRow {
  /// Rows as comma-separated values (RFC 4180): a column for each key that some row has, those of
  /// objects joined with "_" (`latency_ms_median`), in the order of `results.jsonl`.
  public static func csv(_ rows: [BenchRow]) throws(EncodingError) -> String {
    var flat: [[JSONValue.Member]] = []
    for row in rows { flat.append(flattened(try JSONValue(encoding: row), "")) }
    var names: [String] = []
    for members in flat {
      var place = 0
      for member in members {
        if let known = names.firstIndex(of: member.name) {
          place = known + 1
        } else {
          names.insert(member.name, at: place)
          place += 1
        }
      }
    }
    var table = Table(names.map { .words($0) })
    for members in flat {
      let texts = Dictionary(members.map { ($0.name, text($0.value)) }) { first, _ in first }
      table.add(names.map { "\(texts[$0] ?? "")" })
    }
    return table.csv()
  }

  private static func flattened(_ value: JSONValue, _ name: String) -> [JSONValue.Member] {
    guard case .object(let members) = value else { return [.init(name, value)] }
    return members.flatMap { flattened($0.value, name.isEmpty ? $0.name : "\(name)_\($0.name)") }
  }

  /// Lists in one field, texts without quotes.
  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .array(let values): values.map(text).joined(separator: "; ")
    case .null: ""
    case .bool, .integer, .unsigned, .number, .object: value.text()
    }
  }
}
