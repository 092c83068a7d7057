import Apus
import ApusBench
import ApusOneDNN
import ApusPJRT
import ArgumentParser

/// `apus doctor`
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say which devices can be used, and what is missing for the others.",
    discussion: "Exit code 1: a device that was named with --device cannot be used.")

  @Option(
    help: "Devices (default: cpu,xla:cpu,xla:cuda).",
    transform: CommaList<DeviceOption>.init(parsing:))
  var device: CommaList<DeviceOption>?

  @Flag(help: "Measure what starting a run costs the host on XLA devices.")
  var overhead = false

  @Flag(help: "Measure what the processor can do at most, for the device cpu.")
  var peaks = false

  @OptionGroup(title: "XLA devices")
  var xla: XLAFlags

  @Option(help: "table or json.")
  var format = TextFormat.table

  private static let all = [
    DeviceOption.cpu, .xla(DeviceName(platform: "cpu")), .xla(DeviceName(platform: "cuda")),
  ]

  func run() throws {
    let findings = (device?.elements ?? Self.all).map(examine)
    switch format {
    case .json: try Console.output(JSONValue(encoding: findings).text(indented: true) + "\n")
    case .table: try Console.output(findings.map(\.text).joined(separator: "\n"))
    }
    if device != nil && findings.contains(where: { $0.reason != nil }) { throw ExitCode(1) }
  }

  private func examine(_ option: DeviceOption) -> Finding {
    var finding = Finding(device: option.description)
    do {
      switch option {
      case .cpu:
        let machine = MachineState.current()
        finding.description = "\(machine.cpu), \(machine.defaultThreadCount) threads"
        guard peaks else { break }
        finding.peaks = ProfileReport.Peaks(
          try MachinePeaks.measure(threads: machine.defaultThreadCount))
      case .xla(let name): try examine(name, &finding)
      }
    } catch {
      finding.reason = "\(error)"
    }
    return finding
  }

  private func examine(_ name: DeviceName, _ finding: inout Finding) throws {
    let device = try Device.open(name, plugin: xla.plugin)
    let plugin = device.client.plugin
    finding.description = device.kind
    finding.plugin = plugin.path
    finding.api = "\(plugin.apiVersion)"
    finding.platform = device.client.platformVersion
    finding.memoryBytes = try device.memoryStatistics()?.limit
    guard overhead else { return }
    // The second is about resnet50's number of prepared parameters.
    finding.overheadMicroseconds = try microseconds(HostOverhead.measure(on: device))
    finding.overheadOf110InputsMicroseconds = try microseconds(
      HostOverhead.measure(on: device, inputs: 110))
  }

  private func microseconds(_ overhead: HostOverhead) -> Double {
    overhead.timePerRun / .microseconds(1)
  }
}

/// What is known of a device.
private struct Finding: Encodable {
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
    if let reason { return "\(device): cannot be used\n  \(reason.indented)\n" }
    let lines = [
      "\(device): \(description ?? "")", plugin.map { "plugin \($0), PJRT API \(api ?? "")" },
      platform.map { "platform \($0)" }, memoryBytes.map { "memory \(HumanNumber.bytes($0))" },
      peaks.map { "peaks: \($0.text)" },
      overheadMicroseconds.map {
        "a run costs the host \(HumanNumber.fourDigits($0)) µs, with 110 inputs "
          + "\(HumanNumber.fourDigits(overheadOf110InputsMicroseconds ?? 0)) µs"
      },
    ]
    return lines.compactMap(\.self).joined(separator: "\n  ") + "\n"
  }
}

extension String {
  fileprivate var indented: String {
    split(separator: "\n").joined(separator: "\n  ")
  }
}
