import ApusIR
import ApusNN
import ApusTensor

/// A network of the catalogue: its name, what it takes and how it is built.
public struct Model: Sendable {
  public let name: String
  /// Title, year and link of the paper.
  public let source: String
  /// The side of the square input it was defined for, in pixels.
  public let imageSize: Int
  let build: @Sendable (Scope, _ classes: Int) throws -> any Layer

  /// - Parameter build: makes the network that maps images `[n, 3, h, w]` to logits
  ///   `[n, classes]`.
  public init(
    _ name: String, source: String, imageSize: Int = 224,
    build: @escaping @Sendable (Scope, _ classes: Int) throws -> any Layer
  ) {
    self.name = name
    self.source = source
    self.imageSize = imageSize
    self.build = build
  }

  /// The graph of a forward pass: argument `images` `[batch, 3, imageSize, imageSize]`, result
  /// `logits` `[batch, classes]`.
  ///
  /// - Throws: ``GraphError`` where a layer cannot take images of that size.
  public func graph(batch: Int, imageSize: Int? = nil, classes: Int = 1000) throws -> Graph {
    let side = imageSize ?? self.imageSize
    return try graph(images: [batch, 3, side, side], classes: classes)
  }

  /// The graph of a forward pass on images of any shape `[n, 3, h, w]`.
  public func graph(images shape: Shape, classes: Int = 1000) throws -> Graph {
    try trace { scope in
      let images = scope.argument("images", .float32, shape)
      let network = try build(scope, classes)
      return ["logits": try network(images)]
    }
  }
}
