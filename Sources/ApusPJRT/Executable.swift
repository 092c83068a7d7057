import ApusIR
import ApusRuntime
import CPJRT

/// What XLA made of a program: machine code for one kind of device, with what is known of it before
/// it runs.
public final class Executable: @unchecked Sendable {
  let handle: OpaquePointer
  /// The loaded executable it belongs to, which must be alive as long as it is asked anything.
  private let loaded: LoadedHandle?
  private let plugin: Plugin
  /// What it was compiled for, for messages.
  private let target: String

  init(
    _ handle: OpaquePointer, of loaded: LoadedHandle? = nil, _ plugin: Plugin, target: String
  ) {
    self.handle = handle
    self.loaded = loaded
    self.plugin = plugin
    self.target = target
  }

  deinit { functions.destroy(PJRTExecutableDestroy.self) { $0.executable = handle } }

  private var functions: FunctionTable { plugin.functions }

  /// The memory a run needs on the device; `nil` where the compiler does not say.
  public func memory() throws(BackendError) -> ProgramMemory? {
    do {
      let answer = try functions.call(PJRTExecutableGetCompiledMemoryStats.self, on: self) {
        $0.executable = handle
      }
      return ProgramMemory(answer)
    } catch {
      if error.code == .unimplemented { return nil }
      throw error.backendError(on: target)
    }
  }

  /// The program as XLA left it: its fusions and library calls.
  public func optimizedProgram() throws(BackendError) -> OptimizedProgram {
    let bytes: [UInt8]
    do {
      bytes = try optimizedProgramBytes()
    } catch {
      throw error.backendError(on: target)
    }
    guard let program = OptimizedProgram(bytes) else {
      throw .library(
        call: "PJRT_Executable_OptimizedProgram", status: "its answer is no HloModuleProto")
    }
    return program
  }

  /// A `HloModuleProtoWithConfig`.
  private func optimizedProgramBytes() throws(PluginFailure) -> [UInt8] {
    var room = PJRTRoom()
    return try withUnsafeMutablePointer(to: &room) { (room) throws(PluginFailure) in
      let program = UnsafeMutableRawPointer(room).bindMemory(to: PJRTProgram.self, capacity: 1)
      program.pointee.struct_size = Int(PJRTProgramSize)
      // Without room for the code only its size is told.
      try functions.call(PJRTExecutableOptimizedProgram.self, on: self, nested: room) {
        $0.executable = handle
        $0.program = program
      }
      let size = program.pointee.code_size
      let code = UnsafeMutablePointer<CChar>.allocate(capacity: max(size, 1))
      defer { code.deallocate() }
      program.pointee.code = code
      try functions.call(PJRTExecutableOptimizedProgram.self, on: self, nested: room) {
        $0.executable = handle
        $0.program = program
      }
      return Array(UnsafeRawBufferPointer(start: code, count: size))
    }
  }

  /// The executable as bytes that the same plugin loads on the same kind of device; `nil` where the
  /// plugin cannot write it.
  public func serialized() throws(BackendError) -> [UInt8]? {
    do {
      let answer = try functions.call(PJRTExecutableSerialize.self, on: self) {
        $0.executable = handle
      }
      defer {
        if let serialized = answer.serialized_executable {
          answer.serialized_executable_deleter?(serialized)
        }
      }
      return Array(
        UnsafeRawBufferPointer(
          start: answer.serialized_bytes, count: answer.serialized_bytes_size))
    } catch {
      if error.code == .unimplemented { return nil }
      throw error.backendError(on: target)
    }
  }

  /// The physical types of the results.
  func outputTypes() throws(PluginFailure) -> [TensorType] {
    let types = try functions.call(PJRTExecutableOutputElementTypes.self, on: self) {
      $0.executable = handle
    }
    let shapes = try functions.call(PJRTExecutableOutputDimensions.self, on: self) {
      $0.executable = handle
    }
    guard types.num_output_types == shapes.num_outputs else {
      throw .unimplemented("PJRT_Executable_OutputDimensions", "it contradicts the element types")
    }
    var dims = shapes.dims
    var outputs: [TensorType] = []
    for index in 0..<shapes.num_outputs {
      guard let dtype = DType(elementType: types.output_types[index]) else {
        throw .unimplemented(
          "PJRT_Executable_OutputElementTypes", "type \(types.output_types[index]) is not known")
      }
      let rank = shapes.dim_sizes[index]
      let extents = UnsafeBufferPointer(start: dims, count: rank).map(Int.init)
      dims = dims.map { $0 + rank }
      outputs.append(TensorType(dtype, Shape(extents)))
    }
    return outputs
  }
}
