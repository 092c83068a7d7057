import ApusIR
import ApusNN
import ApusTensor

/// A network of the catalogue: its name, what it takes and how it is built.
public struct Model: Sendable {
  public let name: String
  /// Title, year and link of the paper.
  public let source: String
  public let input: ImageInput
  /// How many classes its published weights tell apart.
  public let classes: Int
  /// The options its definition has.
  public let options: Set<NetworkOptions.Kind>
  let build: @Sendable (Scope, NetworkOptions) throws -> any Layer

  public static let classesOfImageNet = 1000

  /// The side of the square input it was defined for, in pixels.
  public var imageSize: Int { input.size }

  /// - Parameter build: makes the network that maps images `[n, channels, h, w]` to logits
  ///   `[n, classes]`.
  public init(
    _ name: String, source: String, input: ImageInput = ImageInput(),
    classes: Int = classesOfImageNet, options: Set<NetworkOptions.Kind> = [],
    build: @escaping @Sendable (Scope, NetworkOptions) throws -> any Layer
  ) {
    self.name = name
    self.source = source
    self.input = input
    self.classes = classes
    self.options = options
    self.build = build
  }

  /// The graph of a forward pass: argument `images` `[batch, channels, imageSize, imageSize]`,
  /// result `logits` `[batch, classes]`.
  ///
  /// - Throws: ``ModelError``, which names the layer where images of that size fail and the
  ///   smallest that works; ``GraphError``.
  public func graph(
    batch: Int, imageSize: Int? = nil, _ options: NetworkOptions = NetworkOptions(),
    training: Bool = false
  ) throws -> Graph {
    let side = imageSize ?? input.size
    return try graph(
      images: [batch, input.channels, side, side], options, training: training)
  }

  /// The options with the network's own number of classes where none is asked for.
  ///
  /// - Throws: ``ModelError`` where the definition does not have an option or a value is out of
  ///   range.
  public func resolved(_ options: NetworkOptions) throws(ModelError) -> NetworkOptions {
    var resolved = options
    resolved.classes = options.requestedClasses ?? classes
    try validate(resolved)
    return resolved
  }

  /// The network itself, for a trace of one's own: a training step, or a part of something larger.
  ///
  /// - Returns: a layer that maps images `[n, channels, h, w]` to logits `[n, classes]`.
  /// - Throws: ``ModelError`` as ``resolved(_:)`` does.
  public func network(
    _ scope: Scope, _ options: NetworkOptions = NetworkOptions()
  ) throws -> any Layer {
    try build(scope, try resolved(options))
  }

  private func validate(_ options: NetworkOptions) throws(ModelError) {
    try options.validate(name)
    let unknown = options.used.subtracting(self.options).sorted { $0.rawValue < $1.rawValue }
    if let option = unknown.first {
      throw .unsupported(model: name, option: option, supported: Array(self.options))
    }
  }

  /// The graph of a forward pass on images of any shape `[n, channels, h, w]`.
  public func graph(
    images shape: Shape, _ options: NetworkOptions = NetworkOptions(), training: Bool = false
  ) throws -> Graph {
    let options = try resolved(options)
    do {
      return try traced(shape, options, training: training)
    } catch let error as GraphError {
      guard let sizes = workingSizes(shape, options) else { throw error }
      throw ModelError.imageSize(model: name, shape: shape, reason: error, working: sizes)
    }
  }

  private func traced(
    _ shape: Shape, _ options: NetworkOptions, training: Bool
  ) throws -> Graph {
    try trace(training: training) { scope in
      let images = scope.argument("images", .float32, shape)
      let network = try build(scope, options)
      return ["logits": try network(images)]
    }
  }

  /// The sides of the squares that the network takes, from 1 to twice its own size; `nil` where
  /// something else than the size is wrong.
  private func workingSizes(_ shape: Shape, _ options: NetworkOptions) -> ClosedRange<Int>? {
    guard shape.rank == 4, shape.allSatisfy({ $0 >= 1 }), shape[1] == input.channels else {
      return nil
    }
    func works(_ side: Int) -> Bool {
      (try? traced([1, input.channels, side, side], options, training: false)) != nil
    }
    let largest = 2 * input.size
    guard let first = (1...largest).first(where: works),
      let last = (first...largest).last(where: works)
    else { return nil }
    return first...last
  }
}
