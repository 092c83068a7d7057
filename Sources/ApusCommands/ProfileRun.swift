import Apus
import ApusBench
import ApusOneDNN

/// A network made ready to be profiled, and its measurement.
struct ProfileRun {
  let profiler: Profiler
  private let loaded: LoadedModel
  private let graph: Graph
  private let batch: Int
  private let imageSize: Int
  private let execution: ExecutionOption
  private let threads: Int
  private let rules: MeasuringRules
  private let peaks: MachinePeaks
  private let images: HostTensor

  /// The measured runs.
  struct Runs {
    var times: [RunTimes] = []
    var samples: Samples
  }

  init(
    _ loaded: LoadedModel, batch: Int, imageSize: Int, execution: ExecutionOption, cpu: CPUFlags,
    threads: Int, rules: MeasuringRules
  ) throws {
    self.loaded = loaded
    (self.batch, self.imageSize, self.execution) = (batch, imageSize, execution)
    (self.threads, self.rules) = (threads, rules)
    graph = try loaded.model.graph(batch: batch, imageSize: imageSize, loaded.options)
    let type = TensorType(.float32, [batch, loaded.model.input.channels, imageSize, imageSize])
    // The generator makes a second copy.
    try HostMemory.require(2 * type.sizeInBytes)
    var random = RandomSource(seed: 1, stream: "images")
    images = random.tensor(.normal, type)
    peaks = try MachinePeaks.measure(threads: threads)
    profiler = try cpu.backend(execution, threads: threads)
      .profiler(for: graph, PreparedParameters(loaded.parameters))
  }

  /// Runs until the rules are fulfilled, or until `shouldStop` says so.
  func measure(until shouldStop: () -> Bool) throws -> Runs {
    var measurement = LatencyMeasurement(rules)
    var times: [RunTimes] = []
    while !measurement.isDone {
      if shouldStop() {
        measurement.interrupt()
        break
      }
      let run = try profiler.run([.host(images)])
      if measurement.phase == .measuring { times.append(run) }
      measurement.add(nanoseconds: Int64(run.run.count))
    }
    return Runs(times: times, samples: measurement.samples)
  }

  /// What the runs, one at least, say of each step.
  func report(of runs: Runs, on machine: MachineState) throws -> ProfileReport {
    let rows = profiler.steps.indices.compactMap { index in
      milliseconds(runs) { $0.nanoseconds(ofStep: index) }.map { times in
        ProfileRow(
          index: index + 1, profiler.steps[index], microBatches: profiler.microBatches, times,
          peaks)
      }
    }
    let median = milliseconds(runs) { Int64($0.run.count) }?.median ?? 0
    let warnings =
      MeasurementWarning.about(runs.samples, rules: rules)
      + MeasurementWarning.about(machine, threads: threads)
    return ProfileReport(
      model: loaded.model.name, execution: execution.rawValue, batchSize: batch,
      microBatch: batch / profiler.microBatches, imageSize: imageSize, threads: threads,
      runs: runs.times.count,
      stopReason: runs.samples.stopReason, medianMs: median,
      overheadMs: milliseconds(runs, \.overhead)?.median ?? 0,
      gflopsPerSec: median > 0 ? 2 * Double(graph.macs) / median * 1e-6 : 0,
      peaks: ProfileReport.Peaks(peaks), steps: rows, kinds: ProfileSum.sums(of: rows),
      warnings: warnings.map(\.description))
  }

  private func milliseconds(_ runs: Runs, _ time: (RunTimes) -> Int64) -> Statistics? {
    Statistics(runs.times.map { Double(time($0)) * 1e-6 })
  }
}
