import Apus
import ApusBench
import ArgumentParser

/// `apus models`
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the networks with their parameters and multiply–accumulate operations.")

  @Argument(help: "Only names that match this pattern, for instance 'resnet*'.")
  var pattern = "*"

  @Flag(help: "Also MACs by operator, activations, bytes of weights and options.")
  var details = false

  @Flag(help: "Each network's layers: result, parameters, MACs.")
  var layers = false

  @OptionGroup(title: "The networks' definitions")
  var network: NetworkFlags

  @Option(help: "table or json.")
  var format = TextFormat.table

  private var models: [Model] {
    let glob = Glob(pattern)
    return ApusCommand.catalogue.withLock { $0.models }.filter { glob.matches($0.name) }
  }

  func validate() throws {
    if models.isEmpty {
      throw ValidationError(
        "pattern: must match the name of a network, got \"\(pattern)\"; see `apus models`")
    }
    for model in models { _ = try network.options(for: model) }
  }

  func run() throws {
    let summaries = try models.map { model in
      try ModelSummary(model, network.options(for: model), layers: layers)
    }
    switch format {
    case .json: try Console.output(JSONValue(encoding: summaries).text(indented: true))
    case .table where layers:
      for summary in summaries { try Console.output(summary.layerTable()) }
    case .table:
      try Console.output(details ? Self.detailTable(summaries) : Self.table(summaries))
    }
  }

  private static func table(_ summaries: [ModelSummary]) -> String {
    var table = Table([
      .words("model"), .numbers("parameters"), .numbers("MACs"), .numbers("image", unit: "px"),
      .numbers("classes"), .words("source"),
    ])
    for row in summaries {
      table.add([
        "\(row.name)", .count(row.parameters), "\(HumanNumber.scaled(Double(row.macs)))",
        "\(row.imageSize)", "\(row.classes)", "\(row.source)",
      ])
    }
    return table.plain()
  }

  private static func detailTable(_ summaries: [ModelSummary]) -> String {
    var table = Table([
      .words("model"), .numbers("parameters"), .numbers("weights", unit: "MiB"),
      .numbers("MACs"), .numbers("convolution"), .numbers("dot"), .numbers("activations"),
      .words("input"), .numbers("classes"), .words("options"), .words("source"),
    ])
    func scaled(_ value: Int?) -> Table.Cell { "\(HumanNumber.scaled(Double(value ?? 0)))" }
    for row in summaries {
      table.add([
        "\(row.name)", .count(row.parameters), .mebibytes(row.weightBytes), scaled(row.macs),
        scaled(row.macsByOp["convolution"]), scaled(row.macsByOp["dot"]),
        scaled(row.activations), "\(row.input)", "\(row.classes)",
        "\(row.options.joined(separator: " "))", "\(row.source)",
      ])
    }
    return table.plain()
  }
}
