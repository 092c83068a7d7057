import ApusIR
import ApusNN

/// What a definition leaves open: the variants of a network that share its file.
public struct NetworkOptions: Hashable, Sendable {
  public enum Head: String, Hashable, Sendable, CaseIterable {
    /// As published.
    case full
    /// Everything from the first flatten on replaced by one fully connected layer.
    case cut
  }

  public enum Stem: String, Hashable, Sendable, CaseIterable {
    /// As published.
    case standard
    /// Three 3×3 convolutions, of which the first two have stride 2, and no pooling.
    case deep
  }

  /// How units normalise their images, and what training keeps of that.
  public typealias Norm = BatchNorm2D.Form

  /// What training computes again rather than keep
  /// (Chen et al. 2016, arXiv 1604.06174).
  public enum Checkpoint: String, Hashable, Sendable, CaseIterable {
    /// Nothing.
    case none
    /// All that lies within a stage but the last; the stem is one.
    case stages
    /// As many segments of units as the root of the units' number.
    case sqrt
  }

  /// Where a unit's normalisation and activation stand.
  public typealias Order = ConvUnit.Order

  public enum PaddingMode: String, Hashable, Sendable, CaseIterable {
    /// Half the kernel on every side.
    case symmetric
    /// What makes the output the input's size divided by the stride, the odd pixel below and right
    /// (TensorFlow's SAME).
    case same
  }

  /// How many classes the head tells apart: ImageNet's where none is asked for and no
  /// ``Model`` has a number of its own.
  public var classes: Int {
    get { requestedClasses ?? Model.classesOfImageNet }
    set { requestedClasses = newValue }
  }
  /// In place of the network's own number.
  var requestedClasses: Int?
  public var head: Head
  /// In place of the network's own activation functions.
  public var activation: ActivationFunction?
  /// Other than plain needs a network with batch norms; `inPlace` implies leaky ReLU of slope 0.01
  /// unless an activation is named.
  public var norm: Norm
  /// In place of the network's own way, which is to keep everything but in `resnet200_v2`.
  public var checkpoint: Checkpoint?
  public var stem: Stem
  public var order: Order?
  public var padding: PaddingMode?
  /// Whether a residual branch ends with an activation of its own, before the sum (as the ResNets
  /// of Lux.jl do).
  public var activatesBranch: Bool
  /// Whether the last batch norm of a residual branch begins at 0, so that a fresh block passes its
  /// input on (Goyal et al. 2017, arXiv 1706.02677, section 5.1).
  public var zeroesBranch: Bool
  /// In place of the network's own probability of dropping an activation before the classifier, in
  /// training.
  public var dropout: Double?
  /// In place of the network's own probability of dropping a residual branch, in training.
  public var dropConnect: Double?

  public init(
    classes: Int? = nil, head: Head = .full, activation: ActivationFunction? = nil,
    norm: Norm = .plain, checkpoint: Checkpoint? = nil, stem: Stem = .standard, order: Order? = nil,
    padding: PaddingMode? = nil,
    activatesBranch: Bool = false, zeroesBranch: Bool = false, dropout: Double? = nil,
    dropConnect: Double? = nil
  ) {
    requestedClasses = classes
    self.head = head
    self.activation = activation
    self.norm = norm
    self.checkpoint = checkpoint
    self.stem = stem
    self.order = order
    self.padding = padding
    self.activatesBranch = activatesBranch
    self.zeroesBranch = zeroesBranch
    self.dropout = dropout
    self.dropConnect = dropConnect
  }

  /// The options a definition may understand beside the number of classes.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case head, activation, norm, checkpoint, stem, order, padding, dropout
    case branchActivation = "branch-activation"
    case zeroBranch = "zero-branch"
    case dropConnect = "drop-connect"
  }

  /// The options that ask for something else than the published network.
  var used: Set<Kind> {
    var used: Set<Kind> = []
    if head != .full { used.insert(.head) }
    if activation != nil { used.insert(.activation) }
    if norm != .plain { used.insert(.norm) }
    if checkpoint != nil { used.insert(.checkpoint) }
    if stem != .standard { used.insert(.stem) }
    if order != nil { used.insert(.order) }
    if padding != nil { used.insert(.padding) }
    if activatesBranch { used.insert(.branchActivation) }
    if zeroesBranch { used.insert(.zeroBranch) }
    if dropout != nil { used.insert(.dropout) }
    if dropConnect != nil { used.insert(.dropConnect) }
    return used
  }

  /// Checks the values themselves.
  func validate(_ model: String) throws(ModelError) {
    if !(1...1 << 30).contains(classes) {
      throw .outOfRange(
        model: model, option: "classes", requirement: "in 1...\(1 << 30)", given: "\(classes)")
    }
    if norm == .inPlace, let activation, !activation.isInvertible {
      throw .notInvertible(model: model, activation: activation)
    }
    if norm == .inPlace, zeroesBranch { throw .zeroInPlace(model: model) }
    for (name, rate) in [("dropout", dropout), ("drop-connect", dropConnect)] {
      if let rate, !(0..<1).contains(rate) {
        throw .outOfRange(
          model: model, option: name, requirement: "at least 0 and below 1", given: "\(rate)")
      }
    }
  }
}

/// Why a network cannot be built as asked for.
public enum ModelError: Error, Hashable, Sendable {
  case outOfRange(model: String, option: String, requirement: String, given: String)
  /// The definition has no such variant.
  case unsupported(model: String, option: NetworkOptions.Kind, supported: [NetworkOptions.Kind])
  /// Batch norm in place tells its operand from what the activation gives.
  case notInvertible(model: String, activation: ActivationFunction)
  /// Batch norm in place divides by its scales.
  case zeroInPlace(model: String)
  /// A layer cannot take images of that size; squares of the `working` sides would do.
  case imageSize(model: String, shape: Shape, reason: GraphError, working: ClosedRange<Int>)
}

extension ModelError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .outOfRange(let model, let option, let requirement, let given):
      return "\(model): \(option) must be \(requirement), got \(given)"
    case .unsupported(let model, let option, let supported):
      let known = supported.map(\.rawValue).sorted().joined(separator: ", ")
      return "\(model): must be built without the option \(option.rawValue), which its definition"
        + " does not have; it has \(known.isEmpty ? "none" : known)"
    case .notInvertible(let model, let activation):
      return "\(model): norm inplace-abn must have an activation that can be inverted (leaky-relu,"
        + " elu or identity), got \(activation)\n  hint: leave the activation out for leaky-relu, or"
        + " use norm abn"
    case .zeroInPlace(let model):
      return
        "\(model): norm inplace-abn must have scales that do not begin at 0, by which it divides,"
        + " got zero-branch\n  hint: leave zero-branch out, or use norm abn"
    case .imageSize(let model, let shape, let reason, let working):
      let smallest = working.lowerBound
      let remedy =
        min(shape[2], shape[3]) < smallest
        ? "the smallest image that \(model) takes is \(smallest)×\(smallest)"
        : "\(model) takes images of \(smallest)×\(smallest) to"
          + " \(working.upperBound)×\(working.upperBound)"
      return "\(reason)\n  hint: \(remedy)"
    }
  }
}
