/// A published table of measurements: its rows and columns in their order, the figures as they were
/// printed, and for each of them the cell of a benchmark that measures the same thing here.
public struct PublishedTable: Sendable, Hashable {
  /// The preset's name: `--table lux-resnet`.
  public let name: String
  public let title: String
  /// Which page has the figures.
  public let source: String
  /// What the published figures were measured on.
  public let machine: String
  /// How they were taken, in words.
  public let method: String
  /// How executions other than the published ones are shown beside them.
  public let peers: Peers
  public let sections: [Section]

  /// Where the figures of further executions go.
  public enum Peers: Sendable, Hashable {
    /// Into columns of their own, beside the published ones.
    case columns
    /// Into a section of their own, of the same shape.
    case sections
  }

  /// A table of the page.
  public struct Section: Sendable, Hashable {
    public let title: String
    /// Above the rows' titles.
    public let corner: String
    public let columns: [String]
    public let rows: [Row]

    public init(_ title: String, corner: String, columns: [String], rows: [Row]) {
      self.title = title
      self.corner = corner
      self.columns = columns
      self.rows = rows
    }
  }

  /// A row of a section: an entry for each of its columns.
  public struct Row: Sendable, Hashable {
    public let title: String
    public let entries: [Entry]

    public init(_ title: String, _ entries: [Entry]) {
      self.title = title
      self.entries = entries
    }
  }

  /// What stands where a row and a column meet. Published figures are given as they were printed.
  public enum Entry: Sendable, Hashable {
    case figure(ReportFigure, of: PublishedCell, published: String?)
    /// How many times as fast `fast` is as `slow`, by `figure`.
    case speedUp(of: PublishedCell, over: PublishedCell, by: ReportFigure, published: String?)
    /// Printed on the page and not measured.
    case words(String)
  }

  /// Every published table.
  public static let all = [luxResNet, finetuner, packrat, pytorchTools]

  /// The table of a preset.
  public init?(named name: String) {
    guard let table = Self.all.first(where: { $0.name == name }) else { return nil }
    self = table
  }

  init(
    name: String, title: String, source: String, machine: String, method: String, peers: Peers,
    sections: [Section]
  ) {
    self.name = name
    self.title = title
    self.source = source
    self.machine = machine
    self.method = method
    self.peers = peers
    self.sections = sections
  }

  /// The cells to measure, each once, in the order of the page.
  public var cells: [PublishedCell] {
    var seen: Set<PublishedCell> = []
    return sections.flatMap(\.rows).flatMap(\.entries).flatMap(\.cells)
      .filter { seen.insert($0).inserted }
  }
}

extension PublishedTable.Entry {
  /// The cells whose measurements it shows.
  public var cells: [PublishedCell] {
    switch self {
    case .figure(_, let cell, _): [cell]
    case .speedUp(let fast, let slow, _, _): [fast, slow]
    case .words: []
    }
  }

  /// What the page has there.
  public var published: String? {
    switch self {
    case .figure(_, _, let published), .speedUp(_, _, _, let published): published
    case .words(let text): text
    }
  }
}
