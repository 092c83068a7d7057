/// A comparison for people, for a pull request and for programs.
public struct ComparisonReport: Sendable {
  private let comparison: RunComparison
  /// Keys whose values are the same in all cells, and stand above the table.
  private let common: Set<String>

  public init(_ comparison: RunComparison) {
    self.comparison = comparison
    let keys = Set(comparison.cells.flatMap { $0.cell.parts.map(\.key) })
    common = keys.filter { key in
      key != "model" && Set(comparison.cells.map { $0.cell[key] }).count == 1
    }
  }

  /// For a terminal.
  public func plain() -> String {
    let lists = [
      ("missing in A", comparison.missingInA), ("missing in B", comparison.missingInB),
    ].flatMap { title, list in list.map { "\(title): \($0.words)\n" } }
    let remarks = failures + comparison.warnings.map { "warning: \($0)" }
    return "\(title)\n\(conditions)\n\n\(table.plain())\n\(summary)\n"
      + (lists + remarks.map { $0 + "\n" }).joined()
  }

  /// GitHub Flavored Markdown.
  public func markdown() -> String {
    let lists = [
      ("Missing in A", comparison.missingInA), ("Missing in B", comparison.missingInB),
    ].filter { !$0.1.isEmpty }.map { title, list in
      "\n\(title):\n\n" + list.map { "- \(escaped($0.words))\n" }.joined()
    }
    let remarks = (failures + comparison.warnings).map { "\n> \(escaped($0))\n" }
    return "### \(escaped(title))\n\n**\(summary)**\n\n\(escaped(conditions))\n\n"
      + table.markdown() + (lists + remarks).joined()
  }

  /// Everything, as one object.
  public func json() -> JSONValue {
    .object([
      .init("a", .string(comparison.a)), .init("b", .string(comparison.b)),
      .init("metric", .string(comparison.metric.rawValue)),
      .init("unit", .string(comparison.metric.unit)),
      .init("threshold", .number(comparison.threshold)),
      .init("confidence", .number(comparison.confidence)),
      .init("regression", .bool(comparison.hasRegression)),
      .init("cells", .array(comparison.cells.map(json))),
      .init(
        "geometric_mean",
        comparison.overall.map { .object(json($0, comparison.overallVerdict)) } ?? .null),
      .init("missing_in_a", .array(comparison.missingInA.map(json))),
      .init("missing_in_b", .array(comparison.missingInB.map(json))),
      .init("warnings", .array(comparison.warnings.map(JSONValue.string))),
    ])
  }

  private var title: String {
    "\(comparison.metric.rawValue): \(oneLine(comparison.b)) (B) against "
      + "\(oneLine(comparison.a)) (A)"
  }

  /// What holds for all cells.
  private var conditions: String {
    let cells = comparison.cells.first.map { first in
      first.cell.words(without: Set(first.cell.parts.map(\.key)).subtracting(common))
    }
    let better = comparison.metric.smallerIsBetter ? "below" : "above"
    let rule =
      "ratio B/A, better \(better) 1, with its \(HumanNumber.percent(comparison.confidence)) "
      + "interval; a regression is worse by more than "
      + "\(HumanNumber.percent(comparison.threshold)) with an interval without 1"
    return [cells, rule].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "; ")
  }

  private var summary: String {
    let counts = [
      (RunComparison.Verdict.regression, "regression"), (.improvement, "improvement"),
    ].map { verdict, name in
      let count = comparison.cells.count { $0.verdict == verdict }
      return "\(count == 0 ? "no" : HumanNumber.count(count)) \(name)\(count > 1 ? "s" : "")"
    }
    let cells = comparison.cells.count
    let mean = comparison.overall.map { overall in
      "; geometric mean \(Self.decimals(overall.ratio))"
        + (overall.interval.map { " (\(Self.text($0)))" } ?? "")
        + (comparison.overallVerdict == .regression ? ": a regression" : "")
    }
    return counts.joined(separator: ", ")
      + " in \(HumanNumber.count(cells)) \(cells == 1 ? "cell" : "cells")" + (mean ?? "")
  }

  /// Repetitions that failed beside others that did not.
  private var failures: [String] {
    comparison.cells.flatMap { cell in
      [("A", cell.a), ("B", cell.b)].filter { !$0.1.failures.isEmpty }.map { name, side in
        "\(cell.cell.words(without: common)): \(side.failures.count) of "
          + "\(side.failures.count + side.processes) repetitions of \(name) without a result: "
          + side.failures[0]
      }
    }
  }

  private var table: Table {
    let keys = comparison.cells.first?.cell.parts.map(\.key) ?? []
    let others = comparison.cells.flatMap { $0.cell.parts.map(\.key) }.filter { !keys.contains($0) }
    var shown: [String] = []
    for key in keys + others where !common.contains(key) && !shown.contains(key) {
      shown.append(key)
    }
    var table = Table(
      shown.map { $0 == "batch_size" || $0 == "threads" ? .numbers($0) : .words($0) } + [
        .numbers("A", unit: comparison.metric.unit), .numbers("B", unit: comparison.metric.unit),
        .numbers("ratio"), .numbers("interval"), .numbers("processes"), .words("verdict"),
      ])
    for cell in comparison.cells {
      let parts = shown.map { key in
        Table.Cell(cell.cell.parts.first { $0.key == key }?.text ?? "")
      }
      table.add(
        parts + [
          .number(cell.a.value), .number(cell.b.value), .number(cell.ratio.ratio, Self.decimals),
          Table.Cell(cell.ratio.interval.map(Self.text) ?? "n/a"),
          "\(cell.a.processes) + \(cell.b.processes)", "\(cell.verdict.rawValue)",
        ])
    }
    return table
  }

  private static func decimals(_ ratio: Double) -> String { HumanNumber.decimal(ratio, 3) }

  private static func text(_ interval: ClosedRange<Double>) -> String {
    "\(decimals(interval.lowerBound)) … \(decimals(interval.upperBound))"
  }
}

extension ComparisonReport {
  private func json(_ cell: RunComparison.Cell) -> JSONValue {
    .object(
      members(cell.cell) + [.init("a", json(cell.a)), .init("b", json(cell.b))]
        + json(cell.ratio, cell.verdict))
  }

  private func json(_ side: RunComparison.Side) -> JSONValue {
    .object(
      [
        .init("value", .number(side.value)), .init("processes", .integer(Int64(side.processes))),
      ] + (side.iterations.map { [.init("iterations", .integer(Int64($0)))] } ?? [])
        + [.init("failures", .array(side.failures.map(JSONValue.string)))])
  }

  /// `interval` is left out where there is none.
  private func json(
    _ ratio: RatioEstimate, _ verdict: RunComparison.Verdict
  ) -> [JSONValue.Member] {
    let interval = ratio.interval.map {
      [
        JSONValue.Member(
          "interval", .array([.number($0.lowerBound), .number($0.upperBound)]))
      ]
    }
    return [.init("ratio", .number(ratio.ratio))] + (interval ?? [])
      + [.init("verdict", .string(verdict.rawValue))]
  }

  private func json(_ missing: RunComparison.Missing) -> JSONValue {
    .object(
      members(missing.cell) + (missing.reason.map { [.init("reason", .string($0))] } ?? []))
  }

  private func members(_ cell: BenchCell) -> [JSONValue.Member] {
    cell.parts.map { .init($0.key, $0.value) }
  }
}

extension RunComparison.Missing {
  fileprivate var words: String { cell.words() + (reason.map { ": " + $0 } ?? "") }
}
