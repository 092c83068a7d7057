import ApusIR
import ApusRuntime
import ApusStableHLO
import CPJRT

/// A tensor in a device's memory, released with the last reference.
public final class DeviceBuffer: RemoteTensor, @unchecked Sendable {
  /// The type, and the order of the axes in memory.
  public let layout: PhysicalType
  public let device: Device

  let handle: OpaquePointer

  public var type: TensorType { layout.logical }

  /// Adopts a plugin's buffer.
  init(_ handle: OpaquePointer, _ layout: PhysicalType, _ device: Device) {
    self.handle = handle
    self.layout = layout
    self.device = device
  }

  deinit { functions.destroy(PJRTBufferDestroy.self) { $0.buffer = handle } }

  private var functions: FunctionTable { device.functions }

  /// Whether a run has taken over the memory.
  public var isDeleted: Bool {
    get throws(BackendError) {
      try checked { () throws(PluginFailure) in
        try functions.call(PJRTBufferIsDeleted.self, on: self) { $0.buffer = handle }.is_deleted
      }
    }
  }

  /// The memory it takes on the device, in bytes.
  public var sizeInBytes: Int {
    get throws(BackendError) {
      try checked { () throws(PluginFailure) in
        try functions.call(PJRTBufferOnDeviceSizeInBytes.self, on: self) { $0.buffer = handle }
          .on_device_size_in_bytes
      }
    }
  }

  /// Where it lies on the device: a recorded graph of kernels is replayed as it is only as long as
  /// addresses stay the same.
  public var address: UInt {
    get throws(BackendError) {
      try checked { () throws(PluginFailure) in
        try functions.call(PJRTBufferUnsafePointer.self, on: self) { $0.buffer = handle }
          .buffer_pointer
      }
    }
  }

  public func wait() throws(BackendError) {
    try checked { () throws(PluginFailure) in
      let event = try functions.call(PJRTBufferReadyEvent.self, on: self) { $0.buffer = handle }
        .event
      try functions.await(event, of: self)
    }
  }

  /// The values in host memory, with the axes in their logical order.
  public func hostTensor() throws(BackendError) -> HostTensor {
    let stored = try checked { () throws(PluginFailure) in
      try HostTensor(layout.physical) { bytes throws(PluginFailure) in
        // The address of nothing may be nil, which would ask for the size.
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return try waitForNothing() }
        let event = try functions.call(PJRTBufferToHostBuffer.self, on: self) {
          $0.src = handle
          $0.dst = start
          $0.dst_size = bytes.count
        }.event
        try functions.await(event, of: self)
      }
    }
    return stored.logical(from: layout)
  }

  /// Copies to another device of the client.
  public func copy(to other: Device) throws(BackendError) -> DeviceBuffer {
    precondition(other.client === device.client)
    let copy = try checked { () throws(PluginFailure) in
      try functions.call(PJRTBufferCopyToDevice.self, on: self) {
        $0.buffer = handle
        $0.dst_device = other.pointer
      }.dst_buffer
    }
    guard let copy else {
      throw .library(call: "PJRT_Buffer_CopyToDevice", status: "it made no buffer")
    }
    return DeviceBuffer(copy, layout, other)
  }

  private func waitForNothing() throws(PluginFailure) {
    let event = try functions.call(PJRTBufferReadyEvent.self, on: self) { $0.buffer = handle }.event
    try functions.await(event, of: self)
  }

  private func checked<Result>(
    _ body: () throws(PluginFailure) -> Result
  ) throws(BackendError) -> Result {
    do throws(PluginFailure) {
      return try body()
    } catch {
      throw error.backendError(on: "\(device.name)")
    }
  }
}

extension FunctionTable {
  /// Waits for an event and destroys it.
  ///
  /// - Throws: what went wrong in what the event stands for.
  func await(_ event: OpaquePointer?, of owner: AnyObject) throws(PluginFailure) {
    guard let event else { return }
    defer { destroy(PJRTEventDestroy.self) { $0.event = event } }
    try call(PJRTEventAwait.self, on: owner) { $0.event = event }
  }
}
