import Apus
import ApusBench
import ApusData
import ArgumentParser

/// `apus predict`
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classify pictures, or run a network on an array of numbers.")

  @Argument(
    help: "Pictures (JPEG, PNG, WebP) or folders of them.", completion: .file())
  var images: [String] = []

  @Option(
    name: [.short, .customLong("model")], help: "The network; see `apus models`.",
    transform: ModelOption.init(parsing:))
  var model: ModelOption

  @Option(help: "The network's weights: .safetensors, .pth, .npz or .params.", completion: .file())
  var weights: String

  @Option(
    help: ArgumentHelp(
      "A pattern of weights that may be missing or of another shape, such as 'fc.*'.",
      discussion: "They are initialised afresh. May be given several times."))
  var allowMismatch: [String] = []

  @OptionGroup(title: "The network's definition")
  var network: NetworkFlags

  @Option(help: "A text file with one class name a line.", completion: .file())
  var labels: String?

  @Option(
    parsing: .unconditional, help: "How many classes to show, the most likely first (default: 5).",
    transform: PositiveInt.init(parsing:))
  var topK = PositiveInt(5)

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: "Pictures that run together (default: 1; with --tensor all).",
    transform: PositiveInt.init(parsing:))
  var batchSize: PositiveInt?

  @Option(
    parsing: .unconditional,
    help: "The side of the square the network sees, in pixels (default: the network's own).",
    transform: PositiveInt.init(parsing:))
  var imageSize: PositiveInt?

  @Option(
    help: ArgumentHelp(
      "What is done to pixels, in place of the network's own.",
      discussion: "imagenet: less ImageNet's mean, by its deviation; centered: into -1…1; caffe: "
        + "0…255 less ImageNet's mean; raw: 0…255. torchvision's transform_input is centered."))
  var normalization: ImageInput.Normalization?

  @Option(
    help: "A .npy file with a float32 array [n, 3, h, w] instead of pictures.",
    completion: .file())
  var tensor: String?

  @Option(
    help: "Write the logits [n, classes] to this .npy file, a row for each classified picture.",
    completion: .file())
  var logits: String?

  @Option(help: "eager or compiled.")
  var execution = ExecutionOption.compiled

  @Option(
    help: "cpu, xla:cpu, xla:cuda or xla:cuda:N (default: cpu).",
    transform: DeviceOption.init(parsing:))
  var device = DeviceOption.cpu

  @Option(
    help: "fp32, or on XLA devices tf32, bf16, fp16 (default: fp32).",
    transform: PrecisionOption.init(parsing:))
  var precision = PrecisionOption.float32

  @Option(
    parsing: .unconditional,
    help: "A number, or auto: one for each physical core the process may use (default: auto).",
    transform: ThreadCountOption.init(parsing:))
  var threads = ThreadCountOption.auto

  @Flag(help: "Compute all convolutions on the CPU directly: Winograd's tiles round a little more.")
  var exact = false

  @Option(
    parsing: .unconditional,
    help: "Images that compiled CPU runs compute at a time (default: by a fixed rule).",
    transform: PositiveInt.init(parsing:))
  var microBatch: PositiveInt?

  @OptionGroup(title: "XLA devices")
  var xla: XLAFlags

  @Option(help: "table or json.")
  var format = TextFormat.table

  func validate() throws {
    if images.isEmpty == (tensor == nil) {
      throw ValidationError(
        "give pictures or --tensor FILE, not both: got \(images.count) pictures and "
          + (tensor.map { "--tensor \($0.printable)" } ?? "no --tensor"))
    }
    if tensor != nil && imageSize != nil {
      throw ValidationError("--image-size: does not apply to --tensor, whose size is its own")
    }
    try precision.require(on: device)
    if normalization != nil && (tensor != nil || input.channels != 3) {
      throw ValidationError(
        "--normalization: must come with coloured pictures, got "
          + (tensor == nil ? "a network for grey ones" : "--tensor"))
    }
    let classes = try network.options(for: model.model).classes
    if topK.value > classes {
      throw ValidationError(
        "--top-k: must be at most the number of classes, \(classes), got \(topK.value)")
    }
    do {
      _ = try input.preprocessing(size: imageSize?.value)
    } catch {
      throw ValidationError("--image-size: \(error)")
    }
  }

  private var input: ImageInput {
    var input = model.model.input
    if let normalization {
      input.mean = normalization.mean
      input.standardDeviation = normalization.standardDeviation
    }
    return input
  }

  func run() throws {
    Interruption.watch()
    // What can fail at once is tried before anything that takes long.
    if let logits { try PredictionReport.requireWritable(logits) }
    let options = try network.options(for: model.model)
    let devices = try OpenDevices([device], xla, exact: exact, microBatch: microBatch?.value)
    let backend = devices.backend(
      device, execution, precision, threads: threads.count(on: .current()))
    let labels = try labels.map { try ClassLabels(path: $0, classes: options.classes) }
    let pictures = try ImageFile.list(images)
    let loaded = try LoadedModel(
      model.model, options, weights: weights, allowMismatch: allowMismatch)
    for path in loaded.initialized {
      Console.warn("\(path): initialised afresh, because --allow-mismatch says so")
    }
    let classifier = Classifier(loaded, labels: labels, backend)
    var report = PredictionReport(topK: topK.value, format: format)
    if let tensor {
      try classify(tensor: tensor, classifier, &report)
    } else {
      try classify(pictures: pictures, classifier, &report)
    }
    if let logits, !Interruption.requested {
      try report.writeLogits(to: logits, classes: options.classes)
    }
    try report.finish()
  }

  private func classify(
    tensor path: String, _ classifier: Classifier, _ report: inout PredictionReport
  ) throws {
    let tensor = try NumPyFile.read(path)
    let channels = input.channels
    guard tensor.dtype == .float32, tensor.shape.rank == 4, tensor.shape[1] == channels,
      tensor.shape.allSatisfy({ $0 >= 1 })
    else {
      throw InputError(
        "\(path.printable): must be float32[n, \(channels), h, w], got \(tensor.type)")
    }
    if let index = tensor.firstNonFinite {
      // Checked here because maxima (ReLU, pooling) may turn a NaN into a number.
      throw InputError(
        "\(path.printable): must hold finite numbers, got \(tensor.floats[index])")
    }
    let batch = batchSize?.value ?? tensor.shape[0]
    for start in stride(from: 0, to: tensor.shape[0], by: batch) where !Interruption.requested {
      let end = min(start + batch, tensor.shape[0])
      let names = (start..<end).map { "\(path)[\($0)]" }
      try report.add(names, classifier.classify(tensor.rows(start..<end)))
    }
  }

  private func classify(
    pictures: [String], _ classifier: Classifier, _ report: inout PredictionReport
  ) throws {
    let preprocessing = try input.preprocessing(size: imageSize?.value)
    var batch = try PictureBatch(
      preprocessing, channels: input.channels,
      capacity: min(batchSize?.value ?? 1, pictures.count))
    for (index, path) in pictures.enumerated() {
      if Interruption.requested { return }
      do throws(DatasetError) {
        if let warning = try batch.add(path) { Console.warn(warning) }
      } catch {
        if pictures.count == 1 { throw error }
        report.fail(path, "\(error)")
      }
      if batch.isFull || index == pictures.count - 1, !batch.paths.isEmpty {
        try report.add(batch.paths, classifier.classify(batch.tensor()))
        batch.removeAll()
      }
    }
  }
}

/// Something the user gave that cannot be used.
struct InputError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

extension ImageInput.Normalization: ExpressibleByArgument {}
