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
    help:
      "full, or cut: one fully connected layer in place of all from the first flatten on (default: full).",
    transform: CommaList<NetworkOptions.Head>.init(parsing:))
  var head = CommaList([NetworkOptions.Head.full])

  @Option(
    help: ArgumentHelp(
      "An activation function in place of the network's own.",
      discussion: "\(ActivationOption.names)."),
    transform: CommaList<ActivationOption>.init(parsing:))
  var activation: CommaList<ActivationOption>?

  @Option(
    help: ArgumentHelp(
      "How units normalise: \(NetworkOptions.Norm.names) (default: bn).",
      discussion:
        "abn scales by |weight| + epsilon, and so does inplace-abn, which writes over its "
        + "input in training and has leaky-relu unless an activation is named."),
    transform: CommaList<NetworkOptions.Norm>.init(parsing:))
  var norm = CommaList([NetworkOptions.Norm.plain])

  @Option(
    help: ArgumentHelp(
      "What training computes again rather than keep: \(NetworkOptions.Checkpoint.names).",
      discussion: "The default is none, for resnet200_v2 its own 11 segments."),
    transform: CommaList<NetworkOptions.Checkpoint>.init(parsing:))
  var checkpoint: CommaList<NetworkOptions.Checkpoint>?

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

  /// Every combination of the options that may be lists, the first of them varying most slowly.
  var variants: [NetworkVariant] {
    var variants: [NetworkVariant] = []
    for head in head.elements {
      for norm in norm.elements {
        for activation in activation.choices() {
          for checkpoint in checkpoint.choices() {
            variants.append(
              NetworkVariant(
                activation: activation,
                given: options(head, norm, activation?.function, checkpoint)))
          }
        }
      }
    }
    return variants
  }

  private func options(
    _ head: NetworkOptions.Head, _ norm: NetworkOptions.Norm, _ activation: ActivationFunction?,
    _ checkpoint: NetworkOptions.Checkpoint?
  ) -> NetworkOptions {
    NetworkOptions(
      classes: classes?.value, head: head, activation: activation, norm: norm,
      checkpoint: checkpoint, stem: stem, order: order, padding: padding,
      activatesBranch: branchActivation, zeroesBranch: zeroBranch, dropout: dropout,
      dropConnect: dropConnect)
  }

  /// The options of one network, checked against what the model's definition has and with its number
  /// of classes.
  ///
  /// - Throws: a usage error, also where the options are of several networks.
  func options(for model: Model) throws(ValidationError) -> NetworkOptions {
    let variants = variants
    guard variants.count == 1 else {
      throw ValidationError(
        "--head, --norm, --activation and --checkpoint: must be one value each, got lists, which "
          + "only `apus bench` takes")
    }
    return try variants[0].options(for: model)
  }
}

/// One combination of the options of a network's definition.
struct NetworkVariant {
  /// By its name; nil for the network's own.
  let activation: ActivationOption?
  /// Unchecked.
  let given: NetworkOptions

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
enum ActivationOption: String, OptionValue, CaseIterable {
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

extension NetworkOptions.Norm: OptionValue {}
extension NetworkOptions.Checkpoint: OptionValue {}
extension NetworkOptions.Head: OptionValue {}
extension NetworkOptions.Stem: ExpressibleByArgument {}
extension NetworkOptions.Order: ExpressibleByArgument {}
extension NetworkOptions.PaddingMode: ExpressibleByArgument {}
