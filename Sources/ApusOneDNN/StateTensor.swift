import ApusIR
import ApusRuntime
import Synchronization

/// A parameter or state that runs update, in memory of its own: each run takes it over and leaves
/// the next value there.
final class StateTensor: RemoteTensor {
  let type: TensorType
  /// `nil` once a run has taken it over.
  private let storage: Mutex<HostTensor.Storage?>

  /// Adopts memory that holds a value.
  init(_ type: TensorType, _ storage: HostTensor.Storage) {
    self.type = type
    self.storage = Mutex(storage)
  }

  /// Copies a value.
  convenience init(copying tensor: HostTensor) {
    let storage = HostTensor.Storage(pagesFor: tensor.type.sizeInBytes)
    tensor.withUnsafeBytes { storage.bytes.copyMemory(from: $0) }
    self.init(tensor.type, storage)
  }

  /// The memory, which is the caller's from now on.
  func takeOver() throws(BackendError) -> HostTensor.Storage {
    let taken = storage.withLock { storage in
      defer { storage = nil }
      return storage
    }
    guard let taken else { throw Self.isTakenOver }
    return taken
  }

  func wait() throws(BackendError) {
    if storage.withLock({ $0 == nil }) { throw Self.isTakenOver }
  }

  /// A copy of the value: the next run changes the memory.
  func hostTensor() throws(BackendError) -> HostTensor {
    let copy = storage.withLock { storage in
      storage.map { storage in
        HostTensor(type) { bytes in bytes.copyMemory(from: UnsafeRawBufferPointer(storage.bytes)) }
      }
    }
    guard let copy else { throw Self.isTakenOver }
    return copy
  }

  private static var isTakenOver: BackendError {
    .unsupported(
      "a parameter or state that a run has taken over cannot be used again; use that run's results")
  }
}
