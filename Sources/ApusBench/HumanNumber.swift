import Foundation

/// Numbers as people read them, with a point for decimals and commas between thousands whatever
/// the locale; "n/a" for what is not a finite number.
public enum HumanNumber {
  /// A whole number: "25,557,032".
  public static func count(_ value: Int) -> String {
    grouped(String(value))
  }

  /// Four significant digits, without an exponent: "1,235", "123.5", "12.35", "1.235", "0.1235";
  /// at most six decimals.
  public static func fourDigits(_ value: Double) -> String {
    guard value.isFinite else { return notAvailable }
    if value == 0 { return "0" }
    // Rounding first makes 9.9999 a number of two digits before the point.
    let rounded = Double(String(format: "%.3e", value)) ?? value
    let exponent = Int(log10(abs(rounded)).rounded(.down))
    return decimal(value, min(max(3 - exponent, 0), 6))
  }

  /// Seconds as milliseconds, four digits, without the unit.
  public static func milliseconds(_ duration: Duration) -> String {
    fourDigits(duration.inSeconds * 1000)
  }

  /// Bytes as MiB, one decimal below 100, without the unit: "97.7", "1,234".
  public static func mebibytes(_ bytes: Int) -> String {
    let value = Double(bytes) / 1_048_576
    return decimal(value, abs(value) < 99.95 ? 1 : 0)
  }

  /// Bytes with the unit that fits: "512 B", "4.0 KiB", "97.7 MiB", "1.5 GiB".
  public static func bytes(_ bytes: Int) -> String {
    if bytes.magnitude < 1024 { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = ""
    for next in ["KiB", "MiB", "GiB", "TiB"] where abs(value) >= 1023.95 || unit.isEmpty {
      value /= 1024
      unit = next
    }
    return decimal(value, abs(value) < 99.95 ? 1 : 0) + " " + unit
  }

  /// A large number with a decimal prefix: "4.09 G", "25.6 M", "950".
  public static func scaled(_ value: Double) -> String {
    guard value.isFinite else { return notAvailable }
    var rest = value
    var prefix = ""
    for next in ["k", "M", "G", "T", "P"] where abs(rest) >= 999.5 {
      rest /= 1000
      prefix = next
    }
    if prefix.isEmpty { return decimal(rest, rest == rest.rounded() ? 0 : 2) }
    let decimals = abs(rest) < 9.995 ? 2 : abs(rest) < 99.95 ? 1 : 0
    return decimal(rest, decimals) + " " + prefix
  }

  /// A fraction in percent: "8 %", "2.4 %", "0.31 %".
  public static func percent(_ fraction: Double) -> String {
    guard fraction.isFinite else { return notAvailable }
    let value = fraction * 100
    let text = decimal(value, abs(value) < 0.995 ? 2 : abs(value) < 9.95 ? 1 : 0)
    let trimmed = text.contains(".") ? text.trimmingSuffix("0").trimmingSuffix(".") : text
    return trimmed + " %"
  }

  /// A span of time for progress: "0.8 s", "12 s", "3 min 05 s", "2 h 10 min".
  public static func time(_ duration: Duration) -> String {
    let seconds = duration.inSeconds
    if abs(seconds) < 9.95 { return decimal(seconds, 1) + " s" }
    let whole = Int(min(max(seconds.rounded(), -1e15), 1e15))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(padded(whole % 60)) s" }
    return "\(count(whole / 3600)) h \(padded(whole % 3600 / 60)) min"
  }

  static let notAvailable = "n/a"

  /// Fixed decimals with thousands separators.
  static func decimal(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return notAvailable }
    let rounded = String(format: "%.\(decimals)f", value)
    // "-0.0" says nothing that "0.0" does not.
    let isZero = !rounded.contains { ("1"..."9").contains($0) }
    let text = isZero && value.sign == .minus ? String(rounded.dropFirst()) : rounded
    guard let point = text.firstIndex(of: ".") else { return grouped(text) }
    return grouped(String(text[..<point])) + text[point...]
  }

  private static func padded(_ value: Int) -> String {
    value < 10 ? "0\(value)" : "\(value)"
  }

  private static func grouped(_ digits: String) -> String {
    let sign = digits.hasPrefix("-") ? "-" : ""
    var result = ""
    for (index, digit) in digits.dropFirst(sign.count).reversed().enumerated() {
      if index > 0 && index.isMultiple(of: 3) { result.append(",") }
      result.append(digit)
    }
    return sign + String(result.reversed())
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self
    while text.last == character { text.removeLast() }
    return text
  }
}
