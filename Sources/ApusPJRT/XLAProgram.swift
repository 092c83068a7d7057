import ApusIR
import ApusRuntime
import ApusStableHLO

/// A graph compiled for an XLA device, with its parameters there.
struct XLAProgram: Program {
  enum Code: Sendable {
    case whole(LoadedExecutable)
    case nodes(NodePrograms)
  }

  let inputs: [Input]
  let outputs: [Graph.Output.Role]
  let plannedSizeInBytes: PlannedSize
  let code: Code
  let device: Device
  /// How the inputs of the graph that is run lie on the device.
  let layouts: [PhysicalType]
  /// What no run changes, at the places of those inputs; `nil` for what every run is given.
  let statics: [DeviceBuffer?]
  /// Where each of ``inputs`` stands among them.
  let places: [Int]

  /// - Parameters:
  ///   - graph: as the user sees it; `run` is what is left of it for every run.
  init(
    _ graph: Graph, _ run: Graph, _ code: Code, _ statics: StaticInputs, _ device: Device
  ) throws(BackendError) {
    self.code = code
    self.device = device
    layouts = run.inputs.map { PhysicalType(standard: $0.input.type) }
    self.statics = layouts.indices.map { statics.buffers[$0] }
    places = layouts.indices.filter { statics.buffers[$0] == nil }
    let updated = graph.updatedPaths
    inputs = graph.inputs.map(\.input).filter { input in
      input.path.map(updated.contains) ?? true
    }
    outputs = graph.outputs.map(\.role)
    precondition(inputs.map(\.role) == places.map { run.inputs[$0].input.role })
    let (states, arguments) = (inputs.filter { $0.path != nil }, inputs.filter { $0.path == nil })
    plannedSizeInBytes = PlannedSize(
      parameters: statics.sizeInBytes, arena: try Self.temporarySize(code),
      states: states.reduce(0) { $0 + $1.type.sizeInBytes },
      arguments: arguments.reduce(0) { $0 + $1.type.sizeInBytes })
  }

  func makeExecution() throws(BackendError) -> any Execution {
    switch code {
    case .whole(let executable): WholeExecution(self, executable)
    case .nodes(let programs): NodeExecution(self, programs)
    }
  }

  func upload(_ tensor: HostTensor, input: Int) throws(BackendError) -> DeviceTensor {
    .remote(try buffer(.host(tensor), input: input))
  }

  /// An input of a run where and how the program reads it.
  func buffer(_ tensor: DeviceTensor, input: Int) throws(BackendError) -> DeviceBuffer {
    let layout = layouts[places[input]]
    switch tensor {
    case .remote(let remote):
      if let buffer = remote as? DeviceBuffer, buffer.layout == layout, buffer.device == device {
        return buffer
      }
      return try self.buffer(.host(remote.hostTensor()), input: input)
    case .host(let tensor):
      let expected = inputs[input]
      // What the program computes in another type is given in that type too.
      guard tensor.type == expected.type || tensor.type == layout.logical else {
        throw .wrongInput(name: expected.name, expected: expected.type, given: tensor.type)
      }
      return try device.upload(tensor.converted(to: layout.logical.dtype), as: layout)
    }
  }

  /// All inputs of the graph that is run.
  func buffers(_ tensors: [DeviceTensor]) throws(BackendError) -> [DeviceBuffer?] {
    guard tensors.count == inputs.count else {
      let missing = inputs[min(tensors.count, inputs.count - 1)]
      throw .wrongInput(name: missing.name, expected: missing.type, given: nil)
    }
    var buffers = statics
    for (index, tensor) in tensors.enumerated() {
      buffers[places[index]] = try buffer(tensor, input: index)
    }
    return buffers
  }

  private static func temporarySize(_ code: Code) throws(BackendError) -> Int {
    switch code {
    case .whole(let executable):
      let memory = try executable.executable.memory()
      return memory.map { $0.temporary + $0.results - $0.alias } ?? 0
    case .nodes(let programs): return programs.peakSizeInBytes
    }
  }
}

/// Runs the program of a whole graph.
private final class WholeExecution: Execution {
  private let program: XLAProgram
  private let launcher: Launcher

  init(_ program: XLAProgram, _ executable: LoadedExecutable) {
    self.program = program
    launcher = Launcher(executable)
  }

  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor] {
    let buffers = try program.buffers(inputs).compactMap(\.self)
    return try launcher.start(buffers).map(DeviceTensor.remote)
  }
}

extension XLABackend {
  /// What the compiler says of a program's memory; `nil` where it says nothing, and for programs of
  /// other backends or of one node each.
  package static func memory(of program: any Program) throws(BackendError) -> ProgramMemory? {
    guard let program = program as? XLAProgram, case .whole(let executable) = program.code else {
      return nil
    }
    return try executable.executable.memory()
  }

  /// The parameters of a program on the device: programs that share one have the same object.
  package static func staticBuffers(of program: any Program) -> [ObjectIdentifier] {
    guard let program = program as? XLAProgram else { return [] }
    return program.statics.compactMap { $0.map(ObjectIdentifier.init) }
  }
}
