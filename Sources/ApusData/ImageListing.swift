import Foundation

extension ImageFile {
  /// The pictures that files and folders name, in order: a file stands for itself, whatever it is
  /// called; a folder for its pictures by extension, sorted, then those of its subfolders, sorted.
  ///
  /// Hidden entries and other files in a folder are skipped. Each folder under a named one is
  /// visited once, so that links in a circle end. Throws `unreadable`, or `noImages` for a named
  /// folder without pictures; whether the files themselves can be read shows when decoding.
  public static func list(_ paths: [String]) throws(DatasetError) -> [String] {
    var found: [String] = []
    for path in paths {
      guard identity(ofFolder: path) != nil else {
        found.append(path)
        continue
      }
      let count = found.count
      var visited: Set<FolderIdentity> = []
      try collect(path, into: &found, visited: &visited)
      if found.count == count { throw DatasetError(.noImages, path: path) }
    }
    return found
  }

  private struct FolderIdentity: Hashable {
    var device: UInt64
    var node: UInt64
  }

  /// What tells a folder from every other, following links; `nil` for anything else.
  private static func identity(ofFolder path: String) -> FolderIdentity? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
    return FolderIdentity(device: UInt64(status.st_dev), node: UInt64(status.st_ino))
  }

  private static func collect(
    _ root: String, into found: inout [String], visited: inout Set<FolderIdentity>
  ) throws(DatasetError) {
    // A stack of our own, since folders may nest deeper than calls can.
    var pending = [root]
    while let folder = pending.popLast() {
      guard let identity = identity(ofFolder: folder), visited.insert(identity).inserted else {
        continue
      }
      var subfolders: [String] = []
      for name in try entries(of: folder) {
        let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
        if Self.identity(ofFolder: path) != nil {
          subfolders.append(path)
        } else if pictureExtensions.contains(pathExtension(of: path)) {
          found.append(path)
        }
      }
      pending.append(contentsOf: subfolders.reversed())
    }
  }

  private static let pictureExtensions = Set(
    ImageFormat.allCases.flatMap(\.extensions) + ImageFormat.refusedExtensions)

  /// The names in a folder, sorted, without hidden ones.
  private static func entries(of folder: String) throws(DatasetError) -> [String] {
    guard let handle = opendir(folder) else {
      var error = FileContent.systemError()
      error.path = folder
      throw error
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
          String(cString: $0)
        }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}
