import ApusAutodiff
import ApusIR
import ApusNN
import ApusTensor

/// What a graph of a network's training computes beside the loss.
public enum TrainingStep: Hashable, Sendable, CaseIterable {
  /// Nothing: the forward half.
  case loss
  /// The gradient of every parameter, as a result under the parameter's path.
  case gradients
  /// The next values of parameters, by stochastic gradient descent with momentum 0.9; the learning
  /// rate is the argument `learning_rate`.
  case update
}

extension Model {
  /// The graph of a training step as the field measures it: arguments `images`
  /// `[batch, channels, imageSize, imageSize]` and `labels` `int32[batch]`, result `loss`, the mean
  /// cross-entropy. Batch norms go by the batch and update their statistics.
  ///
  /// - Throws: ``ModelError``; `GraphError`.
  public func graph(
    _ step: TrainingStep, batch: Int, imageSize: Int? = nil,
    _ options: NetworkOptions = NetworkOptions()
  ) throws -> Graph {
    // Images of a wrong size are explained.
    _ = try graph(batch: batch, imageSize: imageSize, options, training: true)
    let side = imageSize ?? input.size
    let shape: Shape = [batch, input.channels, side, side]
    var gradients: [(name: String, tensor: Tensor)] = []
    var graph = try trace(training: true) { scope in
      let loss = try loss(scope, shape, options)
      switch step {
      case .loss: break
      case .gradients: gradients = try self.gradients(of: loss, scope)
      case .update: try Self.minimize(loss, scope)
      }
      return ["loss": loss]
    }
    for (name, tensor) in gradients { graph.output(.result(name), tensor.value) }
    return graph
  }

  private func loss(_ scope: Scope, _ images: Shape, _ options: NetworkOptions) throws -> Tensor {
    let pixels = scope.argument("images", .float32, images)
    let labels = scope.argument("labels", .int32, [images[0]])
    let network = try network(scope, options)
    let logits = try network(pixels)
    return try crossEntropy(logits, labels)
  }

  private func gradients(
    of loss: Tensor, _ scope: Scope
  ) throws -> [(name: String, tensor: Tensor)] {
    let parameters = scope.parameters
    let found = try ApusAutodiff.gradients(of: loss, withRespectTo: parameters.map(\.tensor))
    return zip(parameters, found).map { parameter, gradient in (parameter.name, gradient) }
  }

  private static func minimize(_ loss: Tensor, _ scope: Scope) throws {
    let optimizer = try SGD(momentum: 0.9)
    try optimizer.minimize(loss, scope)
  }
}
