import Apus
import ApusBench
import ArgumentParser

/// `apus inspect`
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the tensors of a weight file (safetensors, .pth, .npz, .params).")

  @Argument(help: "The weight file.", completion: .file())
  var file: String

  @Option(help: "table or json.")
  var format = TextFormat.table

  private struct Listing: Encodable {
    struct Tensor: Encodable {
      let name: String
      let dtype: String
      let shape: [Int]
      let bytes: Int
    }

    let file: String
    let format: String
    let metadata: [String: String]
    let tensors: [Tensor]
  }

  func run() throws {
    let weights = try WeightFile(path: file)
    switch format {
    case .json:
      let tensors = weights.entries.map {
        Listing.Tensor(
          name: $0.name, dtype: $0.dtypeName, shape: $0.shape.extents, bytes: $0.sizeInBytes)
      }
      let listing = Listing(
        file: file, format: weights.format.rawValue, metadata: weights.metadata, tensors: tensors)
      try Console.output(JSONValue(encoding: listing).text(indented: true) + "\n")
    case .table:
      var table = Table([
        .words("tensor"), .words("dtype"), .words("shape"), .numbers("bytes"),
      ])
      for entry in weights.entries {
        table.add([
          "\(entry.name)", "\(entry.dtypeName)", "\(entry.shape)", .count(entry.sizeInBytes),
        ])
      }
      let bytes = weights.entries.reduce(0) { $0 + $1.sizeInBytes }
      let metadata = weights.metadata.sorted { $0.key < $1.key }
        .map { "\($0.key.printable): \($0.value.printable)\n" }
      try Console.output(
        table.plain()
          + "\n\(weights.format), \(weights.entries.count) tensors, \(HumanNumber.bytes(bytes))\n"
          + metadata.joined())
    }
  }
}
