import Apus
import Foundation

/// A network that gives each image the likelihood of each class.
final class Classifier {
  let labels: ClassLabels?
  private let loaded: LoadedModel
  private let backend: any Backend
  /// One session for each image size.
  private var sessions: [Size2D: Session] = [:]

  init(
    _ loaded: LoadedModel, labels: ClassLabels?, _ backend: any Backend
  ) {
    self.loaded = loaded
    self.labels = labels
    self.backend = backend
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
    return Logits(rows: logits.floats.chunked(by: loaded.options.classes), labels: labels)
  }

  private func makeSession(_ size: Size2D) -> Session {
    let (model, options) = (loaded.model, loaded.options)
    return Session(backend, loaded.parameters) { batch in
      try model.graph(images: [batch, model.input.channels, size.height, size.width], options)
    }
  }
}

/// What a network says of a batch of images.
struct Logits {
  let rows: [[Float]]
  let labels: ClassLabels?
}

extension Array {
  /// Consecutive parts of `count` elements.
  fileprivate func chunked(by count: Int) -> [[Element]] {
    stride(from: 0, to: self.count, by: count).map { Array(self[$0..<$0 + count]) }
  }
}
