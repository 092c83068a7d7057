/// What of two runs is compared.
public enum ComparedMetric: String, CaseIterable, Hashable, Sendable {
  /// The median of a process's iterations.
  case latency
  /// Images per second over all iterations of a process.
  case throughput
  /// The peak in the steady phase: of the device that has memory of its own, else of the process.
  case memory
  /// The planned bytes, which are the same each time.
  case planned
  case load, compile, first

  /// Whether less is better.
  public var smallerIsBetter: Bool { self != .throughput }

  public var unit: String {
    switch self {
    case .latency, .load, .compile, .first: "ms"
    case .throughput: "images/s"
    case .memory, .planned: "MiB"
    }
  }

  var center: Bootstrap.Center { self == .throughput ? .mean : .median }

  /// What a row says of it, above 0 and the smaller the better: milliseconds (of a batch, for the
  /// throughput too) or MiB, of each iteration where `samples` are given; nil where it says nothing.
  func values(of row: BenchRow, samples: [Double]?) -> [Double]? {
    let value: Double?
    switch self {
    case .latency:
      if let samples { return samples }
      value = row.latencyMs?.median
    case .throughput:
      if let samples { return samples }
      value = row.samplesPerSec.map { Double(row.batchSize ?? 1) * 1000 / $0 }
    case .memory: value = (row.devicePeakBytes ?? row.peakRssBytes?.steady).map(Self.mebibytes)
    case .planned: value = (row.plannedBytes?.total).map(Self.mebibytes)
    case .load: value = row.loadMs
    case .compile: value = row.compileMs
    case .first: value = row.firstMs
    }
    return value.flatMap { $0 > 0 && $0 <= 1e15 ? [$0] : nil }
  }

  /// What people read, of a value as above.
  func shown(_ value: Double, of cell: BenchCell) -> Double {
    guard self == .throughput else { return value }
    guard case .integer(let batch) = cell["batch_size"] else { return 1000 / value }
    return Double(batch) * 1000 / value
  }

  private static func mebibytes(_ bytes: Int) -> Double { Double(bytes) / 1_048_576 }
}
