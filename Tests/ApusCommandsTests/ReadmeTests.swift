import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  @Suite struct ReadmeTests {
    @Test("every command of the README works")
    func commands() async throws {
      let commands = try Self.commands()
      try #require(commands.count >= 4)
      let folder = try TemporaryFolder()
      try prepare(folder.path, for: commands)
      for command in commands {
        let quick =
          command.first == "bench"
          ? ["--min-time", "0.1s", "--max-time", "0.5s", "--min-iterations", "2"]
            + (command.contains("--image-size") ? [] : ["--image-size", "64"]) : []
        let run = try await Tool.run(command + quick, in: folder.path, within: 120)
        expectNoCrash(run)
        #expect(run.exitCode == 0, "apus \(command.joined(separator: " "))\n\(run.errors)")
      }
    }

    /// The arguments of each line of a `sh` block that runs the program.
    private static func commands() throws -> [[String]] {
      let readme = try String(
        contentsOfFile: Workspace.repository + "/README.md", encoding: .utf8)
      var isShell = false
      var commands: [[String]] = []
      for line in readme.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("```") {
          isShell = !isShell && line == "```sh"
        } else if isShell {
          let words = words(line)
          if ["apus", ".build/release/apus"].contains(words.first) {
            commands.append(Array(words.dropFirst()))
          }
        }
      }
      return commands
    }

    /// A shell's words: quotes keep spaces and patterns, `#` begins a comment.
    private static func words(_ line: Substring) -> [String] {
      var words: [String] = []
      var word: String?
      var quote: Character?
      for character in line {
        if character == quote {
          quote = nil
        } else if quote == nil, character == "'" || character == "\"" {
          quote = character
          word = word ?? ""
        } else if quote == nil, character == " " {
          if let complete = word { words.append(complete) }
          word = nil
        } else if quote == nil, word == nil, character == "#" {
          break
        } else {
          word = (word ?? "") + String(character)
        }
      }
      return words + [word].compactMap { $0 }
    }

    /// Makes the files that the commands mention: weights are told apart by content, so one file
    /// stands for each name.
    private func prepare(_ folder: String, for commands: [[String]]) throws {
      let files = FileManager.default
      try files.createSymbolicLink(
        atPath: folder + "/Examples", withDestinationPath: Workspace.repository + "/Examples")
      let labels = (0..<1000).map { "name \($0)\n" }.joined()
      try labels.write(toFile: folder + "/labels.txt", atomically: false, encoding: .utf8)
      try NumPyFile.write(HashedWeights.images(batch: 1, size: 224), to: folder + "/x.npy")
      for word in Set(commands.joined()) {
        let parts = word.split(separator: ".")
        guard parts.count == 2, ["safetensors", "pth"].contains(parts[1]) else { continue }
        let weights = folder + "/\(parts[0]).hashed"
        if !files.fileExists(atPath: weights) {
          try Workspace.writeWeights(of: String(parts[0]), to: weights)
        }
        try files.createSymbolicLink(atPath: folder + "/" + word, withDestinationPath: weights)
      }
    }
  }
}
