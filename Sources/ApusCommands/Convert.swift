import Apus
import ApusBench
import ArgumentParser

/// `apus convert`
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert weights between .pth, .safetensors, .npz and .params.",
    discussion: "Values and their types stay as they are; only where they lie and, with --model, "
      + "their names change. Of a network of norm abn or inplace-abn the scales are written as "
      + "|weight| + epsilon, which other programs understand.")

  @Argument(help: "The weight file to read; its content says what it is.", completion: .file())
  var input: String

  @Argument(
    help: "The file to write: .pth, .pt, .safetensors, .npz or .params.", completion: .file())
  var output: String

  @Option(
    name: [.short, .customLong("model")],
    help: ArgumentHelp(
      "The network whose weights these are; see `apus models`.",
      discussion: "The file must then hold exactly those, under anybody's names."),
    transform: ModelOption.init(parsing:))
  var model: ModelOption?

  @OptionGroup(title: "The network's definition")
  var network: NetworkFlags

  @Option(
    help: ArgumentHelp(
      "The names to write: torchvision, timm or mxnet.",
      discussion: "The default is mxnet for .params, else torchvision. A network without a twin "
        + "there has its own paths for names."))
  var map: WeightMap.Naming?

  @Flag(help: "Read the written file again and compare every tensor bit for bit.")
  var check = false

  func validate() throws {
    _ = try outputFormat
    if let model {
      _ = try network.options(for: model.model)
    } else if map != nil {
      throw ValidationError("--map: must come with --model, whose weights have names to map")
    } else if network.variants.map(\.given) != [NetworkOptions()] {
      throw ValidationError("options of a network's definition must come with --model")
    }
  }

  private var outputFormat: WeightFile.Format {
    get throws(ValidationError) {
      if let format = WeightFile.Format(extensionOf: output) { return format }
      throw ValidationError(
        "output: its name must end in .pth, .pt, .safetensors, .npz or .params, "
          + "got \"\(output.printable)\"")
    }
  }

  func run() throws {
    let source = try WeightFile(path: input)
    let format = try outputFormat
    if model == nil, format != .safetensors, norm(of: source) != .plain {
      throw InputError(
        "\(input.printable): scales of norm \(norm(of: source).rawValue) must be written as those of "
          + "a network, since \(format) files do not say whose they are, got no --model\n"
          + "  hint: add --model with the network's name")
    }
    let contents = try contents(of: source, format)
    var metadata = source.metadata
    if model != nil, norm(of: source) != .plain {
      let exported = NetworkOptions.Norm.plain.metadata(afterExporting: norm(of: source))
      metadata.merge(exported) { _, new in new }
    }
    try WeightFile.write(contents, as: format, metadata: metadata, to: output)
    if check { try verify(contents) }
    let bytes = contents.reduce(0) { $0 + $1.type.sizeInBytes }
    try Console.output(
      "\(output.printable): \(format), \(contents.count) tensors, \(HumanNumber.bytes(bytes))"
        + (check ? ", equal bit for bit\n" : "\n"))
  }

  /// The norm that the scales belong to, as told or as the file says.
  private func norm(of source: WeightFile) -> NetworkOptions.Norm {
    let told = network.norm.elements[0]
    return told == .plain ? NetworkOptions.Norm(recordedIn: source.metadata) : told
  }

  /// What to write: all tensors as they are, or a network's under the names asked for.
  private func contents(
    of source: WeightFile, _ format: WeightFile.Format
  ) throws -> [WeightFile.Content] {
    guard let model else {
      return try source.entries.map { entry throws(WeightsError) in
        try source.content(entry.name)
      }
    }
    let graph = try model.model.graph(batch: 1, network.options(for: model.model))
    let expected = graph.parameters
    let file = source.matched(to: expected)
    try file.requireMatch(expected)
    let naming = map ?? (format == .mxnetParams ? .mxnet : .torchvision)
    let names = WeightMap(naming, paths: expected.map(\.path))
    var contents: [WeightFile.Content] = []
    let scales = norm(of: source) == .plain ? [:] : graph.normScales
    for (path, type) in expected {
      let name = names.name(of: path)
      if let epsilon = scales[path] {
        let scale = try file.tensor(named: path)
        contents.append(.init(name, NetworkOptions.Norm.exported(scale, epsilon: epsilon)))
      } else {
        contents.append(
          try file.content(path, as: name).reshaped(to: names.shape(type.shape, of: path)))
      }
      if format != .mxnetParams, let counter = names.batchCounter(after: path) {
        contents.append(.init(counter, HostTensor(TensorType(.int64, []), [Int64(0)])))
      }
    }
    return contents
  }

  /// Throws where a tensor of the written file differs from what should be in it.
  private func verify(_ contents: [WeightFile.Content]) throws {
    let written = try WeightFile(path: output)
    var different = Set(written.entries.map(\.name)).subtracting(contents.map(\.name)).sorted()
    for content in contents {
      let isEqual =
        try written.entry(named: content.name) != nil
        && written.tensor(named: content.name).isIdentical(to: content.load())
      if !isEqual { different.append(content.name) }
    }
    guard different.isEmpty else {
      let names = different.prefix(20).map(\.printable).joined(separator: ", ")
      throw InputError(
        "\(output.printable): must equal \(input.printable) bit for bit, got \(different.count) "
          + "tensors that differ: \(names)\(different.count > 20 ? ", …" : "")")
    }
  }
}

extension WeightMap.Naming: ExpressibleByArgument {}
