import ApusPJRT
import ApusRuntime
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Collects what a cache reports.
private final class Reports: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite("The cache of compiled programs")
struct CacheTests {
  private let folder: TemporaryFolder
  private let reports = Reports()

  init() throws { folder = try TemporaryFolder() }

  private func cache(limitInBytes: Int = 1 << 30) throws -> ExecutableCache {
    let folders = [folder.path, folder.path + "/apus", folder.path + "/apus/xla"]
    let cache = ExecutableCache(folders: folders, limitInBytes: limitInBytes) { [reports] in
      reports.add($0)
    }
    return try #require(cache)
  }

  private func isRefused(_ folders: [String]) -> Bool {
    ExecutableCache(folders: folders, report: { [reports] in reports.add($0) }) == nil
  }

  private func entries(_ cache: ExecutableCache) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: cache.folder).sorted()
  }

  private func expectRuns(_ executable: LoadedExecutable, on device: Device) throws {
    let (x, y) = (randomVector(32), randomVector(32))
    let result = try Launcher(executable).start([device.upload(x), device.upload(y)])[0]
    #expect(try result.hostTensor().floats == zip(x.floats, y.floats).map { $0 * $0 + $1 })
  }

  @Suite("of the plugin", .enabled(if: TestPlugin.isFound, TestPlugin.missing))
  struct Entries {
    private let tests: CacheTests

    init() throws { tests = try CacheTests() }

    @Test("a program is written once, and loaded from then on")
    func hit() throws {
      let device = try TestPlugin.device()
      let cache = try tests.cache()
      try tests.expectRuns(device.compile(.squareAndAdd(32), cache: cache), on: device)
      let entry = try #require(try tests.entries(cache).first)
      let path = cache.folder + "/" + entry
      let content = try Data(contentsOf: URL(fileURLWithPath: path))
      // Marked with a time of its own, an entry that is only read keeps its content.
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
      try tests.expectRuns(device.compile(.squareAndAdd(32), cache: cache), on: device)
      #expect(try tests.entries(cache) == [entry])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
      let used = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
      #expect(try #require(used).timeIntervalSinceNow > -1000)
      #expect(tests.reports.all == [])
    }

    @Test("a program loaded from the cache donates as it did")
    func donation() throws {
      let device = try TestPlugin.device()
      let cache = try tests.cache()
      _ = try device.compile(.accumulate(32), cache: cache)
      let loaded = try device.compile(.accumulate(32), cache: cache)
      #expect(try loaded.executable.memory()?.alias == 128)
      let (x, y) = (try device.upload(randomVector(32)), try device.upload(randomVector(32)))
      let expected = try zip(x.hostTensor().floats, y.hostTensor().floats).map { $0 + $1 }
      #expect(try Launcher(loaded).start([x, y])[0].hostTensor().floats == expected)
      #expect(try x.isDeleted)
    }

    @Test("other programs, flags and devices have other entries")
    func keys() throws {
      let plugin = try Plugin.load(PluginSearch(platform: "cpu"))
      let client = try Client(plugin, options: ["cpu_device_count": .int64(2)])
      let cache = try tests.cache()
      let device = try client.device(0)
      _ = try device.compile(.squareAndAdd(32), cache: cache)
      _ = try device.compile(.squareAndAdd(33), cache: cache)
      let options = CompileOptions(flags: ["xla_cpu_enable_fast_math": .bool(true)])
      _ = try device.compile(.squareAndAdd(32), options, cache: cache)
      let other = try client.device(1)
      _ = try other.compile(.squareAndAdd(32), cache: cache)
      #expect(try tests.entries(cache).count == 4)
      try tests.expectRuns(other.compile(.squareAndAdd(32), cache: cache), on: other)
    }

    @Test("a damaged entry is ignored with one line and written again", arguments: 0..<6)
    func damaged(kind: Int) throws {
      let device = try TestPlugin.device()
      let cache = try tests.cache()
      _ = try device.compile(.squareAndAdd(32), cache: cache)
      let path = try cache.folder + "/" + #require(try tests.entries(cache).first)
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      var bad = good
      switch kind {
      case 0: bad = Data()
      case 1: bad = good.prefix(30)
      case 2: bad = good.dropLast(1)
      case 3: bad[bad.count - 5] ^= 1
      case 4: bad[3] ^= 1
      default: bad = Data("apus xla executable 1\n".utf8)
      }
      try bad.write(to: URL(fileURLWithPath: path))
      try tests.expectRuns(device.compile(.squareAndAdd(32), cache: cache), on: device)
      #expect(tests.reports.all == ["\(path): ignored and compiled again: it is damaged"])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == good.count)
      try tests.expectRuns(device.compile(.squareAndAdd(32), cache: cache), on: device)
      #expect(tests.reports.all.count == 1)
    }

    @Test("an entry that the plugin refuses is compiled again")
    func refused() throws {
      let device = try TestPlugin.device()
      let cache = try tests.cache()
      _ = try device.compile(.squareAndAdd(32), cache: cache)
      let path = try cache.folder + "/" + #require(try tests.entries(cache).first)
      // Whole by its hash, but no executable.
      let nonsense = Array("no executable".utf8)
      let entry = Array("apus xla executable 1\n".utf8) + SHA256.hash(nonsense) + nonsense
      try Data(entry).write(to: URL(fileURLWithPath: path))
      try tests.expectRuns(device.compile(.squareAndAdd(32), cache: cache), on: device)
      let report = try #require(tests.reports.all.first)
      #expect(report.hasPrefix("\(path): ignored and compiled again: "))
      #expect(tests.reports.all.count == 1)
    }

    @Test("a link is not followed")
    func link() throws {
      let device = try TestPlugin.device()
      let cache = try tests.cache()
      _ = try device.compile(.squareAndAdd(32), cache: cache)
      let path = try cache.folder + "/" + #require(try tests.entries(cache).first)
      try FileManager.default.moveItem(atPath: path, toPath: path + ".elsewhere")
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: path + ".elsewhere")
      try tests.expectRuns(device.compile(.squareAndAdd(32), cache: cache), on: device)
      #expect(tests.reports.all == ["\(path): ignored: it must be a file of the user's own"])
    }

    @Test("entries not used for longest go when there is no room")
    func eviction() throws {
      let device = try TestPlugin.device()
      let size = try #require(try device.compile(.squareAndAdd(32)).executable.serialized()).count
      let cache = try tests.cache(limitInBytes: 7 * size / 2)
      var paths: [String] = []
      for (index, count) in [32, 33, 34].enumerated() {
        let before = Set(try tests.entries(cache))
        _ = try device.compile(.squareAndAdd(count), cache: cache)
        let path =
          try cache.folder + "/"
          + #require(Set(try tests.entries(cache)).subtracting(before).first)
        paths.append(path)
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSince1970: 1e9 + Double(index))],
          ofItemAtPath: path)
      }
      // The first is used again, so the second is the oldest.
      _ = try device.compile(.squareAndAdd(32), cache: cache)
      _ = try device.compile(.squareAndAdd(35), cache: cache)
      let exists = paths.map { FileManager.default.fileExists(atPath: $0) }
      #expect(exists == [true, false, true])
    }

    @Test("a folder that cannot be written stands in nobody's way")
    func unwritable() throws {
      let device = try TestPlugin.device()
      let cache = try tests.cache()
      try FileManager.default.removeItem(atPath: cache.folder)
      try tests.expectRuns(device.compile(.squareAndAdd(32), cache: cache), on: device)
      #expect(tests.reports.all.count == 1)
      #expect(try #require(tests.reports.all.first).hasPrefix("a compiled program is not kept: "))
    }
  }

  @Test("folders are made for the user alone")
  func folders() throws {
    let cache = try cache()
    for path in [cache.folder, folder.path + "/apus"] {
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o700)
    }
    #expect(reports.all == [])
  }

  @Test("a folder that others may write is refused with what to do")
  func foreignFolder() throws {
    let path = try cache().folder
    chmod(path, 0o777)
    let folders = [folder.path, folder.path + "/apus", path]
    #expect(isRefused(folders))
    #expect(
      reports.all == [
        "compiled programs are not kept: \(path) must not be writable by others (chmod go-w)"
      ])
    chmod(path, 0o700)
    chmod(folder.path + "/apus", 0o720)
    #expect(isRefused(folders))
    #expect(reports.all.count == 2)
  }

  @Test("a file or a link where the folder should be is refused")
  func noFolder() throws {
    let file = folder.path + "/file"
    try Data().write(to: URL(fileURLWithPath: file))
    #expect(isRefused([folder.path, file]))
    #expect(reports.all == ["compiled programs are not kept: \(file) must be a folder"])
    let link = folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
    #expect(isRefused([folder.path, link]))
    #expect(isRefused([folder.path, file + "/x"]))
    #expect(reports.all.count == 3)
  }

  @Test("the folder of another user is refused", .enabled(if: geteuid() == 0, "not run as root"))
  func otherUser() throws {
    let path = try cache().folder
    try #require(chown(path, 65534, 65534) == 0)
    let folders = [folder.path, folder.path + "/apus", path]
    #expect(isRefused(folders))
    #expect(reports.all == ["compiled programs are not kept: \(path) must belong to the user"])
  }

  @Test("the user's folder follows XDG_CACHE_HOME, or lies below ~/.cache")
  func places() throws {
    let base = folder.path + "/base"
    let cache = try #require(ExecutableCache(environment: ["XDG_CACHE_HOME": base]))
    #expect(cache.folder == base + "/apus/xla")
    for relative in ["relative", ""] {
      let environment = ["XDG_CACHE_HOME": relative, "HOME": folder.path]
      let cache = try #require(ExecutableCache(environment: environment))
      #expect(cache.folder == folder.path + "/.cache/apus/xla")
    }
  }
}

@Suite("SHA-256")
struct SHA256Tests {
  @Test(
    "gives the hashes of the standard's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func examples(text: String, hash: String) {
    let digits = SHA256.hash(Array(text.utf8)).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    #expect(digits.joined() == hash)
  }

  @Test(
    "agrees with sha256sum at every length around a block",
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/sha256sum"), "no sha256sum"))
  func lengths() throws {
    let folder = try TemporaryFolder()
    for count in [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 121, 128, 1000] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
      let path = folder.path + "/bytes"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let output = try CCompiler.run(["/usr/bin/sha256sum", path])
      let digits = SHA256.hash(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      #expect(output.prefix(64) == digits.joined(), "\(count) bytes")
    }
  }
}
