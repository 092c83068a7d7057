import Foundation

/// A run as a report tells of it: its rows, and what its folder says of machine and command.
public struct ReportRun: Sendable {
  public var name: String
  public var rows: [BenchRow]
  /// The command that made it.
  public var command: String?
  /// The published table it measured.
  public var table: PublishedTable?
  /// Names and values of machine and software, in words.
  public var environment: [Fact]

  /// A thing that is known of the machine or the software.
  public struct Fact: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(
    name: String, rows: [BenchRow], command: String? = nil, table: PublishedTable? = nil,
    environment: [Fact] = []
  ) {
    self.name = name
    self.rows = rows
    self.command = command
    self.table = table
    self.environment = environment
  }

  /// Reads RUN: `results.jsonl`, and `plan.json` and `env.json` where they are there.
  ///
  /// `plan.json` may have the `command` (its words after the program's name, or one text) and, by
  /// itself or among its `settings`, the published `table`; `env.json` is an object of any depth.
  public init(reading path: String) throws(RunDirectoryError) {
    let rows = try RunDirectory.read(path)
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let url = URL(fileURLWithPath: path).standardizedFileURL
    let folder = exists && isFolder.boolValue ? url : url.deletingLastPathComponent()
    let name = exists && isFolder.boolValue ? url.lastPathComponent : folder.lastPathComponent
    let plan = Leaf.members(of: folder.appendingPathComponent("plan.json"))
    var environment = Leaf.members(of: folder.appendingPathComponent("env.json"))
    let command = environment.removeValue(forKey: "command")
    environment.removeValue(forKey: "schema")
    let table = (plan["table"] ?? plan["settings"]?.member("table"))?.text(named: "table")
    self.init(
      name: name, rows: rows, command: (plan["command"] ?? command)?.command,
      table: table.flatMap(PublishedTable.init(named:)),
      environment: Leaf.facts(of: environment, under: ""))
  }
}

/// A JSON value of a file that is read for what it tells people.
private enum Leaf: Decodable {
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([Leaf])
  case object([String: Leaf])
  case none

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([Leaf].self) {
      self = .list(list)
    } else if let object = try? value.decode([String: Leaf].self) {
      self = .object(object)
    } else {
      self = .none
    }
  }

  /// The members of a file's object; none where there is no such file.
  static func members(of file: URL) -> [String: Leaf] {
    guard let text = try? Data(contentsOf: file),
      let members = try? JSONDecoder().decode([String: Leaf].self, from: text)
    else { return [:] }
    return members
  }

  /// What an object says, in the order of its names; what it says of the machine goes without
  /// saying so.
  static func facts(of members: [String: Leaf], under path: String) -> [ReportRun.Fact] {
    members.sorted { $0.key < $1.key }.flatMap { key, value -> [ReportRun.Fact] in
      // Names of environment variables stay as they are.
      let words = key == key.lowercased() ? key.replacing("_", with: " ") : key
      let name = (path.isEmpty ? "" : path + ", ") + words
      if case .object(let inner) = value {
        return facts(of: inner, under: name == "machine" ? "" : name)
      }
      guard let text = value.text(named: key) else { return [] }
      return [ReportRun.Fact(name.hasSuffix(" bytes") ? String(name.dropLast(6)) : name, text)]
    }
  }

  func text(named key: String) -> String? {
    switch self {
    case .flag(let flag): flag ? "yes" : "no"
    case .number(let number) where key.hasSuffix("_bytes") && abs(number) < 1e18:
      HumanNumber.bytes(Int(number))
    case .number(let number): JSONValue.number(number).text()
    case .text(let text): text
    case .list(let list): list.compactMap { $0.text(named: key) }.joined(separator: ", ")
    case .object, .none: nil
    }
  }

  func member(_ name: String) -> Leaf? {
    if case .object(let members) = self { members[name] } else { nil }
  }

  /// A command line, given as one text or as its words.
  var command: String? {
    switch self {
    case .text(let text): text
    case .list(let words):
      (["apus"] + words.compactMap { $0.text(named: "") }).map(Self.quoted)
        .joined(separator: " ")
    case .flag, .number, .object, .none: nil
    }
  }

  /// A word as a shell reads it.
  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./,:=+%@".contains($0)) }
    return isPlain ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
  }
}
