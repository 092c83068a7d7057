import Apus
import ApusData

/// Pictures on their way into one run.
struct PictureBatch {
  private let preprocessing: Preprocessing
  private let channels: Int
  private let capacity: Int
  private var pixels: [Float] = []
  private(set) var paths: [String] = []

  /// - Throws: where memory cannot hold the pixels and their copy in a tensor.
  init(
    _ preprocessing: Preprocessing, channels: Int, capacity: Int
  ) throws(BackendError) {
    try HostMemory.require(
      2 * capacity * preprocessing.valueCount * MemoryLayout<Float>.stride)
    self.preprocessing = preprocessing
    self.channels = channels
    self.capacity = capacity
  }

  var isFull: Bool { paths.count >= capacity }

  /// Decodes and preprocesses a picture; returns a warning where its name belies its content.
  mutating func add(_ path: String) throws(DatasetError) -> String? {
    let picture = try ImageFile.decode(path: path)
    do throws(DatasetError) {
      if channels == 1 {
        let values = try preprocessing(picture.image.grey())
        pixels += values.prefix(values.count / 3)
      } else {
        pixels += try preprocessing(picture.image)
      }
    } catch {
      throw error.at(path)
    }
    paths.append(path)
    return picture.warning
  }

  /// The pictures as `[n, channels, h, w]`.
  func tensor() -> HostTensor {
    HostTensor([paths.count, channels, preprocessing.crop, preprocessing.crop], pixels)
  }

  mutating func removeAll() {
    pixels.removeAll(keepingCapacity: true)
    paths.removeAll(keepingCapacity: true)
  }
}
