/// What the pickle machine knows of a Python object.
///
/// Containers are numbers into the machine's heap, so that cycles neither leak nor recurse.
enum PickleValue {
  case none
  /// Something harmless that no tensor needs.
  case opaque
  case bool(Bool)
  case integer(Int)
  /// More than 64 bits: little-endian two's complement.
  case bigInteger([UInt8])
  case text(String)
  /// A tuple or a list.
  case sequence(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)

  var kind: String {
    switch self {
    case .none: "None"
    case .opaque: "an object"
    case .bool: "a bool"
    case .integer, .bigInteger: "an integer"
    case .text: "a string"
    case .sequence: "a list or tuple"
    case .dictionary: "a dict"
    case .global(let global): global.name
    case .storage: "a storage"
    case .tensor: "a tensor"
    }
  }
}

/// Python lists, tuples and dictionaries by number, with a bound on their total size.
struct PickleHeap {
  private(set) var sequences: [[PickleValue]] = []
  private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  private var room = 1 << 24

  mutating func sequence(
    _ values: some Collection<PickleValue>
  ) throws(WeightsError.Reason) -> PickleValue {
    try take(values.count + 1)
    sequences.append(Array(values))
    return .sequence(sequences.count - 1)
  }

  mutating func dictionary() throws(WeightsError.Reason) -> PickleValue {
    try take(1)
    dictionaries.append([])
    return .dictionary(dictionaries.count - 1)
  }

  mutating func append(
    _ values: some Collection<PickleValue>, to sequence: Int
  ) throws(WeightsError.Reason) {
    try take(values.count)
    sequences[sequence] += values
  }

  mutating func set(
    _ key: PickleValue, _ value: PickleValue, in dictionary: Int
  ) throws(WeightsError.Reason) {
    try take(1)
    dictionaries[dictionary].append((key, value))
  }

  private mutating func take(_ count: Int) throws(WeightsError.Reason) {
    guard count <= room else {
      throw .invalid(part: "pickle", rule: "must have fewer than 2^24 objects", got: "more")
    }
    room -= count
  }
}
