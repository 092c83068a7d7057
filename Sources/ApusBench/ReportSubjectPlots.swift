/// Makes the plots of one network in one mode.
struct SubjectPlots {
  /// A measured point with what the plots show of it.
  struct Value {
    let point: ReportSubject.Point
    let latency, shortest, longest: Double
    let throughput: Double?
    /// In MiB.
    let memory, planned: Double?
    /// How many times as fast as one thread.
    let scaling: Double?

    var text: String {
      let threads = point.threads.map { ", \($0) \($0 == 1 ? "thread" : "threads")" } ?? ""
      let number = HumanNumber.fourDigits
      return [
        "\(point.series), batch \(point.batch)\(threads): \(number(latency)) ms",
        throughput.map { "\(number($0)) images/s" }, memory.map { "\(number($0)) MiB" },
      ].compactMap(\.self).joined(separator: ", ")
    }
  }

  let subject: ReportSubject
  let values: [Value]

  init(_ subject: ReportSubject) {
    self.subject = subject
    values = subject.points.compactMap { point in
      guard let row = point.row, let latency = row.latencyMs, latency.min > 0 else { return nil }
      let single = subject.points.first {
        $0.series == point.series && $0.batch == point.batch && $0.threads == 1
      }
      return Value(
        point: point, latency: latency.median, shortest: latency.min, longest: latency.max,
        throughput: row.samplesPerSec, memory: ReportFigure.processMemory.value(of: row),
        planned: (row.plannedBytes?.total).map { Double($0) / 1_048_576 },
        scaling: (single?.row?.latencyMs?.median).map { $0 / latency.median })
    }
  }

  var plots: [ReportPlot] {
    guard values.count > 1 else { return [] }
    var plots: [ReportPlot] = []
    if subject.batches.count > 1 {
      plots += [overBatch("latency"), overBatch("throughput")]
      plots += [speedUp, memory].compactMap(\.self)
    } else if subject.threads.count < 2 {
      plots.append(bars)
    }
    if subject.threads.count > 1 {
      plots += [
        overThreads("latency", perBatch: true), overThreads("throughput", perBatch: true),
        overThreads("latency", perBatch: false), overThreads("throughput", perBatch: false),
        scaling,
      ].compactMap(\.self)
    }
    return plots + [speedAgainstMemory].compactMap(\.self)
  }

  private static let titles = ["latency": "latency (ms)", "throughput": "images/s"]

  private var batchAxis: VegaLite.Axis {
    .init("batch", "batch", .doubling(values: subject.batches))
  }

  private var threadAxis: VegaLite.Axis {
    .init("threads", "threads", .counting(values: subject.threads))
  }

  private var seriesNames: VegaLite.Names {
    .init(field: "series", title: "execution", values: subject.series)
  }

  private var batchNames: VegaLite.Names {
    .init(field: "of", title: "batch", values: subject.batches.map { "batch \($0)" })
  }

  private func plot(_ name: String, _ chart: VegaLite) -> ReportPlot {
    ReportPlot("\(subject.model)-\(subject.mode)-\(name)", chart)
  }

  /// By execution; where threads were swept, each execution is a chart with a line for each count.
  private func overBatch(_ figure: String) -> ReportPlot {
    let title = Self.titles[figure] ?? figure
    let severalThreads = subject.threads.count > 1
    var chart = VegaLite(
      title: "\(subject.title): \(title) over batch", values: json, x: batchAxis,
      y: .init(figure, title, figure == "latency" ? .logarithmic : .linear), color: seriesNames)
    if severalThreads {
      chart.facet = seriesNames
      chart.color = .init(
        field: "with", title: "threads", values: unique(values.map(\.threadsName)))
    } else if figure == "latency" {
      chart.extras = [.band(from: "shortest", to: "longest")]
    }
    return plot("\(figure)-over-batch", chart)
  }

  /// A chart for each batch with a line for each execution, or the other way round.
  private func overThreads(_ figure: String, perBatch: Bool) -> ReportPlot? {
    let swept = values.filter { $0.point.threads != nil }
    guard swept.count > 1 else { return nil }
    let title = Self.titles[figure] ?? figure
    var chart = VegaLite(
      title: "\(subject.title): \(title) over threads, "
        + (perBatch ? "per batch" : "per execution"),
      values: swept.map { $0.json(text: $0.text) }, x: threadAxis,
      y: .init(figure, title, perBatch || figure != "latency" ? .linear : .logarithmic),
      color: perBatch ? seriesNames : batchNames)
    chart.facet = perBatch ? batchNames : seriesNames
    chart.hasOwnHeights = perBatch
    if perBatch && figure == "latency" { chart.extras = [.band(from: "shortest", to: "longest")] }
    return plot("\(figure)-over-threads-per-\(perBatch ? "batch" : "execution")", chart)
  }

  /// Against one thread, with the line of twice the threads, twice the speed.
  private var scaling: ReportPlot? {
    let known = values.filter { $0.scaling != nil }
    guard known.contains(where: { $0.point.threads ?? 1 > 1 }) else { return nil }
    var chart = VegaLite(
      title: "\(subject.title): speed-up against one thread",
      values: known.map { value in
        value.json(text: "\(value.text), \(HumanNumber.decimal(value.scaling ?? 0, 2)) times")
      },
      x: threadAxis, y: .init("scaling", "times as fast as one thread"), color: batchNames)
    if subject.series.count > 1 { chart.facet = seriesNames }
    chart.extras = [.ideal(subject.threads)]
    return plot("speed-up-over-threads", chart)
  }

  /// Of ours against eager and each peer.
  private var speedUp: ReportPlot? {
    let ratios = values.compactMap { value -> (Value, Double)? in
      let point = value.point
      guard point.series != subject.reference,
        let ratio = subject.speedUp(
          over: point.series, batch: point.batch, threads: point.threads)
      else { return nil }
      return (value, ratio)
    }
    guard ratios.count > 1 else { return nil }
    var chart = VegaLite(
      title: "\(subject.title): speed-up of \(subject.reference)",
      values: ratios.map { value, ratio in
        value.json(
          text: "\(HumanNumber.decimal(ratio, 2)) times as fast as \(value.point.series), batch "
            + "\(value.point.batch)" + (value.point.threads.map { ", threads \($0)" } ?? ""),
          [.init("ratio", .number(ratio))])
      },
      x: batchAxis, y: .init("ratio", "times as fast as the other"),
      color: .init(field: "series", title: "against", values: Array(subject.others)))
    if subject.threads.count > 1 {
      chart.facet = .init(
        field: "with", title: "threads", values: unique(ratios.map(\.0.threadsName)))
    }
    chart.extras = [.level(1)]
    return plot("speed-up-over-batch", chart)
  }

  /// What the process took; broken lines are what was planned.
  private var memory: ReportPlot? {
    let known = widest.filter { $0.memory != nil }
    guard known.count > 1 else { return nil }
    var chart = VegaLite(
      title: "\(subject.title): memory over batch (broken: planned)",
      values: known.map { $0.json(text: $0.text) }, x: batchAxis,
      y: .init("memory", "process memory (MiB)"), color: seriesNames)
    chart.extras = [.dashed("planned")]
    return plot("memory-over-batch", chart)
  }

  private var speedAgainstMemory: ReportPlot? {
    let known = widest.filter { $0.memory != nil && $0.throughput != nil }
    guard known.count > 1 else { return nil }
    var chart = VegaLite(
      title: "\(subject.title): speed against memory, by batch",
      values: known.map { $0.json(text: $0.text) },
      x: .init("memory", "process memory (MiB)", .logarithmic),
      y: .init("throughput", "images/s"), color: seriesNames)
    chart.mark = .points
    chart.extras = [.labels("label")]
    return plot("speed-against-memory", chart)
  }

  /// Executions side by side, where neither batch nor threads were swept.
  private var bars: ReportPlot {
    var chart = VegaLite(
      title: "\(subject.title): throughput", values: json, x: .init("series", "execution"),
      y: .init("throughput", "images/s"), color: seriesNames)
    chart.mark = .bars
    return plot("throughput", chart)
  }

  /// Of each series the points with the most threads.
  var widest: [Value] {
    values.filter { value in
      !values.contains {
        $0.point.series == value.point.series && $0.point.batch == value.point.batch
          && $0.point.threads ?? 0 > value.point.threads ?? 0
      }
    }
  }

  private var json: [JSONValue] { values.map { $0.json(text: $0.text) } }
}

extension SubjectPlots.Value {
  fileprivate var threadsName: String {
    point.threads.map { $0 == 1 ? "1 thread" : "\($0) threads" } ?? "its own threads"
  }

  /// - Parameter text: what the mark says of itself.
  func json(text: String, _ more: [JSONValue.Member] = []) -> JSONValue {
    let known: [(String, Double?)] = [
      ("latency", latency), ("shortest", shortest), ("longest", longest),
      ("throughput", throughput), ("memory", memory), ("planned", planned), ("scaling", scaling),
    ]
    var members: [JSONValue.Member] = [
      .init("series", .string(point.series)), .init("batch", .integer(Int64(point.batch))),
      .init("of", "batch \(point.batch)"), .init("with", .string(threadsName)),
      .init("label", "\(point.batch)"), .init("text", .string(text)),
    ]
    if let threads = point.threads { members.append(.init("threads", .integer(Int64(threads)))) }
    members += known.compactMap { name, value in value.map { .init(name, .number($0)) } }
    return .object(members + more)
  }
}

/// Each value once, in the order of the first ones.
func unique(_ values: [String]) -> [String] {
  var seen: Set<String> = []
  return values.filter { seen.insert($0).inserted }
}
