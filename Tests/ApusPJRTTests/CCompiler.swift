import Foundation
import Testing

/// A C compiler, for plugins that tests make up and for looking at headers.
enum CCompiler {
  /// The first of those on the PATH.
  static let path: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let names = ["clang", "cc", "gcc"]
    return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first { access($0, X_OK) == 0 }
  }()

  static let missing: Comment = "no C compiler: looked for clang, cc and gcc on the PATH"

  /// Where this package's headers are.
  static let headers = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/CPJRT/include").path

  struct Failure: Error { let reason: String }

  /// Runs a program and returns what it prints.
  @discardableResult
  static func run(_ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: arguments[0])
    process.arguments = Array(arguments.dropFirst())
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(reason: text) }
    return text
  }

  /// Compiles a text.
  static func compile(_ text: String, to path: String, _ options: [String]) throws {
    guard let compiler = Self.path else { throw Failure(reason: "no compiler") }
    try text.write(toFile: path + ".c", atomically: false, encoding: .utf8)
    try run([compiler, "-I", headers, "-o", path, path + ".c"] + options)
  }
}
