import ApusIR

/// A weight file that cannot be read or written, or does not fit the network.
public struct WeightsError: Error, Hashable, Sendable {
  public let path: String
  public let reason: Reason

  public init(path: String, reason: Reason) {
    self.path = path
    self.reason = reason
  }

  /// What is wrong.
  public enum Reason: Error, Hashable, Sendable {
    /// The operating system refused.
    case file(FileError)
    case notRegularFile
    case unrecognized(Lookalike)
    /// `part` says it is longer than what the file still holds.
    case truncated(part: String, needs: UInt64, has: Int)
    /// `part` breaks a rule of the format.
    case invalid(part: String, rule: String, got: String)
    /// Valid, but nothing this library reads.
    case unsupported(part: String, feature: String, remedy: String?)
    /// A pickle wants something imported or called that is not needed for tensors.
    case refusedCall(String)
    case wholeModule(className: String)
    case torchScript
    case noStateDict(found: String)
    case severalStateDicts([String])
    case noSuchTensor(String)
    case unsupportedType(tensor: String, dtype: String)
    /// A tensor repeats its storage (stride 0) into more bytes than are sensible.
    case expandsTooFar(tensor: String, bytes: Int, storage: Int)
    case nameNotWritable(String)
    /// The format has no such tensors.
    case notWritable(tensor: String, type: TensorType, format: WeightFile.Format, remedy: String)
    case mismatches([Mismatch])
    case unmatchedGlobs([String])
    /// A plain batch norm multiplies by a negative number, which the network's norm cannot.
    case negativeScale(tensor: String, element: Int, value: String, norm: String)
    /// Weights only, where a training is to go on.
    case notTrainingState
  }

  /// What an unknown file seems to be.
  public enum Lookalike: Hashable, Sendable {
    case empty, text, html, gitLFSPointer, numPy, pickle, unknown
  }

  /// One difference between a file and a network.
  public enum Mismatch: Hashable, Sendable {
    case missing(path: String, expected: TensorType)
    case unexpected(path: String, got: String)
    case wrongShape(path: String, expected: TensorType, got: String)
    case wrongDType(path: String, expected: TensorType, got: String)

    /// The parameter's path.
    public var path: String {
      switch self {
      case .missing(let path, _), .unexpected(let path, _): path
      case .wrongShape(let path, _, _), .wrongDType(let path, _, _): path
      }
    }
  }
}

extension WeightsError: CustomStringConvertible {
  public var description: String {
    if case .file(let error) = reason { return error.description }
    let text = "\(path.printable): \(reason.fact)"
    return reason.remedy.map { "\(text)\n  hint: \($0)" } ?? text
  }
}

extension WeightsError.Reason {
  fileprivate var fact: String {
    switch self {
    case .file(let error): error.description
    case .notRegularFile: "must be a regular file, got a folder, pipe or device"
    case .unrecognized(let lookalike):
      "must be safetensors, a PyTorch state dict, .npz or MXNet .params, got \(lookalike.text)"
    case .truncated(let part, let needs, let has):
      "\(part.printable): must have \(needs) bytes, got \(has): the file is truncated or damaged"
    case .invalid(let part, let rule, let got):
      "\(part.printable): \(rule), got \(got.printable)"
    case .unsupported(let part, let feature, _):
      "\(part.printable): \(feature.printable) is not supported"
    case .refusedCall(let name):
      "pickle: refuses to call \(name.printable), which has no part in a state dict"
    case .wholeModule(let name):
      "must be a state dict, got a whole pickled module (\(name.printable))"
    case .torchScript: "must be a state dict, got a TorchScript archive"
    case .noStateDict(let found): "must hold a state dict (names → tensors), got \(found.printable)"
    case .severalStateDicts(let keys):
      "must hold one state dict, got several: \(keys.map(\.printable).joined(separator: ", "))"
    case .noSuchTensor(let name): "holds no tensor named \(name.printable)"
    case .unsupportedType(let tensor, let dtype):
      "\(tensor.printable): elements of type \(dtype.printable) are not supported"
    case .expandsTooFar(let tensor, let bytes, let storage):
      "\(tensor.printable): must not repeat a storage of \(storage) bytes into \(bytes) bytes"
    case .nameNotWritable(let name):
      "tensor names must be unique and not __metadata__, got \(name.printable)"
    case .notWritable(let tensor, let type, let format, _):
      "\(tensor.printable): \(format) files cannot hold \(type)"
    case .mismatches(let mismatches): Self.list(mismatches)
    case .unmatchedGlobs(let globs):
      "each allowed mismatch must match a parameter or a tensor, got "
        + globs.map { "'\($0.printable)'" }.joined(separator: ", ")
    case .negativeScale(let tensor, let element, let value, let norm):
      "\(tensor.printable): norm \(norm) multiplies by |weight| + epsilon, so that weights of a plain "
        + "batch norm must not be negative, got \(value) in element \(element)"
    case .notTrainingState: "must be a saved training, got a file of weights"
    }
  }

  fileprivate var remedy: String? {
    switch self {
    case .unrecognized(.gitLFSPointer): "fetch the real file with git lfs pull"
    case .unrecognized(.html): "this looks like a web page: download the file itself"
    case .unrecognized(.pickle), .wholeModule, .torchScript, .noStateDict:
      "in Python: torch.save(model.state_dict(), path)"
    case .unrecognized, .truncated: "download or copy the file again"
    case .unsupported(_, _, let remedy): remedy
    case .notWritable(_, _, _, let remedy): remedy
    case .refusedCall: "in Python: torch.save(model.state_dict(), path) saves tensors only"
    case .severalStateDicts(let keys):
      "in Python: torch.save(checkpoint[\"\((keys.first ?? "").printable)\"], path)"
    case .expandsTooFar, .unsupportedType: "in Python: save tensor.contiguous().float()"
    case .mismatches(let mismatches): Self.remedy(for: mismatches)
    case .unmatchedGlobs: "fc.* matches every path that begins with fc. ; case matters"
    case .negativeScale: "use norm bn, or weights that were trained with this norm"
    case .notTrainingState: "load it as weights to begin a training from them"
    case .file, .notRegularFile, .invalid, .noSuchTensor, .nameNotWritable: nil
    }
  }

  private static func list(_ mismatches: [WeightsError.Mismatch]) -> String {
    let count = mismatches.count == 1 ? "1 tensor does" : "\(mismatches.count) tensors do"
    return (["\(count) not match the network"] + mismatches.map { "  \($0)" })
      .joined(separator: "\n")
  }

  private static func remedy(for mismatches: [WeightsError.Mismatch]) -> String {
    let groups = Set(mismatches.map { $0.path.prefix { $0 != "." } })
    if groups.count == 1, let group = groups.first {
      return "if this is meant: --allow-mismatch '\(String(group).printable).*'"
    }
    return "is the file meant for this network?"
  }
}

extension WeightsError.Lookalike {
  fileprivate var text: String {
    switch self {
    case .empty: "an empty file"
    case .text: "text"
    case .html: "HTML"
    case .gitLFSPointer: "a Git LFS pointer"
    case .numPy: "a NumPy array"
    case .pickle: "a plain pickle"
    case .unknown: "something else"
    }
  }
}

extension WeightsError.Mismatch: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let path, let expected): "missing: \(path.printable): expected \(expected)"
    case .unexpected(let path, let got): "unexpected: \(path.printable): got \(got.printable)"
    case .wrongShape(let path, let expected, let got):
      "wrong shape: \(path.printable): expected \(expected), got \(got.printable)"
    case .wrongDType(let path, let expected, let got):
      "wrong dtype: \(path.printable): expected \(expected), got \(got.printable)"
    }
  }
}
