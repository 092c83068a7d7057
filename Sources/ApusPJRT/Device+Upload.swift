import ApusIR
import ApusRuntime
import ApusStableHLO
import CPJRT

extension Device {
  /// Starts to copy a tensor to the device; the host memory stays alive until that is done.
  ///
  /// - Parameter layout: how it shall lie there; row-major unless told.
  /// - Precondition: the layout is one of the tensor's type.
  public func upload(
    _ tensor: HostTensor, as layout: PhysicalType? = nil
  ) throws(BackendError) -> DeviceBuffer {
    let layout = layout ?? PhysicalType(tensor.type, order: Array(tensor.shape.indices))
    precondition(layout.logical == tensor.type)
    do throws(PluginFailure) {
      let answer = try startUpload(tensor, layout)
      release(tensor.storage, after: answer.done_with_host_buffer)
      guard let buffer = answer.buffer else {
        throw PluginFailure(
          call: "PJRT_Client_BufferFromHostBuffer", code: .unknown, message: "it made no buffer")
      }
      return DeviceBuffer(buffer, layout, self)
    } catch {
      throw error.backendError(on: "\(name)")
    }
  }

  private func startUpload(
    _ tensor: HostTensor, _ layout: PhysicalType
  ) throws(PluginFailure) -> PJRTClientBufferFromHostBuffer {
    let dims = layout.order.map { Int64(tensor.shape[$0]) }
    let strides = tensor.shape.rowMajorStrides
    let byteStrides = layout.order.map { Int64(strides[$0] * tensor.dtype.sizeInBytes) }
    return try withDims(dims, byteStrides) { (dims, byteStrides) throws(PluginFailure) in
      try tensor.withUnsafeBytes { (bytes) throws(PluginFailure) in
        try functions.call(PJRTClientBufferFromHostBuffer.self, on: client) {
          $0.client = client.handle
          // Of nothing the plugin still wants an address.
          $0.data = bytes.baseAddress ?? UnsafeRawPointer(dims.baseAddress)
          $0.type = tensor.dtype.elementType
          $0.dims = dims.baseAddress
          $0.num_dims = dims.count
          $0.byte_strides = layout.isRowMajor ? nil : byteStrides.baseAddress
          $0.num_byte_strides = layout.isRowMajor ? 0 : byteStrides.count
          $0.host_buffer_semantics = UInt32(PJRTHostBufferImmutableUntilTransferCompletes)
          $0.device = pointer
        }
      }
    }
  }

  private func withDims<Result>(
    _ dims: [Int64], _ byteStrides: [Int64],
    _ body: (UnsafeBufferPointer<Int64>, UnsafeBufferPointer<Int64>) throws(PluginFailure) -> Result
  ) throws(PluginFailure) -> Result {
    try dims.withUnsafeBufferPointer { (dims) throws(PluginFailure) in
      try byteStrides.withUnsafeBufferPointer { (byteStrides) throws(PluginFailure) in
        try body(dims, byteStrides)
      }
    }
  }

  /// Keeps memory alive until an event, without waiting for it, and destroys the event.
  private func release(_ storage: HostTensor.Storage, after event: OpaquePointer?) {
    guard let event else { return }
    defer { functions.destroy(PJRTEventDestroy.self) { $0.event = event } }
    if let answer = try? functions.call(PJRTEventIsReady.self, on: client, { $0.event = event }),
      answer.is_ready
    {
      return
    }
    let keeper = Unmanaged.passRetained(StorageKeeper(storage, functions))
    do {
      try functions.call(PJRTEventOnReady.self, on: client) {
        $0.event = event
        $0.callback = { StorageKeeper.release($1, error: $0) }
        $0.user_arg = keeper.toOpaque()
      }
    } catch {
      // Nobody will call back, so it is waited for.
      _ = try? functions.call(PJRTEventAwait.self, on: client) { $0.event = event }
      keeper.release()
    }
  }
}

/// Memory that a transfer still reads.
private final class StorageKeeper {
  private let storage: HostTensor.Storage
  private let functions: FunctionTable

  init(_ storage: HostTensor.Storage, _ functions: FunctionTable) {
    self.storage = storage
    self.functions = functions
  }

  /// Called by the plugin, on a thread of its own, with an error that is ours to destroy; the
  /// buffer's readers get the same one.
  static func release(_ keeper: UnsafeMutableRawPointer?, error: OpaquePointer?) {
    guard let keeper else { return }
    let unmanaged = Unmanaged<StorageKeeper>.fromOpaque(keeper)
    if let error {
      unmanaged.takeUnretainedValue().functions.destroy(PJRTErrorDestroy.self) { $0.error = error }
    }
    unmanaged.release()
  }
}
