import ApusIR

/// The dictionary at the beginning of a `.npy` file: a Python literal with three known keys.
struct NumPyHeader {
  private(set) var element = ""
  private(set) var isFortranOrder = false
  private(set) var shape = Shape([])

  private var rest: Substring

  init(_ bytes: UnsafeRawBufferPointer) throws(WeightsError.Reason) {
    guard bytes.allSatisfy({ $0 == 0x0a || (0x20..<0x7f).contains($0) }) else {
      throw Self.invalid("must be printable ASCII", got: "other bytes")
    }
    rest = String(decoding: bytes, as: UTF8.self)[...]
    var keys: Set<String> = []
    try expect("{")
    while !accept("}") {
      let key = try text()
      guard keys.insert(key).inserted else {
        throw Self.invalid("keys must be unique", got: "\(key) twice")
      }
      try expect(":")
      switch key {
      case "descr": element = try text()
      case "fortran_order": isFortranOrder = try boolean()
      case "shape": shape = try tuple()
      default: throw Self.invalid("keys must be descr, fortran_order, shape", got: key)
      }
      if accept(",") { continue }
      try expect("}")
      break
    }
    skipSpace()
    guard rest.isEmpty else { throw Self.invalid("must end after }", got: String(rest.prefix(20))) }
    guard keys.count == 3 else {
      throw Self.invalid("must have descr, fortran_order, shape", got: "\(keys.sorted())")
    }
  }

  private mutating func text() throws(WeightsError.Reason) -> String {
    skipSpace()
    guard let quote = rest.first, quote == "'" || quote == "\"" else {
      let start = rest.prefix(10)
      throw start.first == "["
        ? .unsupported(
          part: "npy header", feature: "an array of records", remedy: "save one field of it")
        : Self.invalid("must have a quoted text", got: String(start))
    }
    let tail = rest.dropFirst()
    guard let end = tail.firstIndex(of: quote) else {
      throw Self.invalid("a text must end", got: String(rest.prefix(20)))
    }
    rest = tail[end...].dropFirst()
    return String(tail[..<end])
  }

  private mutating func boolean() throws(WeightsError.Reason) -> Bool {
    skipSpace()
    for (word, value) in [("True", true), ("False", false)] where rest.hasPrefix(word) {
      rest = rest.dropFirst(word.count)
      return value
    }
    throw Self.invalid("fortran_order must be True or False", got: String(rest.prefix(10)))
  }

  private mutating func tuple() throws(WeightsError.Reason) -> Shape {
    try expect("(")
    var extents: [Int] = []
    while !accept(")") {
      skipSpace()
      let digits = rest.prefix { $0.isWholeNumber }
      guard let extent = Int(digits), extents.count < 64 else {
        throw Self.invalid("shape must have at most 64 extents ≥ 0", got: String(rest.prefix(20)))
      }
      rest = rest.dropFirst(digits.count)
      extents.append(extent)
      // Python 2 wrote long integers with an L.
      _ = accept("L")
      if accept(",") { continue }
      try expect(")")
      break
    }
    return Shape(extents)
  }

  private mutating func skipSpace() { rest = rest.drop { $0.isWhitespace } }

  private mutating func accept(_ symbol: Character) -> Bool {
    skipSpace()
    guard rest.first == symbol else { return false }
    rest = rest.dropFirst()
    return true
  }

  private mutating func expect(_ symbol: Character) throws(WeightsError.Reason) {
    guard accept(symbol) else {
      throw Self.invalid("must have \(symbol)", got: rest.isEmpty ? "the end" : "\(rest.prefix(9))")
    }
  }

  private static func invalid(_ rule: String, got: String) -> WeightsError.Reason {
    .invalid(part: "npy header", rule: rule, got: got)
  }
}
