import ApusIR

/// Translates between the names in a weight file and a network's paths, by rules.
///
/// A network's paths are torchvision's where it has a twin there, else timm's, else MXNet's with
/// dots. Where a naming has no twin of a network, its names are the paths.
public struct WeightMap: Sendable {
  /// Whose names a file has.
  public enum Naming: String, Hashable, Sendable, CaseIterable {
    case torchvision, timm, mxnet
  }

  public let naming: Naming
  private let names: [String: String]
  private let paths: [String: String]
  private let kernels: [String: Int]
  private let hasAuxiliaryLogits: Bool
  private let hasInceptionModules: Bool

  /// The map for a network with these paths; where a naming has several spellings, to its first.
  public init(_ naming: Naming, paths: [String]) {
    self.init(naming, Spelling.all(of: naming, paths: Set(paths))[0], paths: paths)
  }

  /// The map under which most of a network's paths have one of these names; the first of equals.
  public init(detecting names: [String], paths: [String]) {
    let candidates = Naming.allCases.flatMap { naming in
      Spelling.all(of: naming, paths: Set(paths), names: names).map { (naming, $0) }
    }
    var best = WeightMap(.torchvision, paths: paths)
    var most = best.matches(in: names)
    for (naming, spelling) in candidates where most < paths.count {
      let map = WeightMap(naming, spelling, paths: paths)
      let count = map.matches(in: names)
      if count > most { (best, most) = (map, count) }
    }
    self = best
  }

  private init(_ naming: Naming, _ spelling: Spelling, paths: [String]) {
    self.naming = naming
    let known = Set(paths)
    names = Dictionary(
      paths.map { path in
        let layer = spelling.respelled(path)
        let name = naming == .mxnet ? MXNetSpelling.name(layer, of: path, among: known) : layer
        return (path, name)
      }
    ) { first, _ in first }
    var inverse: [String: String] = [:]
    // Gluon's files have the blocks' own names, which may be the paths.
    if naming == .mxnet { for path in paths { inverse[Self.key(path, naming)] = path } }
    for (path, name) in names { inverse[Self.key(name, naming)] = path }
    self.paths = inverse
    kernels = spelling.kernels
    hasAuxiliaryLogits = paths.contains { $0.hasPrefix("Mixed_") }
    hasInceptionModules = paths.contains { $0.hasPrefix("inception") }
  }

  /// The network's path of a name in a file, or `nil` where it has none.
  public func path(of name: String) -> String? { paths[Self.key(name, naming)] }

  /// The name in a file of a path of the network.
  public func name(of path: String) -> String { names[path] ?? path }

  /// The shape in a file of a parameter that has this shape in the network, with the same values in
  /// the same order: some networks hold fully connected layers `[o, i]` as convolutions
  /// `[o, i/k², k, k]`.
  public func shape(_ shape: Shape, of path: String) -> Shape {
    guard shape.rank == 2, path.hasSuffix(".weight"),
      let kernel = kernels[String(path.dropLast(".weight".count))],
      shape[1] % (kernel * kernel) == 0
    else { return shape }
    return [shape[0], shape[1] / (kernel * kernel), kernel, kernel]
  }

  /// Whether a name is of something that matters in training only: an auxiliary classifier, the
  /// number of batches seen.
  public func ignores(_ name: String) -> Bool {
    if path(of: name) != nil { return false }
    return hasAuxiliaryLogits && name.hasPrefix("AuxLogits.")
      || hasInceptionModules && (name.hasPrefix("aux1.") || name.hasPrefix("aux2."))
      || name.hasSuffix("num_batches_tracked")
  }

  /// The name of the batch counter that PyTorch keeps beside a running variance, or `nil` for other
  /// paths and MXNet.
  public func batchCounter(after path: String) -> String? {
    let statistic = "running_var"
    guard naming != .mxnet, path.hasSuffix("." + statistic) else { return nil }
    return name(of: path).dropLast(statistic.count) + "num_batches_tracked"
  }

  private func matches(in names: [String]) -> Int {
    Set(names.compactMap { path(of: $0) }).count
  }

  /// What all spellings of a name have in common.
  private static func key(_ name: String, _ naming: Naming) -> String {
    switch naming {
    case .torchvision, .timm: DenseNetSpelling.current(name)
    case .mxnet: MXNetSpelling.key(name)
    }
  }
}
