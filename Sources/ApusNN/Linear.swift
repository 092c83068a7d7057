import ApusIR
import ApusTensor

/// A fully connected layer `y = x · weightᵀ + bias`.
public struct Linear: Layer {
  let weight: Tensor
  let bias: Tensor?

  /// Declares `weight` `[outputs, inputs]` and, if wanted, `bias` `[outputs]`.
  ///
  /// - Parameter biasInitializer: in place of PyTorch's default, uniform in ±1/√inputs.
  public init(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, bias: Bool = true,
    biasInitializer: Initializer? = nil
  ) {
    weight = scope.parameter("weight", [outputs, inputs], .uniformFanIn(inputs))
    let initializer = biasInitializer ?? .uniformFanIn(inputs)
    self.bias = bias ? scope.parameter("bias", [outputs], initializer) : nil
  }

  /// `[n, inputs] → [n, outputs]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let product = try dot(x, weight, transposesRight: true)
    guard let bias else { return product }
    return try product + bias
  }
}
