import ApusIR
import ApusPasses
import ApusRuntime
import ApusStableHLO

/// The inputs of a program that no run changes, on the device; programs share what they need alike.
struct StaticInputs {
  /// By the place among the inputs of the graph that is run.
  private(set) var buffers: [Int: DeviceBuffer] = [:]

  private let backend: XLABackend
  private let parameters: PreparedParameters

  init(
    _ backend: XLABackend, _ split: SplitGraph, _ parameters: PreparedParameters
  ) throws(BackendError) {
    self.backend = backend
    self.parameters = parameters
    let prepared = try prepare(split.preparation)
    let updated = split.run.updatedPaths
    for (index, (input, _)) in split.run.inputs.enumerated() {
      guard let path = input.path, !updated.contains(path) else { continue }
      if let made = prepared[path] {
        buffers[index] = made
      } else {
        buffers[index] = try buffer(path, input.type)
      }
    }
  }

  /// Bytes on the device.
  var sizeInBytes: Int { buffers.values.reduce(0) { $0 + $1.type.sizeInBytes } }

  /// The results of the preparation by their names.
  private func prepare(_ graph: Graph) throws(BackendError) -> [String: DeviceBuffer] {
    if graph.outputs.isEmpty { return [:] }
    let module = try backend.module(for: graph)
    let key = "xla \(backend.device.name) \(backend.device.client.plugin.path) \(module.text)"
    let results: [DeviceBuffer]
    if let known = parameters.form(key, as: [DeviceBuffer].self) {
      results = known
    } else {
      var inputs: [DeviceBuffer] = []
      for ((input, _), layout) in zip(graph.inputs, module.inputs) {
        let tensor = try parameters.parameter(input.name, input.type)
        inputs.append(try backend.device.upload(tensor, as: layout))
      }
      let program = try backend.device.compile(module, backend.options, cache: backend.cache)
      results = try Launcher(program).start(inputs)
      parameters.keep(results, as: key)
    }
    var named: [String: DeviceBuffer] = [:]
    for (output, result) in zip(graph.outputs, results) {
      if case .result(let name) = output.role { named[name] = result }
    }
    return named
  }

  /// A parameter as it is loaded.
  private func buffer(_ path: String, _ type: TensorType) throws(BackendError) -> DeviceBuffer {
    let key = "xla \(backend.device.name) \(backend.device.client.plugin.path) parameter \(path)"
    if let known = parameters.form(key, as: DeviceBuffer.self), known.type == type { return known }
    let tensor = try parameters.parameter(path, type)
    let buffer = try backend.device.upload(tensor, as: PhysicalType(standard: type))
    parameters.keep(buffer, as: key)
    return buffer
  }
}
