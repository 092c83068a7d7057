import ApusData
import Foundation
import Testing

/// The pictures of `Fixtures/`, written by `Fixtures/make.py`.
struct Fixture: Sendable, CustomTestStringConvertible {
  let name: String
  let width: Int
  let height: Int

  var testDescription: String { name }

  static let folder = (Bundle.module.resourcePath ?? ".") + "/Fixtures"

  /// The rows of `cases.txt`.
  static let all: [Fixture] = rows(of: "cases.txt").compactMap { row in
    guard row.count == 3, let width = Int(row[1]), let height = Int(row[2]) else { return nil }
    return Fixture(name: row[0], width: width, height: height)
  }

  static func rows(of table: String) -> [[String]] {
    String(decoding: bytes(table), as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
  }

  static func path(_ name: String) -> String { folder + "/" + name }

  /// The content of a file; empty where there is none, which every test notices.
  static func bytes(_ name: String) -> [UInt8] {
    [UInt8](FileManager.default.contents(atPath: path(name)) ?? Data())
  }
}

/// A folder that is removed at the end of a test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "apus-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let target = path + "/" + name
    let parent = (target as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: target))
    return target
  }
}

/// The largest and the mean distance between the samples of two pictures.
func distance(_ a: [UInt8], _ b: [UInt8]) -> (largest: Int, mean: Double) {
  guard a.count == b.count, !a.isEmpty else { return (256, 256) }
  let distances = zip(a, b).map { abs(Int($0) - Int($1)) }
  return (distances.max() ?? 0, Double(distances.reduce(0, +)) / Double(a.count))
}
