import ApusIR

extension OpCase {
  static let activation: [OpCase] = activations.flatMap { activation in
    let name = "activation \(activation.name)" + parameter(activation)
    return [
      OpCase(name, .activation(activation), [.uniform([2, 3, 5, 7], -8...8)], .elementwise),
      OpCase("\(name) at kinks", .activation(activation), [.listed(kinks)], .elementwise),
    ]
  }

  private static let activations: [Activation] = [
    .relu, .relu6, .leakyRelu(slope: 0.01), .leakyRelu(slope: 0.2), .elu(alpha: 1),
    .elu(alpha: 0.5), .sigmoid, .tanh, .hardSigmoid, .swish, .hardSwish, .mish,
  ]

  /// Where the functions bend, just beside it, and far out.
  private static let kinks: [Double] = [
    0, -1e-4, 1e-4, 3, -3, 2.9999, 3.0001, -2.9999, -3.0001, 6, 5.9999, 6.0001, -6, 20, -20, 21,
    -21, 100, -100, 0.5, -0.5, 1e-30, -1e-30,
  ]

  private static func parameter(_ activation: Activation) -> String {
    switch activation {
    case .leakyRelu(let slope): " \(slope)"
    case .elu(let alpha): " \(alpha)"
    case .relu, .relu6, .sigmoid, .tanh, .hardSigmoid, .swish, .hardSwish, .mish: ""
    }
  }
}
