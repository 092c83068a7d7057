import ApusIR
import ApusNN
import ApusTensor

/// Layers one after the other.
struct Chain: Layer {
  let layers: [any Layer]

  init(_ layers: [any Layer]) { self.layers = layers }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var x = x
    for layer in layers { x = try layer(x) }
    return x
  }
}

/// Layers side by side on one input, their results one after the other along the channels.
struct Branches: Layer {
  let branches: [any Layer]

  init(_ branches: [any Layer]) { self.branches = branches }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try concatenate(branches.map { try $0(x) })
  }
}

/// A function without parameters as a layer.
struct Applied: Layer {
  let function: (Tensor) throws -> Tensor

  init(_ function: @escaping (Tensor) throws -> Tensor) { self.function = function }

  init(_ activation: ActivationFunction) { self.init { try activation($0) } }

  func callAsFunction(_ x: Tensor) throws -> Tensor { try function(x) }

  /// `[n, c, h, w] → [n, c · size · size]`, averaged to a fixed size first.
  static func flattened(averagedTo size: Int) -> Applied {
    Applied { x in
      let fits = x.rank == 4 && x.shape[2] == size && x.shape[3] == size
      return try (fits ? x : adaptiveAveragePool(x, to: Size2D(size))).flattened()
    }
  }
}

extension NetworkOptions {
  /// What ends a network in one fully connected layer, which may follow a dropout of its own.
  func classifier(_ scope: Scope, _ inputs: Int, dropout rate: Double = 0) -> Chain {
    // A cut head is the fully connected layer alone.
    let rate = dropout ?? (head == .cut ? 0 : rate)
    return Chain([Dropout(scope, rate: rate), Linear(scope, inputs, classes)])
  }
}
