import Foundation

extension BenchRow {
  /// The row that a line of `results.jsonl` holds.
  init(line: Data) throws(RowProblem) {
    do {
      self = try JSONDecoder().decode(BenchRow.self, from: line)
    } catch {
      throw RowProblem(error as? DecodingError, line: line)
    }
    if let problem { throw problem }
  }

  /// What no row that was measured can have.
  private var problem: RowProblem? {
    if schema != 1 {
      return RowProblem(
        key: "schema", requirement: "1, the format of this version of apus", given: "\(schema)")
    }
    if let samples, samples.hasPrefix("/") || samples.split(separator: "/").contains("..") {
      return RowProblem(
        key: "samples", requirement: "a path within the run's folder", given: oneLine(samples))
    }
    for (key, count) in counts where count.map({ $0 < 1 }) ?? false {
      return RowProblem(key: key, requirement: "at least 1", given: "\(count ?? 0)")
    }
    for (key, amount) in amounts where amount.map({ $0 < 0 }) ?? false {
      return RowProblem(key: key, requirement: "at least 0", given: "\(amount ?? 0)")
    }
    return nil
  }

  private var counts: [(String, Int?)] {
    [
      ("batch_size", batchSize), ("micro_batch", microBatch), ("image_size", imageSize),
      ("threads", threads), ("repeat", self.repeat), ("runs", runs),
    ]
  }

  private var amounts: [(String, Double?)] {
    [
      ("n", n.map(Double.init)), ("latency_ms.median", latencyMs?.median),
      ("latency_ms.mean", latencyMs?.mean), ("latency_ms.min", latencyMs?.min),
      ("latency_ms.max", latencyMs?.max), ("samples_per_sec", samplesPerSec),
      ("load_ms", loadMs), ("compile_ms", compileMs), ("first_ms", firstMs),
      ("peak_rss_bytes.steady", (peakRssBytes?.steady).map(Double.init)),
      ("planned_bytes.total", (plannedBytes?.total).map(Double.init)),
      ("device_peak_bytes", devicePeakBytes.map(Double.init)),
    ]
  }
}

extension RowProblem {
  /// - Parameter error: why the line could not be decoded; nil for reasons beyond its types.
  fileprivate init(_ error: DecodingError?, line: Data) {
    let path: [any CodingKey]
    var requirement = "one JSON object"
    switch error {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      path = context.codingPath
      if !path.isEmpty { requirement = Self.name(of: type) }
    case .keyNotFound(let key, let context):
      (path, requirement) = (context.codingPath + [key], "there")
    case .dataCorrupted(let context):
      path = context.codingPath
      // The decoder does not say where a number is that does not fit.
      let isJSON = (try? JSONSerialization.jsonObject(with: line)) != nil
      if !path.isEmpty || isJSON { requirement = Self.requirement(path) }
    default: path = []
    }
    self.requirement = requirement
    key = path.isEmpty ? nil : path.map { oneLine($0.stringValue) }.joined(separator: ".")
    given = path.isEmpty ? Self.excerpt(of: line) : Self.value(at: path, in: line)
  }

  /// The beginning of a text of unknown content.
  static func excerpt(of text: Data) -> String {
    let start = oneLine(String(decoding: text.prefix(60), as: UTF8.self))
    return text.isEmpty ? "nothing" : text.count > 60 ? start + "…" : start
  }

  private static func value(at path: [any CodingKey], in line: Data) -> String {
    var value = try? JSONSerialization.jsonObject(with: line)
    for key in path {
      let list = value as? [Any]
      value =
        key.intValue.flatMap { index in list.map { $0[index] } }
        ?? (value as? [String: Any])?[key.stringValue]
    }
    guard let value,
      let text = try? JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed)
    else { return "nothing" }
    return excerpt(of: text)
  }

  private static func name(of type: Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is [Any].Type: "a list"
    default: "an object"
    }
  }

  /// What must hold of a value of the right type.
  private static func requirement(_ path: [any CodingKey]) -> String {
    switch path.last?.stringValue {
    case "status": "one of \(BenchRow.Status.allCases.map(\.rawValue).joined(separator: ", "))"
    case "stop_reason": "one of \(StopReason.allCases.map(\.rawValue).joined(separator: ", "))"
    default: "numbers within 64 bits, whole where they count"
    }
  }
}
