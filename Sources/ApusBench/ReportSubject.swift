/// The rows of one network in one mode, as points of series over batch and threads.
struct ReportSubject {
  let model: String
  let mode: String
  let points: [Point]

  /// A measurement and its repetitions.
  struct Point {
    /// Everything but batch and threads that tells it from others, "compiled, bf16" for instance.
    let series: String
    let execution: String
    let batch: Int
    /// nil where the device has threads of its own.
    let threads: Int?
    let rows: [BenchRow]

    var measured: [BenchRow] { rows.filter { $0.status == .ok } }
    /// The repetition in the middle.
    var row: BenchRow? { ReportFigure.median.representative(of: measured) }
  }

  var title: String { mode == "infer" ? model : "\(model), \(mode)" }
  /// In the order of their first rows, but ours first.
  let series: [String]
  let batches: [Int]
  let threads: [Int]

  /// What others are compared with: ours where it was measured.
  var reference: String { series[0] }
  var others: ArraySlice<String> { series.dropFirst() }

  /// The subjects of a report, in the order of their first rows.
  static func subjects(of runs: [ReportRun]) -> [ReportSubject] {
    let rows = runs.flatMap { run in run.rows.map { (run: run.name, row: $0) } }
    let groups = grouped(rows) { "\($0.row.model)\n\($0.row.mode)" }
    return groups.map { ReportSubject($0, severalRuns: runs.count > 1) }
  }

  private init(_ rows: [(run: String, row: BenchRow)], severalRuns: Bool) {
    (model, mode) = (rows[0].row.model, rows[0].row.mode)
    let attributes = rows.map { run, row in
      Self.attributes(row) + (severalRuns ? [run] : [])
    }
    let names = Self.series(attributes)
    let labelled = zip(names, rows).map { (series: $0, row: $1.row) }
    let groups = grouped(labelled) { series, row in
      "\(series)\n\(row.batchSize ?? 0)\n\(row.threads ?? 0)"
    }
    points = groups.map { group in
      let row = group[0].row
      return Point(
        series: group[0].series, execution: row.execution ?? "", batch: row.batchSize ?? 1,
        threads: row.threads, rows: group.map(\.row))
    }
    let ours = points.first { $0.execution == PublishedCell.ours }?.series
    var seen: Set<String> = []
    series = ([ours].compactMap(\.self) + points.map(\.series)).filter { seen.insert($0).inserted }
    batches = Set(points.map(\.batch)).sorted()
    threads = Set(points.compactMap(\.threads)).sorted()
  }

  /// What may tell series apart, in the order of their names.
  private static func attributes(_ row: BenchRow) -> [String?] {
    [
      row.execution ?? "measured", row.device, row.precision, row.head.map { "head \($0)" },
      row.norm, row.activation, row.checkpoint.map { "checkpoint \($0)" },
      row.order.map { "order \($0)" }, row.stem.map { "stem \($0)" },
      row.exact.map { $0 ? "exact" : "not exact" }, row.tuning.map { "tuning \($0)" },
      row.imageSize.map { "\($0) × \($0)" },
    ]
  }

  /// The first attribute, and of the others those that differ between rows.
  private static func series(_ attributes: [[String?]]) -> [String] {
    let varying = attributes[0].indices.filter { index in
      index == 0 || Set(attributes.compactMap { $0[index] }).count > 1
    }
    return attributes.map { row in varying.compactMap { row[$0] }.joined(separator: ", ") }
  }

  /// The point of a series; threads that the series does not have count as any.
  func point(_ series: String, batch: Int, threads: Int?) -> Point? {
    points.first {
      $0.series == series && $0.batch == batch
        && ($0.threads == threads || $0.threads == nil || threads == nil)
    }
  }

  /// How many times as fast the reference is as another series, by medians.
  func speedUp(over series: String, batch: Int, threads: Int?) -> Double? {
    guard
      let ours = point(reference, batch: batch, threads: threads)?.row?.latencyMs?.median,
      let theirs = point(series, batch: batch, threads: threads)?.row?.latencyMs?.median, ours > 0
    else { return nil }
    return theirs / ours
  }
}

/// Elements with the same key together, groups in the order of their first elements.
private func grouped<Element>(_ elements: [Element], by key: (Element) -> String) -> [[Element]] {
  var places: [String: Int] = [:]
  var groups: [[Element]] = []
  for element in elements {
    let key = key(element)
    if let place = places[key] {
      groups[place].append(element)
    } else {
      places[key] = groups.count
      groups.append([element])
    }
  }
  return groups
}
