/// One measurement that a published table asks for. What is nil is the network's own, or the run's
/// choice.
public struct PublishedCell: Hashable, Sendable {
  /// A name of the catalogue.
  public var model: String
  /// "infer", "train" or "pipeline", which is training with data loading.
  public var mode: String
  /// "eager", "compiled", or the name of a peer.
  public var execution: String
  public var batchSize: Int
  public var threads: Int?
  public var precision: String?
  public var head: String
  public var norm: String
  public var activation: String?
  public var checkpoint: String?
  public var order: String?
  public var stem: String
  /// Options of the definition that are on: "branch-activation", "zero-branch".
  public var switches: [String]
  public var rules: PublishedRules

  public init(
    _ model: String, mode: String = "infer", execution: String = Self.ours, batch: Int,
    threads: Int? = nil, precision: String? = nil, head: String = "full", norm: String = "bn",
    activation: String? = nil, checkpoint: String? = nil, order: String? = nil,
    stem: String = "standard", switches: [String] = [], rules: PublishedRules
  ) {
    self.model = model
    self.mode = mode
    self.execution = execution
    batchSize = batch
    self.threads = threads
    self.precision = precision
    self.head = head
    self.norm = norm
    self.activation = activation
    self.checkpoint = checkpoint
    self.order = order
    self.stem = stem
    self.switches = switches
    self.rules = rules
  }

  /// The execution that is Apus at its best.
  public static let ours = "compiled"

  /// The same cell in another execution.
  public func with(execution: String) -> PublishedCell {
    var cell = self
    cell.execution = execution
    return cell
  }

  /// Whether a row of a run measured this cell. What the row does not name is the plain network's.
  public func matches(_ row: BenchRow) -> Bool {
    func agrees<Value: Equatable>(_ wanted: Value?, _ given: Value?) -> Bool {
      wanted == nil || wanted == given
    }
    return row.model == model && row.mode == mode && row.execution == execution
      && row.batchSize == batchSize && agrees(threads, row.threads)
      && agrees(precision, row.precision ?? "fp32") && agrees(head, row.head ?? "full")
      && agrees(norm, row.norm ?? "bn") && agrees(activation, row.activation)
      && agrees(checkpoint, row.checkpoint ?? "none") && agrees(order, row.order ?? "post")
      && agrees(stem, row.stem ?? "standard")
  }
}

/// How a published figure was taken; what the page does not say is nil.
public struct PublishedRules: Hashable, Sendable {
  /// Runs that do not count.
  public var warmUps: Int?
  public var runs: Int
  /// Of each run.
  public var iterations: Int?
  /// Seconds after which no further iteration begins.
  public var longest: Double?

  public init(
    warmUps: Int? = nil, runs: Int = 1, iterations: Int? = nil, longest: Double? = nil
  ) {
    self.warmUps = warmUps
    self.runs = runs
    self.iterations = iterations
    self.longest = longest
  }
}
