import Foundation

/// The tables of one subject: ours beside the others, by batch and threads.
struct ReportTables {
  let subject: ReportSubject

  /// One row of a table by batch and threads.
  private struct Place {
    let batch: Int
    let threads: Int?
  }

  private var hasThreads: Bool { subject.threads.count > 1 }

  private var places: [Place] {
    subject.batches.flatMap { batch -> [Place] in
      guard hasThreads else { return [Place(batch: batch, threads: subject.threads.first)] }
      return subject.threads.filter { threads in
        subject.points.contains { $0.batch == batch && $0.threads == threads }
      }.map { Place(batch: batch, threads: $0) }
    }
  }

  private func heading(_ columns: [Table.Column]) -> Table {
    Table([.numbers("batch")] + (hasThreads ? [.numbers("threads")] : []) + columns)
  }

  private func lead(_ batch: Int, _ threads: Int?) -> [Table.Cell] {
    [.count(batch)] + (hasThreads ? [.count(threads)] : [])
  }

  var blocks: [ReportBlock] {
    var blocks: [ReportBlock] = [
      .table("Latency: medians, and how many times as long the others take", latency),
      .table("Throughput (images/s)", throughput),
    ]
    if subject.points.contains(where: { $0.row?.forwardMs != nil }) {
      blocks.append(.table("Training steps: mean ± standard deviation of the runs' means", halves))
    }
    return blocks + [
      .table("Memory (MiB)", memory.withoutEmptyColumns()),
      .table("How it was measured", measuring.withoutEmptyColumns()),
    ]
  }

  private var latency: Table {
    var table = heading(
      subject.series.map { .numbers($0, unit: "ms") }
        + subject.others.map { .numbers("\($0) ÷ \(subject.reference)") })
    for place in places {
      let medians = subject.series.map { cell($0, place, .median) }
      let ratios = subject.others.map {
        Table.Cell.number(
          subject.speedUp(over: $0, batch: place.batch, threads: place.threads),
          { HumanNumber.decimal($0, 2) })
      }
      table.add(lead(place.batch, place.threads) + medians + ratios)
    }
    return table
  }

  private var throughput: Table {
    var table = heading(subject.series.map { .numbers($0) })
    for place in places {
      table.add(
        lead(place.batch, place.threads)
          + subject.series.map { cell($0, place, .imagesPerSecond) })
    }
    return table
  }

  private func cell(_ series: String, _ place: Place, _ figure: ReportFigure) -> Table.Cell {
    let point = subject.point(series, batch: place.batch, threads: place.threads)
    return (point?.rows ?? []).cell(figure)
  }

  private var halves: Table {
    var table = heading([
      .words("execution"), .numbers("step", unit: "ms"), .numbers("forward", unit: "ms"),
      .numbers("backward", unit: "ms"), .numbers("loss before"), .numbers("loss after"),
    ])
    for point in measured {
      table.add(
        lead(point.batch, point.threads) + ["\(point.series)"]
          + [ReportFigure.step, .forward, .backward].map { point.rows.cell($0) }
          + [.number(point.row?.loss?.first), .number(point.row?.loss?.last)])
    }
    return table
  }

  private var memory: Table {
    var table = heading([
      .words("execution"), .numbers("parameters"), .numbers("arena"), .numbers("planned"),
      .numbers("peak: load"), .numbers("compile"), .numbers("first run"), .numbers("steady"),
      .numbers("beyond baseline"), .numbers("device"),
    ])
    for point in measured {
      guard let row = point.row else { continue }
      let (planned, peak) = (row.plannedBytes, row.peakRssBytes)
      let bytes = [
        planned?.parameters, planned?.arena, planned?.total, peak?.load, peak?.compile, peak?.first,
        peak?.steady, row.bytesBeyondBaseline, row.devicePeakBytes,
      ]
      guard bytes.contains(where: { $0 != nil }) else { continue }
      table.add(
        lead(point.batch, point.threads) + ["\(point.series)"] + bytes.map(Table.Cell.mebibytes))
    }
    return table
  }

  private var measuring: Table {
    var table = heading([
      .words("execution"), .numbers("runs"), .words("ended by"), .numbers("min", unit: "ms"),
      .numbers("mean", unit: "ms"), .numbers("sd", unit: "ms"), .numbers("p90", unit: "ms"),
      .numbers("p99", unit: "ms"), .numbers("GFLOP/s"), .numbers("load", unit: "ms"),
      .numbers("compile", unit: "ms"), .numbers("first", unit: "ms"),
      .numbers("largest difference"),
    ])
    for point in measured {
      guard let row = point.row else { continue }
      let latency = row.latencyMs
      table.add(
        lead(point.batch, point.threads) + [
          "\(point.series)", .count(row.n), "\(row.stopReason?.rawValue ?? "")",
          .number(latency?.min), .number(latency?.mean), .number(latency?.sd),
          .number(latency?.p90), .number(latency?.p99), .number(row.gflopsPerSec),
          .number(row.loadMs), .number(row.compileMs), .number(row.firstMs),
          .number(row.maxRelDiff, HumanNumber.scientific),
        ])
    }
    return table
  }

  private var measured: [ReportSubject.Point] {
    places.flatMap { place in
      subject.series.compactMap { series in
        subject.points.first {
          $0.series == series && $0.batch == place.batch
            && (!hasThreads || $0.threads == place.threads) && $0.row != nil
        }
      }
    }
  }
}

extension Table {
  /// The columns in which something stands.
  func withoutEmptyColumns() -> Table {
    let used = columns.indices.filter { column in rows.contains { !$0[column].text.isEmpty } }
    var table = Table(used.map { columns[$0] })
    for row in rows { table.add(used.map { row[$0] }) }
    return table
  }
}

extension HumanNumber {
  /// One digit and an exponent: "3e-07".
  static func scientific(_ value: Double) -> String {
    value.isFinite ? String(format: "%.0e", value) : notAvailable
  }
}
