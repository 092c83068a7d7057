import Apus
import ApusBench
import ArgumentParser

/// `apus models`
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the networks with their parameters and multiply–accumulate operations.")

  @Argument(help: "Only names that match this pattern, for instance 'resnet*'.")
  var pattern = "*"

  @Option(help: "table or json.")
  var format = TextFormat.table

  /// A network as JSON; `macs` are of one image.
  private struct Row: Encodable {
    let name: String
    let parameters: Int
    let macs: Int
    let imageSize: Int
    let source: String

    enum CodingKeys: String, CodingKey {
      case name, parameters, macs
      case imageSize = "image_size"
      case source
    }
  }

  private var models: [Model] {
    let glob = Glob(pattern)
    return ApusCommand.catalogue.withLock { $0.models }.filter { glob.matches($0.name) }
  }

  func validate() throws {
    if models.isEmpty {
      throw ValidationError(
        "pattern: must match the name of a network, got \"\(pattern)\"; see `apus models`")
    }
  }

  func run() throws {
    let rows = try models.map { model in
      let graph = try model.graph(batch: 1)
      return Row(
        name: model.name, parameters: graph.parameterCount, macs: graph.macs,
        imageSize: model.imageSize, source: model.source)
    }
    switch format {
    case .json: try Console.output(JSONValue(encoding: rows).text(indented: true) + "\n")
    case .table:
      var table = Table([
        .words("model"), .numbers("parameters"), .numbers("MACs"), .numbers("image", unit: "px"),
        .words("source"),
      ])
      for row in rows {
        table.add([
          "\(row.name)", .count(row.parameters), "\(HumanNumber.scaled(Double(row.macs)))",
          "\(row.imageSize)", "\(row.source)",
        ])
      }
      try Console.output(table.plain())
    }
  }
}
