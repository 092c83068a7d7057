import Foundation
import Testing

extension CommandTests {
  @Suite struct DoctorTests {
    private func object(_ text: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("the doctor names what it finds, how fast and how steady the machine is")
    func everything() async throws {
      let run = try await Tool.run(["doctor", "--format", "json"], in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 0)
      let report = try object(run.output)
      let devices = try #require(report["devices"] as? [[String: Any]])
      #expect(devices.map { $0["device"] as? String } == ["cpu", "xla:cpu", "xla:cuda"])
      #expect(devices[0]["description"] != nil && devices[0]["reason"] == nil)
      let peaks = try #require(devices[0]["peaks"] as? [String: Double])
      #expect(peaks.count == 4 && peaks.values.allSatisfy { $0 > 0.1 && $0 < 1e6 })
      let machine = try #require(report["machine"] as? [String: Any])
      #expect((machine["affinity"] as? [Int])?.isEmpty == false)
      let noise = try #require(machine["noise"] as? [String: Any])
      #expect(try #require(noise["median_ms"] as? Double) > 0.1)
      #expect(noise["repetitions"] as? Int == 100)
      let libraries = try #require(report["libraries"] as? [[String: Any]])
      let oneDNN = try #require(libraries.first)
      #expect((oneDNN["version"] as? String)?.hasPrefix("3.") == true)
      #expect((oneDNN["path"] as? String)?.contains("/libdnnl.so") == true)
      #expect(libraries[1]["path"] as? String != "")
      #expect(report["advice"] is [String])
    }

    @Test("the doctor says in words what to fix")
    func words() async throws {
      let run = try await Tool.run(
        ["doctor"], in: "/", limit: "export ONEDNN_MAX_CPU_ISA=AVX2 PATH=")
      expectNoCrash(run)
      #expect(run.exitCode == 0)
      for words in [
        "machine\n  ", "noise: ", "libraries\n  oneDNN 3.", "cpu: ", "  peaks: ",
        "not found: Python\n",
        "to fix\n  ", "ONEDNN_MAX_CPU_ISA=AVX2 limits the instructions of oneDNN: unset",
        "apt-get install python3",
      ] { #expect(run.output.contains(words), "\(words)\n\(run.output)") }
    }

    @Test("a device that was asked for and is not there is an error")
    func missingDevice() async throws {
      let none = try await Tool.run(["doctor", "--device", "xla:nothing"], in: "/")
      #expect(none.exitCode == 1 && none.output.contains("no PJRT plugin was found"))
      let cpu = try await Tool.run(["doctor", "--device", "cpu", "--format", "json"], in: "/")
      let report = try object(cpu.output)
      #expect(cpu.exitCode == 0 && Array(report.keys) == ["devices"])
    }
  }
}
