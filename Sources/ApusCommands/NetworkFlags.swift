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

  @Option(
    help: ArgumentHelp(
      "How units normalise.",
      discussion:
        "abn scales by |weight| + epsilon, and so does inplace-abn, which writes over its "
        + "input in training and has leaky-relu unless an activation is named."))
  var norm = NetworkOptions.Norm.plain

  @Option(
    help: ArgumentHelp(
      "What training computes again rather than keep.",
      discussion: "The default is none, for resnet200_v2 its own 11 segments."))
  var checkpoint: NetworkOptions.Checkpoint?

  @Option(help: "standard, or deep: three 3×3 convolutions without pooling.")
  var stem = NetworkOptions.Stem.standard

  @Option(help: "Where normalisation and activation stand: post or pre (the convolution).")
  var order: NetworkOptions.Order?

  @Option(help: "symmetric, or same: as TensorFlow pads.")
  var padding: NetworkOptions.PaddingMode?

  @Flag(help: "End each residual branch in an activation, before the sum.")
  var branchActivation = false

  @Flag(help: "Fresh weights: the last batch norm of each residual branch begins at zero.")
  var zeroBranch = false

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
      classes: classes?.value, head: head, activation: activation?.function,
      norm: norm, checkpoint: checkpoint, stem: stem, order: order, padding: padding,
      activatesBranch: branchActivation, zeroesBranch: zeroBranch, dropout: dropout,
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
  case relu, relu6
  case leakyRelu = "leaky-relu"
  case elu, swish, mish
  case hardSwish = "hard-swish"
  case naiveSwish = "naive-swish"
  case naiveMish = "naive-mish"
  case identity

  var function: ActivationFunction {
    switch self {
    case .relu: .relu
    case .relu6: .relu6
    case .leakyRelu: .leakyRelu()
    case .elu: .elu()
    case .swish: .swish
    case .mish: .mish
    case .hardSwish: .hardSwish
    case .naiveSwish: .naiveSwish
    case .naiveMish: .naiveMish
    case .identity: .identity
    }
  }
}

extension NetworkOptions.Norm: ExpressibleByArgument {}
extension NetworkOptions.Checkpoint: ExpressibleByArgument {}
extension NetworkOptions.Head: ExpressibleByArgument {}
extension NetworkOptions.Stem: ExpressibleByArgument {}
extension NetworkOptions.Order: ExpressibleByArgument {}
extension NetworkOptions.PaddingMode: ExpressibleByArgument {}
