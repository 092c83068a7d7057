import ApusRuntime
import CPJRT

/// Starts runs of a compiled program; used by one thread at a time.
///
/// All that a call hands to the plugin is prepared once: a run allocates its results and nothing
/// else.
public final class Launcher {
  public let executable: LoadedExecutable

  private let functions: FunctionTable
  private let arguments: UnsafeMutablePointer<OpaquePointer?>
  private let results: UnsafeMutablePointer<OpaquePointer?>
  /// The lists for the one device there is.
  private let argumentLists: UnsafeMutablePointer<UnsafePointer<OpaquePointer?>?>
  private let resultLists: UnsafeMutablePointer<UnsafeMutablePointer<OpaquePointer?>?>
  private let optionsRoom: UnsafeMutablePointer<PJRTRoom>
  private let options: UnsafeMutablePointer<PJRTExecuteOptions>

  public init(_ executable: LoadedExecutable) {
    self.executable = executable
    functions = executable.device.functions
    arguments = .allocate(capacity: max(executable.inputs.count, 1))
    results = .allocate(capacity: max(executable.outputs.count, 1))
    results.initialize(repeating: nil, count: max(executable.outputs.count, 1))
    argumentLists = .allocate(capacity: 1)
    argumentLists.initialize(to: UnsafePointer(arguments))
    resultLists = .allocate(capacity: 1)
    resultLists.initialize(to: results)
    optionsRoom = .allocate(capacity: 1)
    optionsRoom.initialize(to: PJRTRoom())
    options = UnsafeMutableRawPointer(optionsRoom).bindMemory(
      to: PJRTExecuteOptions.self, capacity: 1)
    options.pointee.struct_size = Int(PJRTExecuteOptionsSize)
  }

  deinit {
    optionsRoom.deallocate()
    resultLists.deallocate()
    argumentLists.deallocate()
    results.deallocate()
    arguments.deallocate()
  }

  /// Starts a run and returns its results, which other runs may be given before they are computed.
  ///
  /// What the program's text donates is taken over: those buffers must not be used again.
  ///
  /// - Parameter kept: inputs, by their places, that are not to be taken over this time, in order.
  /// - Throws: `wrongInput` where a buffer has another type or layout than the program reads, or
  ///   lies on another device.
  public func start(
    _ inputs: [DeviceBuffer], keeping kept: [Int64] = []
  ) throws(BackendError) -> [DeviceBuffer] {
    try check(inputs)
    for (index, input) in inputs.enumerated() { arguments[index] = input.handle }
    let device = executable.device
    do throws(PluginFailure) {
      try kept.withUnsafeBufferPointer { (kept) throws(PluginFailure) in
        options.pointee.non_donatable_input_indices = kept.isEmpty ? nil : kept.baseAddress
        options.pointee.num_non_donatable_input_indices = kept.count
        try functions.call(PJRTLoadedExecutableExecute.self, on: self, nested: optionsRoom) {
          $0.executable = executable.handle
          $0.options = options
          $0.argument_lists = UnsafePointer(argumentLists)
          $0.num_devices = 1
          $0.num_args = inputs.count
          $0.output_lists = UnsafePointer(resultLists)
        }
      }
    } catch {
      throw error.backendError(on: "\(device.name)")
    }
    withExtendedLifetime(inputs) {}
    return try adoptResults()
  }

  private func adoptResults() throws(BackendError) -> [DeviceBuffer] {
    var buffers: [DeviceBuffer] = []
    buffers.reserveCapacity(executable.outputs.count)
    var isComplete = true
    for (index, output) in executable.outputs.enumerated() {
      guard let result = results[index] else {
        isComplete = false
        continue
      }
      results[index] = nil
      buffers.append(DeviceBuffer(result, output, executable.device))
    }
    guard isComplete else {
      throw .library(call: "PJRT_LoadedExecutable_Execute", status: "a result is missing")
    }
    return buffers
  }

  private func check(_ inputs: [DeviceBuffer]) throws(BackendError) {
    let expected = executable.inputs
    for (index, layout) in expected.enumerated() {
      guard index < inputs.count, inputs[index].layout == layout,
        inputs[index].device == executable.device
      else {
        let given = index < inputs.count ? inputs[index] : nil
        throw .wrongInput(
          name: "argument \(index)", expected: layout.physical, given: given?.layout.physical)
      }
    }
    guard inputs.count == expected.count else {
      throw .unsupported("the program takes \(expected.count) inputs, got \(inputs.count)")
    }
  }
}

extension Device: Equatable {
  public static func == (left: Device, right: Device) -> Bool {
    left.client === right.client && left.number == right.number
  }
}
