import Apus
import ApusBench
import ApusOneDNN
import ApusPJRT
import ArgumentParser
import Foundation

/// `apus doctor`
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examine the machine: its speed, its noise, libraries, devices, and what to fix.",
    discussion: """
      Without --device everything is examined, which takes some seconds. Exit code 1: a device \
      that was named with --device cannot be used.
      """)

  @Option(
    help: "Examine these devices only (default: all there is).",
    transform: CommaList<DeviceOption>.init(parsing:))
  var device: CommaList<DeviceOption>?

  @Flag(help: "Measure what starting a run costs the host on XLA devices.")
  var overhead = false

  @Flag(help: "With --device cpu: measure what the processor can do at most.")
  var peaks = false

  @OptionGroup(title: "XLA devices")
  var xla: XLAFlags

  @Option(help: "table or json.")
  var format = TextFormat.table

  private static let all = [
    DeviceOption.cpu, .xla(DeviceName(platform: "cpu")), .xla(DeviceName(platform: "cuda")),
  ]

  func run() throws {
    // Before OpenMP binds the process's threads to cores.
    let machine = MachineState.current()
    var report = DoctorReport()
    if device == nil {
      report.machine = MachineFindings(machine)
      report.libraries = LibraryFinding.all()
    }
    report.devices = (device?.elements ?? Self.all).map { examine($0, machine) }
    if device == nil { report.advise() }
    switch format {
    case .json: try Console.output(JSONValue(encoding: report).text(indented: true) + "\n")
    case .table: try Console.output(report.text)
    }
    if device != nil && report.devices.contains(where: { $0.reason != nil }) { throw ExitCode(1) }
  }

  private func examine(_ option: DeviceOption, _ machine: MachineState) -> DeviceFinding {
    var finding = DeviceFinding(device: option.description)
    do {
      switch option {
      case .cpu:
        let threads = machine.defaultThreadCount
        finding.description = "\(machine.cpu), \(threads) \(threads == 1 ? "thread" : "threads")"
        guard peaks || device == nil else { break }
        finding.peaks = ProfileReport.Peaks(try MachinePeaks.measure(threads: threads))
      case .xla(let name): try examine(name, &finding)
      }
    } catch {
      finding.reason = "\(error)"
    }
    return finding
  }

  private func examine(_ name: DeviceName, _ finding: inout DeviceFinding) throws {
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
