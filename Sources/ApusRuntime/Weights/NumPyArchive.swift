/// NumPy's `.npz`: a zip archive with one `.npy` file for each array.
///
/// Source: numpy/lib/_npyio_impl.py, `savez` and `NpzFile`.
enum NumPyArchive {
  static let suffix = ".npy"

  /// Whether a zip archive is one of arrays rather than of something else.
  static func isArchive(_ archive: ZipArchive) -> Bool {
    archive.entries.first?.name.hasSuffix(suffix) == true
  }

  /// Reads the headers of all arrays; elements of unsupported types are listed only.
  static func read(
    _ archive: ZipArchive, in file: MappedFile
  ) throws(WeightsError.Reason) -> [StoredTensor] {
    var tensors: [StoredTensor] = []
    for entry in archive.entries {
      guard entry.name.hasSuffix(suffix) else {
        throw .invalid(part: "npz archive", rule: "must hold .npy files only", got: entry.name)
      }
      let remedy = "save it with numpy.savez, not numpy.savez_compressed"
      guard let range = try archive.range(of: entry.name, remedy: remedy) else { continue }
      do throws(WeightsError.Reason) {
        tensors.append(
          try NumPyFile.stored(
            String(entry.name.dropLast(suffix.count)), in: file, range, allowsUnsupported: true))
      } catch {
        throw error.inside(entry.name)
      }
    }
    return tensors
  }
}

extension WeightsError.Reason {
  /// The same, of a part that is itself inside of something with a name.
  fileprivate func inside(_ name: String) -> Self {
    switch self {
    case .invalid(let part, let rule, let got):
      .invalid(part: "\(name): \(part)", rule: rule, got: got)
    case .truncated(let part, let needs, let has):
      .truncated(part: "\(name): \(part)", needs: needs, has: has)
    case .unsupported(let part, let feature, let remedy):
      .unsupported(part: "\(name): \(part)", feature: feature, remedy: remedy)
    default: self
    }
  }
}
