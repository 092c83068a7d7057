import ApusIR

/// The values of a network's parameters and states, by path, in a fixed order.
public struct ParameterStore: Sendable {
  /// In the order in which they were expected or set.
  public private(set) var paths: [String] = []

  /// Expected paths that have no values yet, because a mismatch was allowed.
  public private(set) var missing: [String] = []

  private var values: [String: HostTensor] = [:]

  /// Makes a store without parameters.
  public init() {}

  /// The values at a path; setting adds or replaces, `nil` removes.
  public subscript(path: String) -> HostTensor? {
    get { values[path] }
    set {
      let previous = values[path]
      values[path] = newValue
      if newValue == nil {
        paths.removeAll { $0 == path }
      } else {
        if previous == nil { paths.append(path) }
        if !missing.isEmpty { missing.removeAll { $0 == path } }
      }
    }
  }

  /// The bytes of all values.
  public var sizeInBytes: Int { values.values.reduce(0) { $0 + $1.type.sizeInBytes } }

  /// Writes all values as a safetensors file, which appears only when complete.
  public func writeSafetensors(
    to path: String, metadata: [String: String] = [:]
  ) throws(WeightsError) {
    let tensors = paths.compactMap { path in values[path].map { (name: path, tensor: $0) } }
    try WeightFile.writeSafetensors(tensors, metadata: metadata, to: path)
  }

  /// Takes a network's parameters from a file, which must hold exactly those.
  ///
  /// `float16`, `bfloat16` and `float64` become `float32` where that is expected. Batch counters
  /// (`num_batches_tracked`) nobody expects are ignored. What a glob of `allowMismatch` matches may
  /// be missing, superfluous or of another type: it then stays `missing`. All other differences
  /// are thrown together, and so are globs that match neither a path nor a tensor.
  public init(
    _ file: WeightFile, matching expected: [(path: String, type: TensorType)],
    allowMismatch: [String] = []
  ) throws(WeightsError) {
    let comparison = Comparison(file, expected, allowMismatch.map(Glob.init))
    if let reason = comparison.reason { throw WeightsError(path: file.path, reason: reason) }
    missing = comparison.unfilled
    for (path, type) in comparison.matching {
      let tensor = try file.tensor(named: path)
      paths.append(path)
      values[path] = tensor.dtype == type.dtype ? tensor : tensor.convertedToFloat32()
    }
  }
}

extension WeightFile {
  /// Checks that the file holds exactly what a network expects, as `ParameterStore` does, without
  /// reading any values.
  public func requireMatch(_ expected: [(path: String, type: TensorType)]) throws(WeightsError) {
    if let reason = Comparison(self, expected, []).reason {
      throw WeightsError(path: path, reason: reason)
    }
  }
}

/// How a file's tensors differ from what a network expects.
private struct Comparison {
  var matching: [(path: String, type: TensorType)] = []
  var unfilled: [String] = []
  var mismatches: [WeightsError.Mismatch] = []
  var unmatched: [String] = []

  init(
    _ file: WeightFile, _ expected: [(path: String, type: TensorType)], _ globs: [Glob]
  ) {
    let entries = Dictionary(file.entries.map { ($0.name, $0) }) { first, _ in first }
    let expectedPaths = Set(expected.map(\.path))
    let unexpected = file.entries.filter {
      !expectedPaths.contains($0.name) && !Self.isBatchCounter($0.name)
    }
    for (path, type) in expected {
      let isAllowed = globs.contains { $0.matches(path) }
      switch Self.mismatch(path, type, entries[path]) {
      case nil: matching.append((path, type))
      case _? where isAllowed: unfilled.append(path)
      case let mismatch?: mismatches.append(mismatch)
      }
    }
    for entry in unexpected where !globs.contains(where: { $0.matches(entry.name) }) {
      mismatches.append(.unexpected(path: entry.name, got: entry.typeDescription))
    }
    unmatched = globs.filter { glob in
      !expected.contains { glob.matches($0.path) }
        && !file.entries.contains { glob.matches($0.name) }
    }.map(\.pattern)
  }

  var reason: WeightsError.Reason? {
    if !unmatched.isEmpty { return .unmatchedGlobs(unmatched) }
    return mismatches.isEmpty ? nil : .mismatches(mismatches)
  }

  private static func mismatch(
    _ path: String, _ expected: TensorType, _ entry: WeightFile.Entry?
  ) -> WeightsError.Mismatch? {
    guard let entry else { return .missing(path: path, expected: expected) }
    let got = entry.typeDescription
    guard entry.shape == expected.shape else {
      return .wrongShape(path: path, expected: expected, got: got)
    }
    let canConvert = expected.dtype == .float32 && entry.type?.dtype.isFloatingPoint == true
    return canConvert || entry.type == expected
      ? nil : .wrongDType(path: path, expected: expected, got: got)
  }

  private static func isBatchCounter(_ name: String) -> Bool {
    name == "num_batches_tracked" || name.hasSuffix(".num_batches_tracked")
  }
}

extension WeightFile.Entry {
  /// Like `TensorType.description`, for unsupported element types too.
  public var typeDescription: String { "\(dtypeName)\(shape)" }
}
