import ApusRuntime
import COneDNN

/// An object of the C library, destroyed with the last reference to it.
final class Handle: @unchecked Sendable {
  let pointer: OpaquePointer
  private let destroy: (OpaquePointer) -> Void

  init(
    _ pointer: OpaquePointer, destroy: @escaping (OpaquePointer) -> dnnl_status_t
  ) {
    self.pointer = pointer
    self.destroy = { _ = destroy($0) }
  }

  /// Makes an object with a C function that returns it through a pointer.
  convenience init(
    _ call: String, destroy: @escaping (OpaquePointer) -> dnnl_status_t,
    create: (UnsafeMutablePointer<OpaquePointer?>) -> dnnl_status_t
  ) throws(BackendError) {
    var pointer: OpaquePointer?
    try check(create(&pointer), call)
    guard let pointer else { throw .library(call: call, status: "no object") }
    self.init(pointer, destroy: destroy)
  }

  deinit { destroy(pointer) }
}

/// Throws unless a call of the library succeeded.
func check(_ status: dnnl_status_t, _ call: String) throws(BackendError) {
  if status == dnnl_success { return }
  throw .library(call: call, status: name(of: status))
}

private func name(of status: dnnl_status_t) -> String {
  switch status {
  case dnnl_out_of_memory: "out of memory"
  case dnnl_invalid_arguments: "invalid arguments"
  case dnnl_unimplemented: "not implemented on this CPU"
  case dnnl_runtime_error: "run-time error"
  default: "status \(status.rawValue)"
  }
}

/// The library's CPU engine; one serves the process.
enum Engine {
  static let cpu: Result<Handle, BackendError> = Result { () throws(BackendError) in
    try Handle("dnnl_engine_create", destroy: dnnl_engine_destroy) {
      dnnl_engine_create($0, dnnl_cpu, 0)
    }
  }

  static func pointer() throws(BackendError) -> OpaquePointer { try cpu.get().pointer }
}
