import ApusRuntime

/// What a plugin answered instead of doing what it was asked.
struct PluginFailure: Error, Hashable, Sendable {
  /// The codes of `absl::StatusCode`.
  enum Code: UInt32, Hashable, Sendable {
    case cancelled = 1
    case unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
    case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, internalError
    case unavailable, dataLoss, unauthenticated

    init(_ code: UInt32) { self = Code(rawValue: code) ?? .unknown }
  }

  /// The function's name in the API.
  let call: String
  let code: Code
  /// The plugin's own words.
  let message: String

  static func unimplemented(_ call: String, _ message: String) -> PluginFailure {
    PluginFailure(call: call, code: .unimplemented, message: message)
  }
}

extension PluginFailure: CustomStringConvertible {
  var description: String { "\(call) failed: \(status)" }

  /// The plugin's words, or at least what the code says.
  var status: String {
    let words = message.drop { $0.isWhitespace }.printableLines
    return words.isEmpty ? "\(code)" : words
  }
}

// MARK: - Sizes

extension PluginFailure {
  /// The size a plugin wants a block to claim.
  struct ExpectedSize: Hashable {
    /// Whether it is the arguments of the call, and not a block they point to.
    let isArguments: Bool
    let sizeInBytes: Int
  }

  /// What "Unexpected PJRT_X_Args size: expected 88, got 64." asks for.
  var expectedSize: ExpectedSize? {
    let words = message.split { $0 == " " || $0 == ":" || $0 == "," }
    guard code == .invalidArgument, words.count > 4, words[0] == "Unexpected",
      words[1].hasPrefix("PJRT_"), words[2] == "size", words[3] == "expected",
      let size = Int(words[4]), size > 0
    else { return nil }
    return ExpectedSize(isArguments: words[1].hasSuffix("_Args"), sizeInBytes: size)
  }
}

// MARK: - Errors of the backend

extension PluginFailure {
  /// The same as a backend's error.
  ///
  /// - Parameters:
  ///   - device: the device it happened on, for people.
  ///   - hint: what may help, when the plugin's words do not say.
  func backendError(on device: String, hint: String? = nil) -> BackendError {
    switch code {
    case .resourceExhausted: return .deviceOutOfMemory(device: device, reason: status)
    default:
      let hint = hint ?? knownRemedy
      return .library(call: call, status: hint.map { "\(status)\n  hint: \($0)" } ?? status)
    }
  }

  private var knownRemedy: String? {
    if message.contains("ptxas") || message.contains("libdevice") {
      return "XLA needs ptxas and libdevice of CUDA 13: `pip install nvidia-cuda-nvcc nvidia-nvvm` "
        + "beside the plugin, or a CUDA toolkit in /usr/local/cuda"
    }
    if message.contains("deleted or donated") {
      return "a run takes over the memory of the parameters and states it updates; "
        + "give its results to the next run"
    }
    return nil
  }
}

extension StringProtocol {
  /// The text with control characters escaped, but its lines kept.
  var printableLines: String {
    split(separator: "\n").prefix(40).map { String($0).printable }.joined(separator: "\n")
  }
}
