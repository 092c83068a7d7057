import ApusRuntime

/// Why a picture, a folder of pictures or a setting of the preprocessing cannot be used.
public struct DatasetError: Error, Hashable, Sendable {
  /// The file or folder at fault; `nil` where the fault is not one of a file.
  public var path: String?
  public var reason: Reason

  public init(_ reason: Reason, path: String? = nil) {
    self.reason = reason
    self.path = path
  }

  /// The same error, said of the file at `path` unless it names one already.
  public func at(_ path: String) -> DatasetError {
    DatasetError(reason, path: self.path ?? path)
  }

  /// The facts of an error; `words` are those of the system or of a codec library.
  public enum Reason: Hashable, Sendable {
    case unreadable(words: String)
    case notAFile(kind: String)
    case emptyFile
    case fileTooLarge(bytes: Int)
    case notAnImage(content: String)
    case unsupportedFormat(name: String)
    case unsupportedVariant(ImageFormat, what: String)
    case truncated(ImageFormat, words: String)
    case corrupt(ImageFormat, words: String)
    case zeroSized(width: Int, height: Int)
    case tooLarge(width: Int, height: Int)
    case sampleCount(width: Int, height: Int, expected: Int, given: Int)
    case resizedTooLarge(width: Int, height: Int, resizedWidth: Int, resizedHeight: Int)
    case imageSize(given: Int, limit: Int)
    case normalization(mean: SIMD3<Float>, std: SIMD3<Float>)
    case bufferSize(expected: Int, given: Int)
    case noImages
  }
}

extension DatasetError: CustomStringConvertible {
  public var description: String {
    guard let path else { return reason.description }
    return "\(path.printable): \(reason)"
  }
}

extension DatasetError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let words):
      "cannot be read: \(words)"
    case .notAFile(let kind):
      "must be a regular file, but is \(kind)"
    case .emptyFile:
      "must be a picture, but is empty (0 bytes); copy or download it again"
    case .fileTooLarge(let bytes):
      "must be at most \(ImageLimits.fileBytes) bytes large, got \(bytes)"
    case .notAnImage(let content):
      "must be a JPEG, PNG or WebP picture, but \(content)"
    case .unsupportedFormat(let name):
      "\(name) is not supported; convert it to JPEG, PNG or WebP"
    case .unsupportedVariant(let format, let what):
      "\(what) is not supported in \(format.name) files; save it again as 8-bit JPEG or as PNG"
    case .truncated(let format, let words):
      "\(format.name) file is truncated (\(words)); copy or download it again"
    case .corrupt(let format, let words):
      "\(format.name) file is damaged (\(words)); copy or download it again"
    case .zeroSized(let width, let height):
      "a picture must have at least one pixel, got \(width) × \(height)"
    case .tooLarge(let width, let height):
      "a picture must have at most \(ImageLimits.pixels) pixels and sides of at most "
        + "\(ImageLimits.side), got \(width) × \(height); scale it down"
    case .sampleCount(let width, let height, let expected, let given):
      "\(width) × \(height) pixels must have \(expected) samples, got \(given)"
    case .resizedTooLarge(let width, let height, let resizedWidth, let resizedHeight):
      "resized, a picture must have at most \(ImageLimits.pixels) pixels, but its "
        + "\(width) × \(height) would become \(resizedWidth) × \(resizedHeight); "
        + "cut it to a less extreme shape"
    case .imageSize(let given, let limit):
      "the image size must be between 1 and \(limit) pixels, got \(given)"
    case .normalization(let mean, let std):
      "mean must be finite and std finite and above zero, got \(words(mean)) and \(words(std))"
    case .bufferSize(let expected, let given):
      "the buffer for a preprocessed picture must hold \(expected) values, got \(given)"
    case .noImages:
      "holds no pictures; expected files named .jpg, .png or .webp"
    }
  }
}

/// Three numbers as one would write them.
private func words(_ values: SIMD3<Float>) -> String {
  "\(values.x), \(values.y), \(values.z)"
}
