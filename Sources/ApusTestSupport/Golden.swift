import Foundation

/// What differs between a text and the file that holds its expected form, or `nil`.
///
/// With `APUS_RECORD=1` in the environment the file is written instead.
public func difference(_ text: String, fromFile path: String) throws -> String? {
  if ProcessInfo.processInfo.environment["APUS_RECORD"] == "1" {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return nil
  }
  let expected = try String(contentsOfFile: path, encoding: .utf8)
  return difference(text, from: expected).map { "\($0)\n  APUS_RECORD=1 rewrites \(path)" }
}

/// The lines in which a text is not the expected one, marked `-` (expected) and `+` (got), or `nil`.
public func difference(_ text: String, from expected: String) -> String? {
  if text == expected { return nil }
  let (old, new) = (expected.components(separatedBy: "\n"), text.components(separatedBy: "\n"))
  let changes = new.difference(from: old)
  return changes.map { change in
    switch change {
    case .remove(let line, let text, _): "-\(line + 1): \(text)"
    case .insert(let line, let text, _): "+\(line + 1): \(text)"
    }
  }.joined(separator: "\n")
}
