import Apus
import ApusBench
import ArgumentParser
import Foundation

/// Prints what was predicted, as soon as it is known in a table, at the end in JSON.
struct PredictionReport {
  private struct Prediction: Encodable {
    let index: Int
    let label: String?
    let probability: Double
    let logit: Double
  }

  private struct Row: Encodable {
    let image: String
    var predictions: [Prediction]?
    var error: String?
  }

  private let topK: Int
  private let format: TextFormat
  private var rows: [Row] = []
  private var logits: [Float] = []

  init(topK: Int, format: TextFormat) {
    self.topK = topK
    self.format = format
  }

  mutating func add(_ images: [String], _ logits: Logits) throws {
    for (image, row) in zip(images, logits.rows) {
      self.logits += row
      if let value = row.first(where: { !$0.isFinite }) {
        fail(image, "\(image.printable): logits must be finite, got \(value); check the weights")
        continue
      }
      let predictions = mostLikely(row, logits.labels)
      rows.append(Row(image: image, predictions: predictions))
      if format == .table { try printTable(image, predictions) }
    }
  }

  mutating func fail(_ image: String, _ reason: String) {
    Console.report("Error: \(reason)")
    rows.append(Row(image: image, error: reason))
  }

  /// Throws what creating the file at `path` would, and leaves nothing there; a pipe or device is
  /// left alone.
  static func requireWritable(_ path: String) throws(FileError) {
    var status = stat()
    if stat(path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) { return }
    _ = try AtomicFile(path: path)
  }

  /// Writes the logits of all classified pictures; no file where there are none.
  func writeLogits(to path: String, classes: Int) throws {
    if logits.isEmpty { return }
    try NumPyFile.write(HostTensor([logits.count / classes, classes], logits), to: path)
  }

  /// - Throws: the exit code, where some or all images could not be classified, or the rest had to
  ///   be left after an interruption.
  func finish() throws {
    if format == .json {
      try Console.output(JSONValue(encoding: rows).text(indented: true) + "\n")
    }
    if Interruption.requested { throw ExitCode(Interruption.exitCode) }
    let failed = rows.count { $0.error != nil }
    if failed > 0 { throw failed == rows.count ? ExitCode.failure : ExitCode(3) }
  }

  /// The classes by descending logit, the first among equals; softmax gives the probability.
  private func mostLikely(_ row: [Float], _ labels: ClassLabels?) -> [Prediction] {
    let largest = Double(row.max() ?? 0)
    let sum = row.reduce(0) { $0 + exp(Double($1) - largest) }
    let order = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }
    return order.prefix(topK).map { index in
      Prediction(
        index: index, label: labels?[index],
        probability: exp(Double(row[index]) - largest) / sum, logit: Double(row[index]))
    }
  }

  private func printTable(_ image: String, _ predictions: [Prediction]) throws {
    var table = Table([.numbers("class"), .numbers("probability"), .words("label")])
    for prediction in predictions {
      table.add([
        "\(prediction.index)", "\(HumanNumber.percent(prediction.probability))",
        "\(prediction.label ?? "")",
      ])
    }
    try Console.output("\(image.printable)\n\(table.plain())\n")
  }
}
