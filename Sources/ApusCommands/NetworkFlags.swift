import Apus
import ArgumentParser

/// The options of a network's definition, as flags that several subcommands share.
struct NetworkFlags: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "The number of classes of the head (default: the network's own; see `apus models`).",
    transform: PositiveInt.init(parsing:))
  var classes: PositiveInt?

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

  @Flag(help: "End each residual branch in an activation, before the sum.")
  var branchActivation = false

  @Option(
    parsing: .unconditional,
    help: "In training, the probability of dropping an activation before the head's last layer.")
  var dropout: Double?

  @Option(
    parsing: .unconditional, help: "In training, the probability of dropping a residual branch.")
  var dropConnect: Double?

  /// The options, unchecked.
  var given: NetworkOptions {
    NetworkOptions(
      classes: classes?.value, head: head, activation: activation?.activation, stem: stem,
      order: order, padding: padding, activatesBranch: branchActivation, dropout: dropout,
      dropConnect: dropConnect)
  }

  /// The options, checked against what the model's definition has and with its number of classes.
  ///
  /// - Throws: a usage error.
  func options(for model: Model) throws(ValidationError) -> NetworkOptions {
    do {
      return try model.resolved(given)
    } catch {
      throw ValidationError("\(error)")
    }
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
