import Apus
import ApusBench
import ArgumentParser

/// `apus plan`
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Say how much memory a network will take on the CPU, without running it.",
    discussion: """
      Exit code 3: a batch does not fit within --memory-limit. With timings in the user's cache \
      the plan is that of `apus bench` with the same options; nothing is timed.
      """)

  @Option(
    name: [.short, .customLong("model")], help: "Networks; see `apus models`.",
    transform: CommaList<ModelOption>.init(parsing:))
  var models: CommaList<ModelOption>

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: "Images that run together, or max: as many as fit (default: 1).",
    transform: CommaList<BatchOption>.init(parsing:))
  var batchSize = CommaList([BatchOption.size(1)])

  @Flag(
    help:
      "A training step by stochastic gradient descent with momentum, in place of a forward pass.")
  var train = false

  @Option(
    parsing: .unconditional,
    help: "What the run may take: 8GiB, 512MiB (default of max: what is free).",
    transform: ByteSize.init(parsing:))
  var memoryLimit: ByteSize?

  @Option(
    parsing: .unconditional,
    help: "The side of the square images, in pixels (default: the network's own).",
    transform: PositiveInt.init(parsing:))
  var imageSize: PositiveInt?

  @Option(
    parsing: .unconditional,
    help: "Numbers, or auto: one for each physical core the process may use (default: auto).",
    transform: ThreadCountOption.init(parsing:))
  var threads = ThreadCountOption.auto

  @OptionGroup(title: "The CPU")
  var cpu: CPUFlags

  @OptionGroup(title: "The networks' definitions")
  var network: NetworkFlags

  @Option(help: "table or json.")
  var format = TextFormat.table

  /// More images than that are not looked for.
  private static let mostImages = 1 << 20

  func validate() throws {
    for option in models.elements { _ = try network.options(for: option.model) }
  }

  func run() throws {
    var rows: [PlanRow] = []
    for option in models.elements {
      for batch in batchSize.elements { rows.append(try row(option.model, batch)) }
    }
    switch format {
    case .json: try Console.output(JSONValue(encoding: rows).text(indented: true) + "\n")
    case .table: try Console.output(PlanRow.table(rows))
    }
    if rows.contains(where: { $0.fits == false }) { throw ExitCode(3) }
  }

  private func row(_ model: Model, _ batch: BatchOption) throws -> PlanRow {
    switch batch {
    case .size(let batch): return try row(model, batch: batch, limit: memoryLimit?.bytes)
    case .max:
      guard let limit = memoryLimit?.bytes ?? HostMemory.availableSizeInBytes else {
        throw InputError(
          "-b max: the system does not say how much memory is free; give --memory-limit")
      }
      return try largest(model, limit: limit)
    }
  }

  private func largest(_ model: Model, limit: Int) throws -> PlanRow {
    // The first one also shows what is wrong with more than the size.
    let one = try row(model, batch: 1, limit: limit)
    let batch = try largestFitting(upTo: Self.mostImages) { batch in
      try batch == 1 ? one.fits == true : row(model, batch: batch, limit: limit).fits == true
    }
    guard let batch else {
      throw InputError(
        "\(model.name): a batch of 1 must fit into \(HumanNumber.bytes(limit)), got "
          + "\(HumanNumber.bytes(one.total)); raise --memory-limit, or use smaller images or a "
          + "smaller network")
    }
    return batch == 1 ? one : try row(model, batch: batch, limit: limit)
  }

  private func row(_ model: Model, batch: Int, limit: Int?) throws -> PlanRow {
    let options = try network.options(for: model)
    let graph =
      train
      ? try model.graph(.update, batch: batch, imageSize: imageSize?.value, options)
      : try model.graph(batch: batch, imageSize: imageSize?.value, options)
    let threads = threads.count(on: MachineState.current())
    let memory = try cpu.backend(.compiled, threads: threads).memory(of: graph)
    return PlanRow(
      model: model.name, mode: train ? .train : .infer, batch: batch,
      imageSize: imageSize?.value ?? model.imageSize, memory, limit: limit)
  }
}

/// The memory of a run, in bytes.
struct PlanRow: Encodable {
  let model, mode: String
  let batchSize, imageSize: Int
  let bytes: BenchRow.PlannedBytes
  let memoryLimitBytes: Int?
  /// `nil` without a limit.
  let fits: Bool?
  let total: Int

  init(
    model: String, mode: ModeOption, batch: Int, imageSize: Int, _ memory: PlanMemory, limit: Int?
  ) {
    self.model = model
    self.mode = mode.rawValue
    batchSize = batch
    self.imageSize = imageSize
    bytes = BenchRow.PlannedBytes(memory)
    memoryLimitBytes = limit
    total = memory.total
    fits = limit.map { memory.total <= $0 }
  }

  private enum CodingKeys: String, CodingKey {
    case model, mode
    case batchSize = "batch_size"
    case imageSize = "image_size"
    case bytes = "planned_bytes"
    case memoryLimitBytes = "memory_limit_bytes"
    case fits
  }

  /// Gradients, activations, temporary values and scratch are parts of the arena.
  static func table(_ rows: [PlanRow]) -> String {
    var table = Table([
      .words("model"), .words("mode"), .numbers("batch"), .numbers("parameters", unit: "MiB"),
      .numbers("prepared", unit: "MiB"), .numbers("optimizer", unit: "MiB"),
      .numbers("arguments", unit: "MiB"),
      .numbers("results", unit: "MiB"), .numbers("arena", unit: "MiB"),
      .numbers("gradients", unit: "MiB"), .numbers("activations", unit: "MiB"),
      .numbers("temporary", unit: "MiB"), .numbers("scratch", unit: "MiB"),
      .numbers("total", unit: "MiB"), .words("fits"),
    ])
    for row in rows {
      let bytes = row.bytes
      table.add([
        "\(row.model)", "\(row.mode)", .count(row.batchSize), .mebibytes(bytes.parameters),
        .mebibytes(bytes.prepared),
        .mebibytes(bytes.optimizerState), .mebibytes(bytes.arguments), .mebibytes(bytes.results),
        .mebibytes(bytes.arena), .mebibytes(bytes.gradients), .mebibytes(bytes.activations),
        .mebibytes(bytes.temporary), .mebibytes(bytes.scratch), .mebibytes(bytes.total),
        "\(row.fits.map { $0 ? "yes" : "no" } ?? "")",
      ])
    }
    return table.plain()
  }
}
