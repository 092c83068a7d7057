import Apus
import ApusBench
import Foundation

/// What a sweep will measure, and about how long that takes.
struct SweepForecast {
  private let entries: [SweepMatrix.Entry]
  /// Of each cell.
  let seconds: [Double]

  init(_ entries: [SweepMatrix.Entry], _ rules: MeasuringRules, _ cpu: CPUFlags) {
    self.entries = entries
    var macs: [SweepCell: Int] = [:]
    seconds = entries.map { entry in
      guard entry.flaw == nil else { return 0 }
      // Operations of an image depend on few properties of a cell.
      var network = SweepCell(model: entry.cell.model, mode: "")
      entry.network.variant.describe(&network)
      network.imageSize = entry.cell.imageSize
      if macs[network] == nil { macs[network] = Self.macs(entry) }
      let passes = entry.cell.mode == ModeOption.infer.rawValue ? 2.0 : 6.0
      let isTuned =
        cpu.tuning != .off && entry.cell.threads != nil
        && entry.cell.execution == ExecutionOption.compiled.rawValue
      return CellEstimate(
        flops: macs[network].map { passes * Double($0) * Double(entry.cell.batchSize ?? 1) },
        threads: entry.cell.threads ?? 1, isTuned: isTuned
      ).seconds(rules)
    }
  }

  /// Of a forward pass of one image; 0 where there is none, which a row will say.
  private static func macs(_ entry: SweepMatrix.Entry) -> Int {
    let graph = try? entry.network.model.graph(
      .infer, batch: 1, imageSize: entry.cell.imageSize, entry.network.options.get())
    return graph?.macs ?? 0
  }

  /// Prints what would be measured.
  func output(_ plan: SweepPlan, _ format: Bench.Format) throws {
    switch format {
    case .json: try Console.output(JSONValue(encoding: lines).text(indented: true) + "\n")
    case .jsonl:
      for line in lines { try Console.output(JSONValue(encoding: line).text() + "\n") }
    case .csv: try Console.output(table().csv())
    case .markdown: try Console.output(table().markdown() + "\n" + summary(plan))
    case .table: try Console.output(table().plain() + "\n" + summary(plan))
    }
  }

  private struct Line: Encodable {
    let cell: SweepCell
    let estimatedSeconds: Double
    let reason: String?

    enum CodingKeys: String, CodingKey {
      case cell
      case estimatedSeconds = "estimated_s"
      case reason
    }
  }

  private var lines: [Line] {
    zip(entries, seconds).map {
      Line(cell: $0.cell, estimatedSeconds: $1, reason: $0.flaw)
    }
  }

  private func table() -> Table {
    var table = Table([
      .words("model"), .words("variant"), .words("mode"), .numbers("batch"), .words("execution"),
      .words("device"), .words("precision"), .numbers("threads"), .numbers("about", unit: "s"),
      .words("skipped because"),
    ])
    for line in lines {
      let cell = line.cell
      table.add([
        "\(cell.model)", "\(cell.variantWords)", "\(cell.mode)", .count(cell.batchSize),
        "\(cell.execution ?? "")", "\(cell.device ?? "")", "\(cell.precision ?? "")",
        .count(cell.threads),
        .number(line.estimatedSeconds) { String(format: "%.1f", $0) }, "\(line.reason ?? "")",
      ])
    }
    return table
  }

  private func summary(_ plan: SweepPlan) -> String {
    let count = entries.count { $0.flaw == nil }
    let rounds = plan.repetitions
    let total = Duration.seconds(seconds.reduce(0, +) * Double(rounds))
    return "\(count) \(count == 1 ? "cell" : "cells")"
      + (rounds > 1 ? ", \(rounds) times each" : "") + ": about \(HumanNumber.time(total))\n"
  }
}
