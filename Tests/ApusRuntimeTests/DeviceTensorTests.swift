import ApusIR
import ApusReference
import ApusRuntime
import ApusTensor
import Synchronization
import Testing

/// What a made-up device has done.
private final class DeviceLog: Sendable {
  struct Counts: Hashable {
    var uploads = 0
    var downloads = 0
    var waits = 0
  }

  private let counts = Mutex(Counts())
  var all: Counts { counts.withLock { $0 } }
  func count(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }
}

/// A tensor that can be taken over, as the memory of a real device is.
private final class FakeTensor: RemoteTensor {
  private let value: Mutex<HostTensor?>
  private let log: DeviceLog
  let type: TensorType

  init(_ value: HostTensor, _ log: DeviceLog) {
    self.value = Mutex(value)
    self.log = log
    type = value.type
  }

  func wait() throws(BackendError) {
    log.count { $0.waits += 1 }
    _ = try content(takesOver: false)
  }

  func hostTensor() throws(BackendError) -> HostTensor {
    log.count { $0.downloads += 1 }
    return try content(takesOver: false)
  }

  /// What the device itself reads.
  func content(takesOver: Bool) throws(BackendError) -> HostTensor {
    let value = value.withLock { value in
      defer { if takesOver { value = nil } }
      return value
    }
    guard let value else { throw .library(call: "read", status: "taken over") }
    return value
  }
}

/// The reference on a made-up device that takes over what its programs update.
private struct FakeBackend: Backend {
  let log = DeviceLog()
  var name: String { "fake" }

  func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    FakeProgram(program: try ReferenceBackend().compile(graph, parameters), log: log)
  }
}

private struct FakeProgram: Program {
  let program: any Program
  let log: DeviceLog

  var inputs: [Input] { program.inputs }
  var outputs: [Graph.Output.Role] { program.outputs }
  var plannedSizeInBytes: PlannedSize { program.plannedSizeInBytes }

  func makeExecution() throws(BackendError) -> any Execution {
    FakeExecution(self, try program.makeExecution())
  }

  func upload(_ tensor: HostTensor, input: Int) throws(BackendError) -> DeviceTensor {
    log.count { $0.uploads += 1 }
    return .remote(FakeTensor(tensor, log))
  }
}

private final class FakeExecution: Execution {
  private let program: FakeProgram
  private let execution: any Execution

  init(_ program: FakeProgram, _ execution: any Execution) {
    self.program = program
    self.execution = execution
  }

  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor] {
    var values: [HostTensor] = []
    for (index, given) in inputs.enumerated() {
      var tensor = given
      if case .host(let host) = given { tensor = try program.upload(host, input: index) }
      guard case .remote(let remote) = tensor, let fake = remote as? FakeTensor else {
        throw .unsupported("a tensor of another device")
      }
      values.append(try fake.content(takesOver: program.inputs[index].path != nil))
    }
    return try execution.run(values).map { .remote(FakeTensor($0, program.log)) }
  }
}

@Suite("Tensors that stay on a device")
struct DeviceTensorTests {
  /// Adds the batch's sum to a state and returns what the state was.
  private func graph(_ batch: Int) throws -> Graph {
    try trace { scope in
      let x = scope.argument("x", .float32, [batch])
      let total = scope.state("total", [], .zeros)
      scope.update("total", try total + x.sum(0))
      return ["before": total]
    }
  }

  private func store() -> ParameterStore {
    var store = ParameterStore()
    store["total"] = HostTensor([], [100])
    return store
  }

  @Test("what a session updates goes to the device once, and comes back when asked for")
  func updates() throws {
    let backend = FakeBackend()
    let session = Session(backend, store(), graph: graph)
    let program = try session.prepare(batch: 2)
    let x = try program.upload(HostTensor([2], [1, 2]), input: 0)
    #expect(backend.log.all == .init(uploads: 1))
    for _ in 0..<5 { _ = try session.start(["x": x], batch: 2) }
    // The argument was not taken over; the state went there with the first run.
    #expect(backend.log.all == .init(uploads: 2))
    #expect(try session.updatedParameters["total"]?.floats == [115])
    #expect(backend.log.all == .init(uploads: 2, downloads: 1))
    // Other batch sizes go on with it.
    #expect(try session.run(["x": HostTensor([1], [7])], batch: 1)["before"]?.floats == [115])
    #expect(try session.updatedParameters["total"]?.floats == [122])
  }

  @Test("results are waited for without being copied")
  func waiting() throws {
    let backend = FakeBackend()
    let session = Session(backend, store(), graph: graph)
    let x = HostTensor([3], [1, 2, 3])
    let result = try #require(session.start(["x": .host(x)], batch: 3)["before"])
    try result.wait()
    #expect(result.type == TensorType(.float32, []))
    #expect(backend.log.all == .init(uploads: 2, waits: 1))
    #expect(try result.hostTensor().floats == [100])
  }

  @Test("tensors in host memory are there at once")
  func host() throws {
    let tensor = HostTensor([2], [1, 2])
    let program = try ReferenceBackend().compile(graph(2), PreparedParameters(store()))
    let uploaded = try program.upload(tensor, input: 0)
    try uploaded.wait()
    #expect(uploaded.type == tensor.type)
    #expect(try uploaded.hostTensor().isIdentical(to: tensor))
    #expect {
      try program.upload(HostTensor([3], [1, 2, 3]), input: 0)
    } throws: { "\($0)" == "input \"x\": must be float32[2], got float32[3]" }
  }

  @Test("a backend in host memory takes tensors of a device")
  func mixed() throws {
    let program = try ReferenceBackend().compile(graph(2), PreparedParameters(store()))
    let log = DeviceLog()
    let x = DeviceTensor.remote(FakeTensor(HostTensor([2], [1, 2]), log))
    let total = DeviceTensor.remote(FakeTensor(HostTensor([], [5]), log))
    var sums: [Float] = []
    for result in try program.makeExecution().start([x, total]) {
      sums += try result.hostTensor().floats
    }
    #expect(sums.sorted() == [5, 8])
    #expect(log.all.downloads == 2)
  }
}
