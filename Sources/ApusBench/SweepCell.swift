/// A cell of a sweep: what is measured, in the words of the command line.
public struct SweepCell: Codable, Hashable, Sendable {
  public var model: String
  public var head: String?
  public var norm: String?
  /// nil for the network's own.
  public var activation: String?
  /// nil for the network's own.
  public var checkpoint: String?
  /// nil for the network's own.
  public var order: String?
  /// nil for the network's own.
  public var stem: String?
  /// "infer", "train", …
  public var mode: String
  public var execution: String?
  public var device: String?
  public var precision: String?
  public var batchSize: Int?
  public var imageSize: Int?
  /// nil on devices that have threads of their own.
  public var threads: Int?

  public init(model: String, mode: String) {
    self.model = model
    self.mode = mode
  }

  private enum CodingKeys: String, CodingKey {
    case model, head, norm, activation, checkpoint, order, stem, mode, execution, device, precision
    case batchSize = "batch_size"
    case imageSize = "image_size"
    case threads
  }
}

extension SweepCell {
  /// The cell that a row is about.
  public init(of row: BenchRow) {
    self.init(model: row.model, mode: row.mode)
    (head, norm, activation, checkpoint) = (row.head, row.norm, row.activation, row.checkpoint)
    (order, stem) = (row.order, row.stem)
    (execution, device, precision) = (row.execution, row.device, row.precision)
    (batchSize, imageSize, threads) = (row.batchSize, row.imageSize, row.threads)
  }
}

extension BenchRow {
  /// A row about a cell, without anything measured.
  public init(_ cell: SweepCell, status: Status, reason: String? = nil) {
    self.init(status: status, reason: reason, model: cell.model, mode: cell.mode)
    (head, norm, activation, checkpoint) = (cell.head, cell.norm, cell.activation, cell.checkpoint)
    (order, stem) = (cell.order, cell.stem)
    (execution, device, precision) = (cell.execution, cell.device, cell.precision)
    (batchSize, imageSize, threads) = (cell.batchSize, cell.imageSize, cell.threads)
  }
}

extension SweepCell: CustomStringConvertible {
  /// What tells the cell from others, without what nearly all have in common.
  public var description: String {
    var words = [model, variantWords].filter { !$0.isEmpty }
    if mode != "infer" { words.append(mode) }
    if let threads { words.append("\(threads) \(threads == 1 ? "thread" : "threads")") }
    if let batchSize { words.append("batch \(batchSize)") }
    if let execution { words.append(execution) }
    if let device, device != "cpu" { words += [device] + [precision].compactMap { $0 } }
    return words.joined(separator: ", ")
  }

  /// What of the network is not as published.
  public var variantWords: String {
    var words: [String] = []
    if let head, head != "full" { words.append("head \(head)") }
    if let norm, norm != "bn" { words.append(norm) }
    if let activation { words.append(activation) }
    if let checkpoint { words.append("checkpoint \(checkpoint)") }
    if let order { words.append("\(order)-activation") }
    if let stem { words.append("\(stem) stem") }
    return words.joined(separator: ", ")
  }
}
