import ApusBench
import Foundation

/// What `apus doctor` has found.
struct DoctorReport: Encodable {
  var machine: MachineFindings?
  var libraries: [LibraryFinding]?
  var devices: [DeviceFinding] = []
  /// What to fix, with the commands that do.
  var advice: [String]?

  /// Draws conclusions from what was found.
  mutating func advise() {
    guard let machine else { return }
    advice =
      MachineAdvice.about(
        machine.state, hugePages: machine.hugePages, noise: machine.noise,
        environment: ProcessInfo.processInfo.environment
      ).map(\.description) + (libraries ?? []).compactMap(\.advice)
  }

  var text: String {
    let sections: [String?] = [
      machine.map { "machine\n" + $0.lines.indented },
      libraries.map { "libraries\n" + LibraryFinding.lines($0).indented },
      devices.map(\.text).joined(separator: "\n"),
      advice.map { "to fix\n" + ($0.isEmpty ? ["nothing"] : $0).indented },
    ]
    return sections.compactMap(\.self).joined(separator: "\n")
  }
}

/// What is known of the machine.
struct MachineFindings: Encodable {
  let state: MachineState
  /// The mode of transparent huge pages.
  let hugePages: String?
  let noise: NoiseCheck?

  init(_ state: MachineState) {
    self.state = state
    hugePages = MachineAdvice.hugePages()
    noise = NoiseCheck.measure(threads: state.defaultThreadCount)
  }

  private enum CodingKeys: String, CodingKey {
    case hugePages = "huge_pages"
    case noise
  }

  /// The state's keys, then the others, as one object.
  func encode(to encoder: any Encoder) throws {
    try state.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(hugePages, forKey: .hugePages)
    try container.encodeIfPresent(noise, forKey: .noise)
  }

  var lines: [String] {
    let cpus = state.affinity.map(String.init).joined(separator: ",")
    let limit = state.cpuLimit.map { "\(HumanNumber.fourDigits($0)) CPUs" } ?? "no limit of CPUs"
    let memory = state.memoryLimitBytes.map(HumanNumber.bytes) ?? "no limit of memory"
    let load = state.loadAverage.map { load in
      "load \(load.map { HumanNumber.fourDigits($0) }.joined(separator: ", "))"
    }
    let lines: [String?] = [
      "\(state.cpu), \(state.isa ?? "instruction set unknown")",
      "\(state.logicalCores) logical CPUs, of which this process may use \(cpus): "
        + "\(state.physicalCores) physical cores, \(state.defaultThreadCount) threads by default",
      "control group: \(limit), \(memory)",
      state.memoryBytes.map { "memory \(HumanNumber.bytes($0))" },
      hugePages.map { "transparent huge pages: \($0)" },
      "governor \(state.governor ?? "unknown")"
        + (state.frequencyMHz.map { ", \(HumanNumber.fourDigits($0)) MHz" } ?? ""),
      load,
      noise.map { "noise: \($0.words): \($0.isSteady ? "steady" : "unsteady")" },
    ]
    return lines.compactMap(\.self)
  }
}

/// What is known of a device.
struct DeviceFinding: Encodable {
  let device: String
  var description: String?
  var plugin: String?
  var api: String?
  var platform: String?
  var memoryBytes: Int?
  var overheadMicroseconds: Double?
  var overheadOf110InputsMicroseconds: Double?
  var peaks: ProfileReport.Peaks?
  /// Why the device cannot be used.
  var reason: String?

  init(device: String) { self.device = device }

  private enum CodingKeys: String, CodingKey {
    case device, description, plugin, api, platform
    case memoryBytes = "memory_bytes"
    case overheadMicroseconds = "overhead_us"
    case overheadOf110InputsMicroseconds = "overhead_110_inputs_us"
    case peaks, reason
  }

  var text: String {
    if let reason {
      return "\(device): cannot be used\n" + reason.split(separator: "\n").map(String.init).indented
    }
    let lines: [String?] = [
      plugin.map { "plugin \($0), PJRT API \(api ?? "")" },
      platform.map { "platform \($0)" }, memoryBytes.map { "memory \(HumanNumber.bytes($0))" },
      peaks.map { "peaks: \($0.text)" },
      overheadMicroseconds.map {
        "a run costs the host \(HumanNumber.fourDigits($0)) µs, with 110 inputs "
          + "\(HumanNumber.fourDigits(overheadOf110InputsMicroseconds ?? 0)) µs"
      },
    ]
    return "\(device): \(description ?? "")\n" + lines.compactMap(\.self).indented
  }
}

extension [String] {
  /// Lines below a heading.
  fileprivate var indented: String { map { "  \($0)\n" }.joined() }
}
