import Apus
import Foundation

/// A network that gives each image the likelihood of each class.
final class Classifier {
  let labels: ClassLabels?
  let imageSize: Int
  private let loaded: LoadedModel
  private let classes: Int
  private let backend: any Backend
  /// One session for each image size.
  private var sessions: [Size2D: Session] = [:]

  init(
    _ loaded: LoadedModel, classes: Int, labels: ClassLabels?, _ backend: any Backend
  ) throws {
    self.loaded = loaded
    self.classes = classes
    self.labels = labels
    self.backend = backend
    imageSize = loaded.model.imageSize
  }

  /// The logits of each image of `[n, 3, h, w]`, with the labels.
  func classify(_ images: HostTensor) throws -> Logits {
    let size = Size2D(images.shape[2], images.shape[3])
    let session = sessions[size] ?? makeSession(size)
    sessions[size] = session
    let results = try session.run(["images": images], batch: images.shape[0])
    guard let logits = results["logits"] else {
      throw InputError("\(loaded.model.name): must return \"logits\", got \(results.keys.sorted())")
    }
    return Logits(rows: logits.floats.chunked(by: classes), labels: labels)
  }

  private func makeSession(_ size: Size2D) -> Session {
    let (model, classes) = (loaded.model, classes)
    return Session(backend, loaded.parameters) { batch in
      try model.graph(images: [batch, 3, size.height, size.width], classes: classes)
    }
  }
}

/// What a network says of a batch of images.
struct Logits {
  let rows: [[Float]]
  let labels: ClassLabels?
}

/// The names of classes, by index.
struct ClassLabels {
  private let names: [String]

  /// Reads one name a line.
  init(path: String, classes: Int) throws {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw InputError("\(path): must be a readable UTF-8 text file with one class name a line")
    }
    var names = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    while names.last?.allSatisfy(\.isWhitespace) == true { names.removeLast() }
    guard names.count == classes else {
      throw InputError(
        "\(path): must have one line for each of \(classes) classes, got \(names.count) lines")
    }
    self.names = names.map(String.init)
  }

  subscript(index: Int) -> String { names[index] }
}

extension Array {
  /// Consecutive parts of `count` elements.
  fileprivate func chunked(by count: Int) -> [[Element]] {
    stride(from: 0, to: self.count, by: count).map { Array(self[$0..<$0 + count]) }
  }
}
