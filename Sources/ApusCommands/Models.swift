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

  func run() throws {
    let glob = Glob(pattern)
    let models = ApusCommand.catalogue.withLock { $0.models }.filter { glob.matches($0.name) }
    if models.isEmpty {
      throw ValidationError("pattern: must match a network's name, got \"\(pattern)\"")
    }
    let rows = try models.map { model in
      let graph = try model.graph(batch: 1)
      return Row(
        name: model.name, parameters: graph.parameterCount, macs: graph.macs,
        imageSize: model.imageSize, source: model.source)
    }
    switch format {
    case .json: print(try JSONValue(encoding: rows).text(indented: true))
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
      print(table.plain())
    }
  }
}
