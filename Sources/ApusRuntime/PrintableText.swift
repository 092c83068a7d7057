extension String {
  /// The text for a message: control characters escaped, so that a foreign file cannot drive a
  /// terminal, and cut where it is absurdly long.
  package var printable: String {
    var result = ""
    for scalar in unicodeScalars.prefix(400) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return unicodeScalars.count > 400 ? result + "…" : result
  }
}
