import ApusIR
import ApusRuntime
import ApusStableHLO

/// What starting a run costs the host: the time of a program that computes next to nothing.
public struct HostOverhead: Hashable, Sendable {
  /// The inputs of the program; each further one is a parameter that only passes through the call.
  public let inputs: Int
  /// The median time of a run, the release of its results included.
  public let timePerRun: Duration

  /// Measures on a device, for about a tenth of a second.
  ///
  /// Runs are started one after the other and each waits for the one before: what a GPU does in the
  /// meantime does not count unless it is slower than the host.
  ///
  /// - Parameters:
  ///   - inputs: how many buffers a run is given, at least 1; resnet50 has about 110.
  public static func measure(
    on device: Device, inputs: Int = 1
  ) throws(BackendError) -> HostOverhead {
    let layout = PhysicalType(TensorType(.float32, [2]), order: [0])
    let arguments = (0..<inputs).map { "%x\($0): tensor<2xf32>" }.joined(separator: ", ")
    let text = """
      module { func.func public @main(\(arguments)) -> tensor<2xf32> {
        %y = "stablehlo.add"(%x0, %x0) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
        return %y : tensor<2xf32>
      } }
      """
    let layouts = Array(repeating: layout, count: inputs)
    let module = StableHLOModule(text: text, inputs: layouts, outputs: [layout])
    let launcher = Launcher(try device.compile(module))
    var buffers: [DeviceBuffer] = []
    for _ in 0..<inputs { buffers.append(try device.upload(HostTensor([2], [0, 1]))) }
    let clock = ContinuousClock()
    var times: [Duration] = []
    let end = clock.now + .milliseconds(100)
    repeat {
      let start = clock.now
      for _ in 0..<runsPerSample { buffers[0] = try launcher.start(buffers)[0] }
      let time = clock.now - start
      try buffers[0].wait()
      times.append(time / runsPerSample)
    } while clock.now < end
    times.sort()
    return HostOverhead(inputs: inputs, timePerRun: times[times.count / 2])
  }

  /// So many that reading the clock does not count, and so few that a queue does not fill up.
  private static let runsPerSample = 100
}
