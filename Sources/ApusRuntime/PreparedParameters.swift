import ApusIR
import Synchronization

/// One version of a network's parameters, with the forms that programs have made of them.
///
/// Programs for all batch sizes share a form: it is made once, under a key that names how.
public final class PreparedParameters: Sendable {
  private let values: Mutex<ParameterStore>
  private let forms = Mutex<[String: any Sendable]>([:])

  public init(_ store: ParameterStore) { values = Mutex(store) }

  /// The values that nobody has taken.
  public var store: ParameterStore { values.withLock { $0 } }

  /// The parameter at `path`.
  ///
  /// - Throws: `wrongParameter` where it is missing or not of the expected type.
  public func parameter(
    _ path: String, _ expected: TensorType
  ) throws(BackendError) -> HostTensor {
    let tensor = values.withLock { $0[path] }
    guard let tensor, tensor.type == expected else {
      throw .wrongParameter(path: path, expected: expected, given: tensor?.type)
    }
    return tensor
  }

  /// The parameter at `path`, which is not kept here any longer: runs update it from now on, and
  /// its first value need not stay beside the later ones.
  func take(_ path: String, _ expected: TensorType) throws(BackendError) -> HostTensor {
    let tensor = try parameter(path, expected)
    values.withLock { $0[path] = nil }
    return tensor
  }

  /// The form known under `key`, if a program has made it.
  public func form<Form: Sendable>(_ key: String, as: Form.Type = Form.self) -> Form? {
    forms.withLock { $0[key] as? Form }
  }

  /// Keeps a form for other programs; the first one kept under a key stays.
  public func keep<Form: Sendable>(_ form: Form, as key: String) {
    forms.withLock { if $0[key] == nil { $0[key] = form } }
  }
}
