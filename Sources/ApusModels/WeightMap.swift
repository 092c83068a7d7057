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
  private let hasAuxiliaryLogits: Bool
  private let hasInceptionModules: Bool

  /// The map for a network with these paths.
  public init(_ naming: Naming, paths: [String]) {
    self.naming = naming
    let known = Set(paths)
    let respell: (String) -> String
    switch naming {
    case .torchvision: respell = EfficientNetSpelling(known)?.torchvision ?? { $0 }
    case .timm: respell = { $0 }
    case .mxnet:
      let caffe = VGGSpelling(known)
      respell = { MXNetSpelling.name(caffe?.caffe($0) ?? $0, hasStatistics: known) }
    }
    names = Dictionary(paths.map { ($0, respell($0)) }) { first, _ in first }
    var inverse: [String: String] = [:]
    for path in paths {
      inverse[Self.key(respell(path), naming)] = path
      // Gluon's files have the blocks' own names, which may be the paths.
      if naming == .mxnet { inverse[Self.key(path, naming)] = path }
    }
    self.paths = inverse
    hasAuxiliaryLogits = paths.contains { $0.hasPrefix("Mixed_") }
    hasInceptionModules = paths.contains { $0.hasPrefix("inception") }
  }

  /// The map under which most of a network's paths have one of these names; the first of equals.
  public init(detecting names: [String], paths: [String]) {
    var best = WeightMap(.torchvision, paths: paths)
    var most = best.matches(in: names)
    for naming in Naming.allCases.dropFirst() where most < paths.count {
      let map = WeightMap(naming, paths: paths)
      let count = map.matches(in: names)
      if count > most { (best, most) = (map, count) }
    }
    self = best
  }

  /// The network's path of a name in a file, or `nil` where it has none.
  public func path(of name: String) -> String? { paths[Self.key(name, naming)] }

  /// The name in a file of a path of the network.
  public func name(of path: String) -> String { names[path] ?? path }

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
