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

  mutating func add(_ images: [String], _ logits: Logits) {
    for (image, row) in zip(images, logits.rows) {
      self.logits += row
      let predictions = mostLikely(row, logits.labels)
      rows.append(Row(image: image, predictions: predictions))
      if format == .table { printTable(image, predictions) }
    }
  }

  mutating func fail(_ image: String, _ reason: String) {
    Console.report("Error: \(reason)")
    rows.append(Row(image: image, error: reason))
  }

  func writeLogits(to path: String, classes: Int) throws {
    try NumPyFile.write(HostTensor([logits.count / classes, classes], logits), to: path)
  }

  /// - Throws: the exit code, where some or all images could not be classified.
  func finish() throws {
    if format == .json { print(try JSONValue(encoding: rows).text(indented: true)) }
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

  private func printTable(_ image: String, _ predictions: [Prediction]) {
    print(image)
    var table = Table([.numbers("class"), .numbers("probability"), .words("label")])
    for prediction in predictions {
      table.add([
        "\(prediction.index)", "\(HumanNumber.percent(prediction.probability))",
        "\(prediction.label ?? "")",
      ])
    }
    print(table.plain())
  }
}
