/// A pattern of names: `*` stands for any run of characters (dots too), `?` for exactly one.
///
/// Case matters, and the whole name must match: `fc.*` matches `fc.weight`, not `model.fc.weight`.
public struct Glob: Hashable, Sendable {
  public let pattern: String
  private let symbols: [Unicode.Scalar]

  public init(_ pattern: String) {
    self.pattern = pattern
    symbols = Array(pattern.unicodeScalars)
  }

  /// Whether the whole of `name` matches, in time proportional to both lengths multiplied.
  public func matches(_ name: String) -> Bool {
    let name = Array(name.unicodeScalars)
    var (symbol, position) = (0, 0)
    // Only the latest star ever needs another try: an earlier one could not do better.
    var retry: (symbol: Int, position: Int)?
    while position < name.count {
      if symbol < symbols.count && symbols[symbol] == "*" {
        symbol += 1
        retry = (symbol, position)
      } else if symbol < symbols.count
        && (symbols[symbol] == "?" || symbols[symbol] == name[position])
      {
        symbol += 1
        position += 1
      } else if let last = retry {
        retry = (last.symbol, last.position + 1)
        symbol = last.symbol
        position = last.position + 1
      } else {
        return false
      }
    }
    return symbols[symbol...].allSatisfy { $0 == "*" }
  }

  /// How many characters of `name` or the pattern must be inserted, deleted or exchanged before
  /// they match (Wagner and Fischer 1974): 0 where they do.
  public func distance(to name: String) -> Int {
    let name = Array(name.unicodeScalars)
    var row = Array(0...name.count)
    for symbol in symbols {
      let isStar = symbol == "*"
      var diagonal = row[0]
      if !isStar { row[0] += 1 }
      for (j, scalar) in name.enumerated() {
        let exchanged = diagonal + (symbol == scalar || symbol == "?" ? 0 : 1)
        diagonal = row[j + 1]
        // A star takes in any number of characters for nothing.
        row[j + 1] =
          isStar
          ? min(row[j], row[j + 1]) : min(exchanged, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[name.count]
  }
}
