/// One row of `results.jsonl`: a cell of a benchmark and what came of it.
///
/// The properties stand in the order of the keys; what does not apply is nil and left out.
public struct BenchRow: Codable, Hashable, Sendable {
  public enum Status: String, Codable, Hashable, Sendable, CaseIterable {
    case ok, oom, timeout, failed, skipped
  }

  /// Version of the format.
  public var schema = 1
  public var status: Status
  /// Why the status is not `ok`.
  public var reason: String?
  public var model: String
  public var head: String?
  public var norm: String?
  public var activation: String?
  public var checkpoint: String?
  /// Where a unit's norm and activation stand, where not as the network has it: "post" or "pre".
  public var order: String?
  /// "standard" or "deep".
  public var stem: String?
  /// What is measured: "infer", "train", …
  public var mode: String
  public var execution: String?
  public var device: String?
  public var precision: String?
  public var batchSize: Int?
  /// How many images of a batch run at a time.
  public var microBatch: Int?
  /// Whether no convolution was computed in tiles that round more.
  public var exact: Bool?
  /// How much of compiling went into timing alternatives: "off", "quick" or "full".
  public var tuning: String?
  public var imageSize: Int?
  public var threads: Int?
  /// Logical CPUs that the threads were bound to, one each; nil where they were not.
  public var cores: [Int]?
  /// Which repetition of the cell, from 1.
  public var `repeat`: Int?
  /// Number of measured iterations.
  public var n: Int?
  public var warmupN: Int?
  public var stopReason: StopReason?
  public var latencyMs: Latency?
  /// How many runs the iterations are grouped into for means and their deviation.
  public var runs: Int?
  /// Of whole training steps: mean of all, standard deviation of the runs' means; also of the halves.
  public var stepMs: MeanAndDeviation?
  public var forwardMs: MeanAndDeviation?
  public var backwardMs: MeanAndDeviation?
  public var samplesPerSec: Double?
  public var loss: Loss?
  public var loadMs: Double?
  public var compileMs: Double?
  public var firstMs: Double?
  public var parameters: Int?
  public var macs: Int?
  /// Twice `macs`.
  public var flops: Int?
  public var gflopsPerSec: Double?
  /// At least: the bytes of the parameters, each of which every run reads.
  public var gbytesPerSec: Double?
  /// Above 100 where tiles need fewer operations than are counted; see `SpeedLimits`.
  public var pctPeakFlops: Double?
  public var pctPeakBandwidth: Double?
  public var peakRssBytes: PhasePeaks?
  public var plannedBytes: PlannedBytes?
  public var devicePeakBytes: Int?
  /// How the peak was measured, such as `ProcessMemory.method`.
  public var memoryMethod: String?
  public var maxAbsDiff: Double?
  public var maxRelDiff: Double?
  /// Part of the images whose first class is that of the eager execution.
  public var top1Agreement: Double?
  /// Where the times of the iterations are, relative to the run's folder; see `RunDirectory`.
  public var samples: String?
  public var warnings: [String] = []
  public var host: String?
  public var cpu: String?
  public var commit: String?
  /// When the cell ran, in ISO 8601.
  public var date: String?

  public init(status: Status, reason: String? = nil, model: String, mode: String) {
    self.status = status
    self.reason = reason
    self.model = model
    self.mode = mode
  }

  private enum CodingKeys: String, CodingKey {
    case schema, status, reason, model, head, norm, activation, checkpoint, order, stem
    case mode, execution, device, precision
    case batchSize = "batch_size"
    case microBatch = "micro_batch"
    case exact, tuning
    case imageSize = "image_size"
    case threads, cores, `repeat`, n
    case warmupN = "warmup_n"
    case stopReason = "stop_reason"
    case latencyMs = "latency_ms"
    case runs
    case stepMs = "step_ms"
    case forwardMs = "forward_ms"
    case backwardMs = "backward_ms"
    case samplesPerSec = "samples_per_sec"
    case loss
    case loadMs = "load_ms"
    case compileMs = "compile_ms"
    case firstMs = "first_ms"
    case parameters, macs, flops
    case gflopsPerSec = "gflops_per_sec"
    case gbytesPerSec = "gbytes_per_sec"
    case pctPeakFlops = "pct_peak_flops"
    case pctPeakBandwidth = "pct_peak_bandwidth"
    case peakRssBytes = "peak_rss_bytes"
    case plannedBytes = "planned_bytes"
    case devicePeakBytes = "device_peak_bytes"
    case memoryMethod = "memory_method"
    case maxAbsDiff = "max_abs_diff"
    case maxRelDiff = "max_rel_diff"
    case top1Agreement = "top1_agreement"
    case samples, warnings, host, cpu, commit, date
  }
}

extension BenchRow {
  /// Summary of the iterations' times in milliseconds.
  public struct Latency: Codable, Hashable, Sendable {
    public var median: Double
    public var mean: Double
    public var sd: Double?
    public var min: Double
    public var max: Double
    public var p50: Double?
    public var p90: Double?
    public var p95: Double?
    public var p99: Double?

    /// Leaves out the percentiles there are too few samples for.
    public init(_ milliseconds: Statistics) {
      median = milliseconds.median
      mean = milliseconds.mean
      sd = milliseconds.standardDeviation
      min = milliseconds.minimum
      max = milliseconds.maximum
      p50 = milliseconds.percentile(50).value
      p90 = milliseconds.percentile(90).value
      p95 = milliseconds.percentile(95).value
      p99 = milliseconds.percentile(99).value
    }
  }

  /// Mean and sample standard deviation in milliseconds.
  public struct MeanAndDeviation: Codable, Hashable, Sendable {
    public var mean: Double
    public var sd: Double?

    public init(mean: Double, sd: Double?) {
      self.mean = mean
      self.sd = sd
    }

    /// The mean of all times and the deviation of the means of runs, which are so many stretches of
    /// as equal length as can be; nil without times.
    public init?(runs count: Int, of milliseconds: [Double]) {
      guard !milliseconds.isEmpty, count >= 1 else { return nil }
      let runs = min(count, milliseconds.count)
      let means = (0..<runs).map { run in
        let times = milliseconds[
          milliseconds.count * run / runs..<milliseconds.count * (run + 1) / runs]
        return times.reduce(0, +) / Double(times.count)
      }
      mean = milliseconds.reduce(0, +) / Double(milliseconds.count)
      sd = Statistics(means)?.standardDeviation
    }
  }

  /// The loss of a training before the first and the last step that ran.
  public struct Loss: Codable, Hashable, Sendable {
    public var first: Double
    public var last: Double

    public init(first: Double, last: Double) {
      self.first = first
      self.last = last
    }
  }

  /// Peaks of resident memory in bytes, phase by phase.
  public struct PhasePeaks: Codable, Hashable, Sendable {
    /// What was resident before the first phase.
    public var baseline: Int?
    public var load: Int?
    public var compile: Int?
    public var first: Int?
    public var steady: Int?

    public init(
      baseline: Int? = nil, load: Int? = nil, compile: Int? = nil, first: Int? = nil,
      steady: Int? = nil
    ) {
      self.baseline = baseline
      self.load = load
      self.compile = compile
      self.first = first
      self.steady = steady
    }
  }

  /// Bytes known before anything ran.
  public struct PlannedBytes: Codable, Hashable, Sendable {
    public var parameters: Int?
    /// Constants, and forms of the parameters that kernels read instead.
    public var prepared: Int?
    public var optimizerState: Int?
    /// Images, labels and what a run returns.
    public var arguments: Int?
    public var results: Int?
    public var arena: Int?
    /// What the arena holds when most of it is in use.
    public var gradients: Int?
    public var activations: Int?
    public var temporary: Int?
    public var scratch: Int?
    /// Updated parameters and states that lie where the old ones lay.
    public var aliased: Int?
    public var total: Int?

    public init(parameters: Int? = nil, arena: Int? = nil, total: Int? = nil) {
      self.parameters = parameters
      self.arena = arena
      self.total = total
    }

    private enum CodingKeys: String, CodingKey {
      case parameters, prepared
      case optimizerState = "optimizer_state"
      case arguments, results, arena, gradients, activations, temporary, scratch, aliased, total
    }
  }

  /// What the process took in its steady phase beyond what it had before.
  public var bytesBeyondBaseline: Int? {
    guard let peak = peakRssBytes?.steady, let baseline = peakRssBytes?.baseline else { return nil }
    return peak - baseline
  }

  /// Fills in what a measurement found: counts, latency, throughput.
  public mutating func take(_ samples: Samples) {
    n = samples.nanoseconds.count
    warmupN = samples.warmUpCount
    stopReason = samples.stopReason
    latencyMs = Statistics(samples.milliseconds).map(Latency.init)
    samplesPerSec = samples.throughput(batchSize: batchSize ?? 1)
  }
}
