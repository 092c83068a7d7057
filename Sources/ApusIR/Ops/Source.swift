/// A value that comes from outside the graph.
///
/// - C1: every extent is at least 1 and the tensor is at most ``TensorType/largestSizeInBytes``.
public struct Input: Hashable, Sendable {
  /// Where the value comes from.
  public enum Role: Hashable, Sendable {
    /// Given with every run.
    case argument(String)
    /// A trained value of the network, by its path.
    case parameter(String)
    /// A value the network keeps but does not train (batch-norm statistics), by its path.
    case state(String)
    /// Drawn afresh for every run by the session's seeded generator.
    case random(Distribution)
  }

  public let role: Role
  public let type: TensorType
  /// How a parameter or state begins when no weights are loaded.
  public let initializer: Initializer?

  public init(_ role: Role, _ type: TensorType, initializer: Initializer? = nil) {
    self.role = role
    self.type = type
    self.initializer = initializer
  }

  /// The path of a parameter or state.
  public var path: String? {
    switch role {
    case .parameter(let path), .state(let path): path
    case .argument, .random: nil
    }
  }

  /// The name or path the input is known by.
  public var name: String {
    switch role {
    case .argument(let name), .parameter(let name), .state(let name): name
    case .random(let distribution): "random \(distribution)"
    }
  }

  var attributes: String {
    switch role {
    case .argument(let name): "argument \"\(name)\""
    case .parameter(let path): "parameter \"\(path)\""
    case .state(let path): "state \"\(path)\""
    case .random(let distribution): "random \(distribution)"
    }
  }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 0...0)
    try requireSize(type, "C1")
    return [type]
  }
}

/// What random inputs are drawn from.
public enum Distribution: Hashable, Sendable {
  /// One with probability `p`, else zero.
  case bernoulli(Double)
  /// Uniform in `[0, 1)`.
  case uniform
  /// Normal with mean 0 and standard deviation 1.
  case normal
}

/// How a parameter begins.
public enum Initializer: Hashable, Sendable {
  case zeros
  case ones
  /// Normal with mean 0 and variance 2 / (fan out), as torchvision initialises convolutions
  /// (He et al. 2015, "Delving deep into rectifiers", section 2.2, backward case).
  case heNormal
  /// The same for a convolution of so many groups, whose fan out is one group's, as timm does.
  case groupedHeNormal(Int)
  /// Uniform in ±1/√(fan in), PyTorch's default for linear layers and biases.
  case uniformFanIn(Int)
}

/// Values known when the graph is made.
///
/// - C1: as many values as elements, or one value for all.
/// - C2: every extent is at least 1 and the tensor is at most ``TensorType/largestSizeInBytes``.
public struct Constant: Hashable, Sendable {
  public let type: TensorType
  /// One value per element, row-major, or a single value for all.
  public let values: [Double]

  public init(_ type: TensorType, _ values: [Double]) {
    self.type = type
    self.values = values
  }

  /// A tensor of one value.
  public init(_ type: TensorType, repeating value: Double) {
    self.init(type, [value])
  }

  public var splat: Double? { values.count == 1 ? values[0] : nil }

  var attributes: String {
    values.count <= 8 ? "\(values)" : "[\(values[0]), \(values[1]), … \(values.count) values]"
  }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 0...0)
    try requireSize(type, "C2")
    try require(
      values.count == 1 || values.count == type.elementCount, "C1",
      "a constant must have one value, or one for each element",
      got: "\(values.count) values for \(type)")
    return [type]
  }
}

extension Constant {
  /// Equal constants have equal bits: 0 and −0 differ, a NaN is itself.
  public static func == (a: Constant, b: Constant) -> Bool {
    a.type == b.type && a.values.map(\.bitPattern) == b.values.map(\.bitPattern)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(type)
    for value in values { hasher.combine(value.bitPattern) }
  }
}

/// Indices 0, 1, … along one axis.
///
/// - C1: `axis` is an axis of the shape.
/// - C2: every extent is at least 1 and the tensor is at most ``TensorType/largestSizeInBytes``.
public struct Iota: Hashable, Sendable {
  public let type: TensorType
  public let axis: Int

  public init(_ type: TensorType, axis: Int) {
    self.type = type
    self.axis = axis
  }

  var attributes: String { "axis \(axis)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 0...0)
    try requireSize(type, "C2")
    try requireAxis(axis, of: type, "C1")
    return [type]
  }
}

/// Requires extents of at least 1 and a total size within the library's limit.
func requireSize(_ type: TensorType, _ number: String) throws(Violation) {
  try require(
    type.shape.allSatisfy { $0 >= 1 }, number, "every extent must be at least 1", got: "\(type)")
  let limit = TensorType.largestSizeInBytes / type.dtype.sizeInBytes
  try require(
    type.shape.checkedElementCount.map { $0 <= limit } ?? false, number,
    "a tensor must have at most \(TensorType.largestSizeInBytes >> 40) TiB", got: "\(type)")
}

/// Requires `axis` to be one of the type's axes.
func requireAxis(_ axis: Int, of type: TensorType, _ number: String) throws(Violation) {
  try require(
    type.shape.indices.contains(axis), number, "the axis must be in 0..<\(type.rank)",
    got: "\(axis)")
}
