import ApusIR

/// A tensor where a backend reads and leaves it: in host memory, or on a device.
public enum DeviceTensor: Sendable {
  case host(HostTensor)
  case remote(any RemoteTensor)
}

/// A tensor in the memory of a device; its values may still be on their way.
public protocol RemoteTensor: AnyObject, Sendable {
  /// The type, with the axes in their logical order.
  var type: TensorType { get }

  /// Returns when the values are there.
  ///
  /// - Throws: why they could not be computed or transferred.
  func wait() throws(BackendError)

  /// Waits for the values and copies them to host memory.
  func hostTensor() throws(BackendError) -> HostTensor
}

extension DeviceTensor {
  /// The type, with the axes in their logical order.
  public var type: TensorType {
    switch self {
    case .host(let tensor): tensor.type
    case .remote(let tensor): tensor.type
    }
  }

  /// Returns when the values are there.
  public func wait() throws(BackendError) {
    switch self {
    case .host: return
    case .remote(let tensor): try tensor.wait()
    }
  }

  /// The values in host memory, waited for and copied from a device where they lie on one.
  public func hostTensor() throws(BackendError) -> HostTensor {
    switch self {
    case .host(let tensor): return tensor
    case .remote(let tensor): return try tensor.hostTensor()
    }
  }
}
