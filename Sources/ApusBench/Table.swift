/// Rows of texts and numbers under titles, written for people, for Markdown or as CSV.
public struct Table: Hashable, Sendable {
  /// Which side of a column its cells lean on.
  public enum Alignment: Hashable, Sendable {
    /// For words.
    case left
    /// For numbers.
    case right
  }

  /// A column: its title, the unit of its numbers, its alignment.
  public struct Column: Hashable, Sendable {
    public var title: String
    public var unit: String?
    public var alignment: Alignment
    /// Name of the column in CSV; nil joins title and unit with "_".
    public var key: String?

    public static func words(_ title: String, key: String? = nil) -> Column {
      Column(title: title, unit: nil, alignment: .left, key: key)
    }

    public static func numbers(
      _ title: String, unit: String? = nil, key: String? = nil
    ) -> Column {
      Column(title: title, unit: unit, alignment: .right, key: key)
    }

    var heading: String { unit.map { "\(title) (\($0))" } ?? title }

    var name: String {
      key
        ?? (title + (unit.map { "_" + $0 } ?? "")).map { $0.isWhitespace ? "_" : String($0) }
        .joined().lowercased()
    }
  }

  /// A cell: a text for people and, for CSV, the exact value where that is another text.
  public struct Cell: Hashable, Sendable, ExpressibleByStringInterpolation {
    public var text: String
    public var exact: String?

    public init(_ text: String, exact: String? = nil) {
      self.text = text
      self.exact = exact
    }

    public init(stringLiteral value: String) {
      self.init(value)
    }

    /// A whole number, with thousands separators for people; an empty cell for nil.
    public static func count(_ value: Int?) -> Cell {
      value.map { Cell(HumanNumber.count($0), exact: String($0)) } ?? ""
    }

    /// A number, as `format` writes it for people; an empty cell for nil.
    public static func number(
      _ value: Double?, _ format: (Double) -> String = HumanNumber.fourDigits
    ) -> Cell {
      value.map { Cell(format($0), exact: $0.isFinite ? $0.description : "") } ?? ""
    }

    /// A number of bytes, in MiB for people; an empty cell for nil.
    public static func mebibytes(_ bytes: Int?) -> Cell {
      bytes.map { Cell(HumanNumber.mebibytes($0), exact: String($0)) } ?? ""
    }
  }

  public let columns: [Column]
  public private(set) var rows: [[Cell]] = []

  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row; cells it lacks are empty, cells beyond the columns are dropped.
  public mutating func add(_ cells: [Cell]) {
    let missing = max(0, columns.count - cells.count)
    rows.append(cells.prefix(columns.count) + Array(repeating: "", count: missing))
  }
}

extension Table {
  /// Aligned columns two spaces apart, whatever the width of the terminal; every line ends with a
  /// line break.
  public func plain() -> String {
    let lines =
      [columns.map { oneLine($0.heading) }] + rows.map { $0.map { oneLine($0.text) } }
    let widths = widths(lines)
    let rule = widths.map { String(repeating: "-", count: $0) }
    return ([lines[0], rule] + lines.dropFirst()).map { line in
      var text = padded(line, widths).joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text + "\n"
    }.joined()
  }

  /// A table of GitHub Flavored Markdown (section 4.10); every line ends with a line break.
  public func markdown() -> String {
    let lines =
      [columns.map { escaped($0.heading) }] + rows.map { $0.map { escaped($0.text) } }
    let widths = widths(lines).map { max(3, $0) }
    let rule = zip(columns, widths).map { column, width in
      String(repeating: "-", count: width - 1) + (column.alignment == .right ? ":" : "-")
    }
    return ([lines[0], rule] + lines.dropFirst()).map { line in
      "| " + padded(line, widths).joined(separator: " | ") + " |\n"
    }.joined()
  }

  /// Comma-separated values (RFC 4180, lines ended by CR LF), with exact numbers.
  public func csv() -> String {
    let lines = [columns.map(\.name)] + rows.map { $0.map { $0.exact ?? $0.text } }
    return lines.map { line in
      // A lone empty field needs its quotes, or the line would hold no field at all.
      line == [""] ? "\"\"\r\n" : line.map(quoted).joined(separator: ",") + "\r\n"
    }.joined()
  }

  private func widths(_ lines: [[String]]) -> [Int] {
    columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
  }

  private func padded(_ line: [String], _ widths: [Int]) -> [String] {
    columns.indices.map { column in
      let text = line[column]
      let space = String(repeating: " ", count: max(0, widths[column] - text.count))
      return columns[column].alignment == .right ? space + text : text + space
    }
  }
}

/// Control characters become spaces: a file name must not move the cursor of a terminal.
func oneLine(_ text: String) -> String {
  String(
    text.map { character in
      let isControl = character.unicodeScalars.contains {
        $0.properties.generalCategory == .control || $0 == "\u{2028}" || $0 == "\u{2029}"
      }
      return isControl ? " " : character
    })
}

func escaped(_ text: String) -> String {
  oneLine(text).map { #"\|*_`<>[]"#.contains($0) ? "\\\($0)" : String($0) }.joined()
}

private func quoted(_ field: String) -> String {
  let special: Set<Unicode.Scalar> = ["\"", ",", "\r", "\n"]
  guard field.unicodeScalars.contains(where: special.contains) else { return field }
  return "\""
    + field.split(separator: "\"", omittingEmptySubsequences: false)
    .joined(separator: "\"\"") + "\""
}
