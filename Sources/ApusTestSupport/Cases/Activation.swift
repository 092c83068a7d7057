import ApusIR

extension OpCase {
  static let activation: [OpCase] = functions + gradients

  private static let functions: [OpCase] = activations.flatMap { activation in
    let name = "activation \(activation.name)" + parameter(activation)
    return [
      OpCase(name, .activation(activation), [.uniform([2, 3, 5, 7], -8...8)], .elementwise),
      OpCase("\(name) at kinks", .activation(activation), [.listed(kinks)], .elementwise),
    ]
  }

  private static let gradients: [OpCase] = gradientActivations.flatMap { activation in
    let name = "gradient of \(activation.name)" + parameter(activation)
    let range = outputs(activation) ?? -8...8
    // PyTorch, asked for the input that gives an output, has no numbers so small beside the kinks.
    let values = kinks.filter { $0 == 0 || $0.magnitude > 1e-20 }.map {
      min(max($0, range.lowerBound), range.upperBound)
    }
    return [
      OpCase(
        name, .activationGradient(activation),
        [.uniform([2, 3, 5, 7], range), .uniform([2, 3, 5, 7])], .elementwise),
      OpCase(
        "\(name) at kinks", .activationGradient(activation),
        [.listed(values), .uniform([values.count])], .elementwise),
    ]
  }

  /// The range that the values are from where the gradient reads the output.
  private static func outputs(_ activation: Activation) -> ClosedRange<Double>? {
    switch activation {
    case .relu: 0...8
    case .relu6: 0...6
    case .leakyRelu: -1...8
    case .elu(let alpha): alpha < 0 ? nil : -alpha...8
    case .sigmoid, .hardSigmoid: 0...1
    case .tanh: -1...1
    case .swish, .hardSwish, .mish: nil
    }
  }

  /// Some whose outputs do not tell the derivative besides.
  private static let gradientActivations =
    activations + [.leakyRelu(slope: -0.5), .elu(alpha: -0.5)]

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
