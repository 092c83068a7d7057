import ApusIR
import ApusTensor

/// States of a scope that are updated together, all of them or none.
struct Memory {
  let scope: Scope
  /// Whether this run updates them, `bool[]`; `nil`: every run does.
  let condition: Tensor?

  /// Declares a state; makes what `next` makes of it its next value, and returns that.
  func updated(
    _ name: String, like model: Tensor, _ dtype: DType? = nil,
    from initializer: Initializer = .zeros, next: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let old = scope.state(name, model.shape, initializer, dtype: dtype ?? model.dtype)
    let new = try next(old)
    try update(name, old, to: new, in: scope)
    return new
  }

  /// Makes `new` the next value of a parameter or state of `owner`, where the condition holds.
  func update(_ name: String, _ old: Tensor, to new: Tensor, in owner: Scope) throws {
    guard let condition else { return owner.update(name, new) }
    owner.update(name, try select(condition.broadcast(to: new.shape), new, old))
  }
}
