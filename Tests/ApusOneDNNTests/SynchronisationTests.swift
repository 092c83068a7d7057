import ApusBench
import ApusIR
import ApusOneDNN
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Runs in the background, and may forget to wait: what a backend of a device does whose `wait` lacks
/// the synchronisation.
private struct BackgroundBackend: Backend {
  let inner: OneDNNBackend
  let forgets: Bool

  var name: String { "background" }

  func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    BackgroundProgram(inner: try inner.compile(graph, parameters), forgets: forgets)
  }
}

private struct BackgroundProgram: Program {
  let inner: any Program
  let forgets: Bool

  var inputs: [Input] { inner.inputs }
  var outputs: [Graph.Output.Role] { inner.outputs }
  var plannedSizeInBytes: PlannedSize { inner.plannedSizeInBytes }

  func makeExecution() throws(BackendError) -> any Execution {
    BackgroundExecution(try inner.makeExecution(), forgets: forgets, type: outputType)
  }

  private var outputType: TensorType { TensorType(.float32, [8, 64, 56, 56]) }
}

/// Of what it holds, only the queue touches the execution.
private final class BackgroundExecution: Execution, @unchecked Sendable {
  /// One run after the other.
  private let queue = DispatchQueue(label: "background")
  private let inner: any Execution
  private let forgets: Bool
  private let type: TensorType

  init(_ inner: any Execution, forgets: Bool, type: TensorType) {
    (self.inner, self.forgets, self.type) = (inner, forgets, type)
  }

  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor] {
    let result = Pending(type, forgets: forgets)
    queue.async { [self] in
      result.finish(Result { try inner.start(inputs)[0].hostTensor() })
    }
    return [.remote(result)]
  }
}

/// A result that is on its way.
private final class Pending: RemoteTensor {
  let type: TensorType
  private let forgets: Bool
  private let done = DispatchGroup()
  private let value = Mutex<Result<HostTensor, any Error>?>(nil)

  init(_ type: TensorType, forgets: Bool) {
    (self.type, self.forgets) = (type, forgets)
    done.enter()
  }

  func finish(_ result: Result<HostTensor, any Error>) {
    value.withLock { $0 = result }
    done.leave()
  }

  func wait() throws(BackendError) {
    if !forgets { done.wait() }
  }

  func hostTensor() throws(BackendError) -> HostTensor {
    done.wait()
    guard case .success(let tensor)? = value.withLock({ $0 }) else {
      throw .unsupported("the run failed")
    }
    return tensor
  }
}

@Suite("A backend that does not wait for its results")
struct SynchronisationTests {
  /// A convolution of 0.92 G multiplications, measured as `apus bench` measures.
  private func row(forgets: Bool, limits: SpeedLimits) throws -> BenchRow {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [8, 64, 56, 56])
      let filter = scope.parameter("filter", [64, 64, 3, 3], .heNormal)
      return ["y": try convolution(x, filter, Convolution(padding: Padding2D(1)))]
    }
    let backend = BackgroundBackend(
      inner: OneDNNBackend(.compiled, threads: 1, exact: true), forgets: forgets)
    let execution = try backend.compile(
      graph, PreparedParameters(ParameterStore(initializing: graph, seed: .random(in: 0...99)))
    ).makeExecution()
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let images = DeviceTensor.host(random.tensor([8, 64, 56, 56], in: -1...1))
    var last: DeviceTensor?
    let samples = try measure(.fixed(warmUps: 1, iterations: 5)) {
      last = try execution.start([images])[0]
      try last?.wait()
    }
    // Nothing shall go on in the background after the measurement.
    _ = try last?.hostTensor()
    var row = BenchRow(status: .ok, model: "convolution", mode: "infer")
    row.take(samples)
    let median = try #require(row.latencyMs?.median)
    row.gflopsPerSec = 2 * 8 * 64 * 64 * 9 * 56 * 56 / median * 1e-6
    row.hold(against: limits)
    return row
  }

  @Test("is caught by the peaks of the machine, and one that waits is not")
  func caught() throws {
    let peaks = try MachinePeaks.measure(threads: 1)
    let limits = SpeedLimits(
      gflopsPerSec: peaks.flopsPerSecond * 1e-9, gbytesPerSec: peaks.cacheBytesPerSecond * 1e-9)
    let right = try row(forgets: false, limits: limits)
    #expect(right.status == .ok, "\(right.reason ?? "")")
    #expect(try #require(right.pctPeakFlops) > 1)
    let wrong = try row(forgets: true, limits: limits)
    #expect(wrong.status == .failed)
    #expect(wrong.reason?.contains("some result was not waited for") == true)
  }
}
