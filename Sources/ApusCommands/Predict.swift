import Apus
import ApusBench
import ApusData
import ApusOneDNN
import ArgumentParser

/// `apus predict`
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classify pictures, or run a network on an array of numbers.")

  @Argument(
    help: "Pictures (JPEG, PNG, WebP) or folders of them.", completion: .file())
  var images: [String] = []

  @Option(name: [.short, .customLong("model")], help: "The network; see `apus models`.")
  var model: String

  @Option(help: "The network's weights: safetensors or a PyTorch state dict.", completion: .file())
  var weights: String

  @Option(
    help: ArgumentHelp(
      "A pattern of weights that may be missing or of another shape, such as 'fc.*'.",
      discussion: "They are initialised afresh. May be given several times."))
  var allowMismatch: [String] = []

  @Option(help: "The number of classes of the network's head.")
  var classes = PositiveInt(1000)

  @Option(help: "A text file with one class name a line.", completion: .file())
  var labels: String?

  @Option(help: "How many classes to show, the most likely first.")
  var topK = PositiveInt(5)

  @Option(name: [.short, .long], help: "Pictures that run together.")
  var batchSize = PositiveInt(1)

  @Option(help: "The side of the square the network sees, in pixels (default: the network's own).")
  var imageSize: PositiveInt?

  @Option(help: "A .npy file with a float32 array [n, 3, h, w] instead of pictures.")
  var tensor: String?

  @Option(help: "Write the logits [n, classes] to this .npy file.")
  var logits: String?

  @Option(help: "eager or compiled.")
  var execution = ExecutionOption.compiled

  @Option(help: "A number, or auto: one for each physical core the process may use.")
  var threads = ThreadCountOption.auto

  @Option(help: "table or json.")
  var format = TextFormat.table

  func validate() throws {
    _ = try ApusCommand.model(named: model)
    if images.isEmpty == (tensor == nil) {
      throw ValidationError(
        "give pictures or --tensor FILE, not both: got \(images.count) pictures and "
          + (tensor.map { "--tensor \($0)" } ?? "no --tensor"))
    }
    if tensor != nil && imageSize != nil {
      throw ValidationError("--image-size: does not apply to --tensor, whose size is its own")
    }
    if topK.value > classes.value {
      throw ValidationError(
        "--top-k: must be at most the number of classes, \(classes.value), got \(topK.value)")
    }
  }

  func run() throws {
    let loaded = try LoadedModel(
      ApusCommand.model(named: model), classes: classes.value, weights: weights,
      allowMismatch: allowMismatch)
    for path in loaded.initialized {
      Console.warn("\(path): initialised afresh, because --allow-mismatch says so")
    }
    let classifier = try Classifier(
      loaded, classes: classes.value,
      labels: labels.map { try ClassLabels(path: $0, classes: classes.value) },
      OneDNNBackend(execution.mode, threads: threads.count(on: .current())))
    var report = PredictionReport(topK: topK.value, format: format)
    if let tensor {
      try classify(tensor: tensor, classifier, &report)
    } else {
      try classify(pictures: ImageFile.list(images), classifier, &report)
    }
    if let logits { try report.writeLogits(to: logits, classes: classes.value) }
    try report.finish()
  }

  private func classify(
    tensor path: String, _ classifier: Classifier, _ report: inout PredictionReport
  ) throws {
    let tensor = try NumPyFile.read(path)
    guard tensor.dtype == .float32, tensor.shape.rank == 4, tensor.shape[1] == 3,
      tensor.shape.allSatisfy({ $0 >= 1 })
    else {
      throw InputError("\(path): must be float32[n, 3, h, w], got \(tensor.type)")
    }
    let batch = batchSize.value == 1 ? tensor.shape[0] : batchSize.value
    for start in stride(from: 0, to: tensor.shape[0], by: batch) {
      let end = min(start + batch, tensor.shape[0])
      let names = (start..<end).map { "\(path)[\($0)]" }
      report.add(names, try classifier.classify(tensor.rows(start..<end)))
    }
  }

  private func classify(
    pictures: [String], _ classifier: Classifier, _ report: inout PredictionReport
  ) throws {
    let side = imageSize?.value ?? classifier.imageSize
    let preprocessing = try Preprocessing(imageSize: side)
    var batch = PictureBatch(preprocessing, capacity: min(batchSize.value, pictures.count))
    for (index, path) in pictures.enumerated() {
      do throws(DatasetError) {
        if let warning = try batch.add(path) { Console.warn(warning) }
      } catch {
        if pictures.count == 1 { throw error }
        report.fail(path, "\(error)")
      }
      if batch.isFull || index == pictures.count - 1, !batch.paths.isEmpty {
        report.add(batch.paths, try classifier.classify(batch.tensor()))
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

extension HostTensor {
  /// Some rows of the first axis, as a view.
  fileprivate func rows(_ range: Range<Int>) -> HostTensor {
    let rowBytes = type.sizeInBytes / shape[0]
    return HostTensor(
      TensorType(dtype, Shape([range.count] + shape.dropFirst())), storage: storage,
      offsetInBytes: offsetInBytes + range.lowerBound * rowBytes)
  }
}
