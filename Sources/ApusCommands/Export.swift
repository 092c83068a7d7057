import Apus
import ApusPJRT
import ApusStableHLO
import ArgumentParser
import Foundation

/// `apus export`
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a network as StableHLO text.",
    discussion: """
      The function main takes the images and every parameter; comments say which argument is \
      which and how it lies in memory. Batch norms are folded into convolutions.
      """)

  @Option(
    name: [.short, .customLong("model")], help: "The network; see `apus models`.",
    transform: ModelOption.init(parsing:))
  var model: ModelOption

  @Option(help: "The file to write.", completion: .file())
  var stablehlo: String

  @Option(
    name: [.short, .long], parsing: .unconditional, help: "Images that run together (default: 1).",
    transform: PositiveInt.init(parsing:))
  var batchSize = PositiveInt(1)

  @Option(
    parsing: .unconditional,
    help: "The side of the square images, in pixels (default: the network's own).",
    transform: PositiveInt.init(parsing:))
  var imageSize: PositiveInt?

  @Option(
    help: "fp32, tf32, bf16, fp16 (default: fp32).", transform: PrecisionOption.init(parsing:))
  var precision = PrecisionOption.float32

  @OptionGroup(title: "The network's definition")
  var network: NetworkFlags

  func validate() throws { _ = try network.options(for: model.model) }

  func run() throws {
    let model = model.model
    let graph = try model.graph(
      batch: batchSize.value, imageSize: imageSize?.value, network.options(for: model))
    let (lowered, module) = try XLALowering(.compiled, precision.precision).module(graph)
    let arguments = zip(lowered.inputs, module.inputs).enumerated().map { index, input in
      "// %arg\(index): \(input.0.input.name), \(input.1)\n"
    }
    let results = zip(lowered.outputs, module.outputs).enumerated().map { index, output in
      "// result \(index): \(output.1)\n"
    }
    let text = "// \(model.name)\n" + (arguments + results).joined() + module.text
    try AtomicFile.write(text, to: stablehlo)
    try Console.output(
      "\(stablehlo.printable): \(model.name), \(module.inputs.count) arguments, "
        + "\(text.utf8.count) bytes\n")
  }
}
