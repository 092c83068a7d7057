import ApusTensor

/// A part of a network: its `init` declares parameters in a scope, a call applies ops to tensors.
public protocol Layer {
  func callAsFunction(_ x: Tensor) throws -> Tensor
}
