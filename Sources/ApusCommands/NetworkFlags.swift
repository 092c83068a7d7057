import Apus
import ArgumentParser

/// The options of a network's definition, as flags that several subcommands share.
struct NetworkFlags: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "The number of classes of the network's head (default: 1000).",
    transform: PositiveInt.init(parsing:))
  var classes = PositiveInt(1000)

  @Option(
    help: "full, or cut: one fully connected layer in place of all from the first flatten on.")
  var head = NetworkOptions.Head.full

  @Option(help: "An activation function in place of the network's own.")
  var activation: ActivationOption?

  @Option(help: "standard, or deep: three 3×3 convolutions without pooling.")
  var stem = NetworkOptions.Stem.standard

  @Option(help: "Where normalisation and activation stand: post or pre (the convolution).")
  var order: NetworkOptions.Order?

  @Option(help: "symmetric, or same: as TensorFlow pads.")
  var padding: NetworkOptions.PaddingMode?

  /// The options, unchecked.
  var given: NetworkOptions {
    NetworkOptions(
      classes: classes.value, head: head, activation: activation?.activation, stem: stem,
      order: order, padding: padding)
  }

  /// The options, checked against what the model's definition has.
  ///
  /// - Throws: a usage error.
  func options(for model: Model) throws(ValidationError) -> NetworkOptions {
    let options = given
    do {
      try model.validate(options)
    } catch {
      throw ValidationError("\(error)")
    }
    return options
  }
}

/// The activation functions by the names the field gives them.
enum ActivationOption: String, ExpressibleByArgument, CaseIterable, Sendable {
  case relu
  case leakyRelu = "leaky-relu"
  case elu, swish, mish
  case hardSwish = "hard-swish"

  var activation: Activation {
    switch self {
    case .relu: .relu
    case .leakyRelu: .leakyRelu(slope: 0.01)
    case .elu: .elu(alpha: 1)
    case .swish: .swish
    case .mish: .mish
    case .hardSwish: .hardSwish
    }
  }
}

extension NetworkOptions.Head: ExpressibleByArgument {}
extension NetworkOptions.Stem: ExpressibleByArgument {}
extension NetworkOptions.Order: ExpressibleByArgument {}
extension NetworkOptions.PaddingMode: ExpressibleByArgument {}
