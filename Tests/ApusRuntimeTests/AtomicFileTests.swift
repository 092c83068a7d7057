import ApusRuntime
import Foundation
import Testing

@Suite struct AtomicFileTests {
  @Test("A file appears whole and alone when committed")
  func commit() throws {
    try Fixture.withFolder { folder in
      let path = folder + "/a.json"
      let bytes = (0..<100_000).map { _ in UInt8.random(in: 0...255) }
      var file = try AtomicFile(path: path)
      try file.write(bytes)
      #expect(!FileManager.default.fileExists(atPath: path))
      try file.write("end\n")
      try file.commit()
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes) + Data("end\n".utf8))
      #expect(try Fixture.contents(of: folder) == ["a.json"])
    }
  }

  @Test("Without a commit nothing is left, and an older file stays")
  func abandon() throws {
    try Fixture.withFolder { folder in
      let path = folder + "/a.txt"
      try AtomicFile.write("old", to: path)
      do {
        var file = try AtomicFile(path: path)
        try file.write("new")
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
      #expect(try Fixture.contents(of: folder) == ["a.txt"])
    }
  }

  @Test("Permissions and links of the file that is replaced stay")
  func replace() throws {
    try Fixture.withFolder { folder in
      try AtomicFile.write("old", to: folder + "/real")
      chmod(folder + "/real", 0o640)
      symlink("real", folder + "/link")
      try AtomicFile.write("new", to: folder + "/link")
      #expect(try String(contentsOfFile: folder + "/real", encoding: .utf8) == "new")
      var status = stat()
      #expect(lstat(folder + "/link", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
      #expect(stat(folder + "/real", &status) == 0 && status.st_mode & 0o777 == 0o640)
    }
  }

  @Test("A full device is one clear error")
  func fullDevice() throws {
    let error = #expect(throws: FileError.self) {
      try AtomicFile.write("text", to: "/dev/full")
    }
    #expect(error?.code == ENOSPC)
    #expect(error?.description.contains("hint: free some space") == true)
    #expect(FileManager.default.fileExists(atPath: "/dev/full"))
  }

  @Test("When writing fails halfway, neither a temporary nor half a file is left")
  func halfway() throws {
    try Fixture.withFolder { folder in
      // The kernel stops at memory it may not read, as it would on a full disk.
      let size = 1 << 20
      let memory = try #require(
        mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
      try #require(memory != MAP_FAILED && mprotect(memory + size / 2, size / 2, PROT_NONE) == 0)
      let storage = HostTensor.Storage(adopting: .init(start: memory, count: size)) {
        munmap($0.baseAddress, $0.count)
      }
      let tensor = HostTensor(.init(.uint8, [size]), storage: storage, offsetInBytes: 0)
      for path in ["a.safetensors", "a.npy"].map({ folder + "/" + $0 }) {
        let error = #expect(throws: WeightsError.self) {
          if path.hasSuffix("npy") {
            try NumPyFile.write(tensor, to: path)
          } else {
            try WeightFile.writeSafetensors([("a", tensor)], to: path)
          }
        }
        #expect(error?.reason == .file(.init(path: path, operation: .write, code: EFAULT)))
      }
      let remains = try Fixture.contents(of: folder)
      #expect(remains.isEmpty)
    }
  }

  @Test(
    "A place that cannot be written is one clear error",
    arguments: [
      ("/nowhere/at/all/a.txt", ENOENT), ("/dev/null/a.txt", ENOTDIR), ("/", EISDIR), ("", ENOENT),
      ("/proc/self/a.txt", ENOENT),
    ])
  func unwritable(path: String, code: Int32) {
    let error = #expect(throws: FileError.self) { try AtomicFile.write("text", to: path) }
    #expect(error?.code == code)
  }

  @Test("A folder without write permission is one clear error", .enabled(if: geteuid() != 0))
  func forbidden() throws {
    try Fixture.withFolder { folder in
      chmod(folder, 0o500)
      defer { chmod(folder, 0o700) }
      let error = #expect(throws: FileError.self) {
        try AtomicFile.write("text", to: folder + "/a")
      }
      #expect(error?.code == EACCES)
    }
  }
}
