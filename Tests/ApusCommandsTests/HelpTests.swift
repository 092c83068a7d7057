import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  @Suite struct HelpTests {
    @Test(
      "the help text is the recorded one",
      arguments: [
        "apus", "predict", "bench", "models", "inspect", "convert", "export", "profile",
        "compare", "report", "plan", "doctor",
      ])
    func help(command: String) async throws {
      let arguments = (command == "apus" ? [] : [command]) + ["--help"]
      let run = try await Tool.run(arguments, in: "/")
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      let file = Workspace.repository + "/Tests/ApusCommandsTests/Fixtures/help/\(command).txt"
      let difference = try difference(run.output, fromFile: file)
      #expect(difference == nil, "\(difference ?? "")")
    }

    @Test("the version is three numbers")
    func version() async throws {
      let run = try await Tool.run(["--version"], in: "/")
      #expect(run.exitCode == 0 && run.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }
  }
}
