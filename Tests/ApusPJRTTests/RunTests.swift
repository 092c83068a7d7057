import ApusIR
import ApusPJRT
import ApusRuntime
import ApusStableHLO
import Foundation
import Synchronization
import Testing

@Suite("Running on XLA", .enabled(if: TestPlugin.isFound, TestPlugin.missing))
struct RunTests {
  @Test("a program computes what its text says")
  func run() throws {
    let device = try TestPlugin.device()
    let launcher = Launcher(try device.compile(.squareAndAdd(300)))
    for _ in 0..<3 {
      let (x, y) = (randomVector(300), randomVector(300))
      let result = try launcher.start([device.upload(x), device.upload(y)])[0].hostTensor()
      #expect(result.floats == zip(x.floats, y.floats).map { $0 * $0 + $1 })
    }
  }

  @Test("results are inputs of further runs before they are waited for")
  func chain() throws {
    let device = try TestPlugin.device()
    let step = Launcher(try device.compile(.squareAndAdd(1 << 16)))
    let start = HostTensor([1 << 16], [Float](repeating: 0.5, count: 1 << 16))
    let addend = try device.upload(HostTensor([1 << 16], [Float](repeating: 0.25, count: 1 << 16)))
    var buffer = try device.upload(start)
    for _ in 0..<20 { buffer = try step.start([buffer, addend])[0] }
    try buffer.wait()
    // ½² + ¼ = ½, exactly.
    #expect(try buffer.hostTensor().isIdentical(to: start))
  }

  @Test("donated memory is taken over, and not used again by mistake")
  func donation() throws {
    let device = try TestPlugin.device()
    let launcher = Launcher(try device.compile(.accumulate(1000)))
    let (x, y) = (randomVector(1000), randomVector(1000))
    let sum = zip(x.floats, y.floats).map { $0 + $1 }
    let (given, other) = try (device.upload(x), device.upload(y))
    try given.wait()
    let address = try given.address
    let result = try launcher.start([given, other])[0]
    #expect(try given.isDeleted)
    #expect(try !other.isDeleted)
    #expect(try result.address == address)
    #expect(try result.hostTensor().floats == sum)
    for use in [
      { try given.hostTensor() }, { try launcher.start([given, other])[0].hostTensor() },
    ] {
      #expect {
        _ = try use()
      } throws: { error in
        "\(error)".contains("deleted or donated") && "\(error)".contains("hint: a run takes over")
      }
    }
    // What failed changed nothing.
    let again = try launcher.start([result, other])[0].hostTensor().floats
    #expect(again == zip(sum, y.floats).map { $0 + $1 })
  }

  @Test("a donated input can be kept for one run")
  func keeping() throws {
    let device = try TestPlugin.device()
    let launcher = Launcher(try device.compile(.accumulate(64)))
    let (x, y) = (randomVector(64), randomVector(64))
    let (given, other) = try (device.upload(x), device.upload(y))
    let sum = zip(x.floats, y.floats).map { $0 + $1 }
    #expect(try launcher.start([given, other], keeping: [0])[0].hostTensor().floats == sum)
    #expect(try !given.isDeleted)
    #expect(try given.hostTensor().isIdentical(to: x))
    #expect(try launcher.start([given, other])[0].hostTensor().floats == sum)
    #expect(try given.isDeleted)
  }

  @Test("programs that do not compile are refused with line and column")
  func badText() throws {
    let device = try TestPlugin.device()
    let wrong = StableHLOModule.vectors(
      4, inputs: 1,
      """
      %y = "stablehlo.add"(%x0, %x0) : (T, T) -> tensor<3xf32>
      return %y : tensor<3xf32>
      """)
    #expect {
      try device.compile(wrong)
    } throws: { error in
      "\(error)".hasPrefix("PJRT_Client_Compile failed: -:3:") && "\(error)".contains("error:")
        && "\(error)".contains("understands StableHLO 0.9.0 to 1.")
    }
    let text = StableHLOModule(text: "nonsense", inputs: [], outputs: [])
    #expect(throws: BackendError.self) { try device.compile(text) }
    let empty = StableHLOModule(text: "", inputs: [], outputs: [])
    #expect(throws: BackendError.self) { try device.compile(empty) }
  }

  @Test("a program whose results are not those expected is refused")
  func wrongResults() throws {
    let device = try TestPlugin.device()
    let good = StableHLOModule.squareAndAdd(8)
    let wrong = StableHLOModule(
      text: good.text, inputs: good.inputs, outputs: [.rowMajor(.float32, [9])])
    #expect(
      throws: BackendError.unsupported(
        "the compiled program must return [float32[9]], got [float32[8]]")
    ) { try device.compile(wrong) }
  }

  @Test("inputs of another type, number or layout are named")
  func wrongInputs() throws {
    let device = try TestPlugin.device()
    let launcher = Launcher(try device.compile(.squareAndAdd(8)))
    let good = try device.upload(randomVector(8))
    let expected = TensorType(.float32, [8])
    for wrong in [
      try device.upload(randomVector(9)),
      try device.upload(HostTensor(TensorType(.int32, [8]), Array(Int32(0)..<8))),
      try device.upload(randomVector(8).reshaped(to: [2, 4])),
    ] {
      let error = BackendError.wrongInput(
        name: "argument 1", expected: expected, given: wrong.type)
      #expect(throws: error) { try launcher.start([good, wrong]) }
    }
    let missing = BackendError.wrongInput(name: "argument 1", expected: expected, given: nil)
    #expect(throws: missing) { try launcher.start([good]) }
    #expect(throws: BackendError.unsupported("the program takes 2 inputs, got 3")) {
      try launcher.start([good, good, good])
    }
    #expect(try launcher.start([good, good])[0].hostTensor().type == expected)
  }

  @Test("flags of the compiler are the plugin's to check")
  func flags() throws {
    let device = try TestPlugin.device()
    let module = StableHLOModule.squareAndAdd(8)
    let known: [String: CompileOptions.Flag] = [
      "xla_cpu_enable_fast_math": .bool(false), "xla_backend_optimization_level": .int64(1),
    ]
    _ = try device.compile(module, CompileOptions(flags: known))
    let unknown = CompileOptions(flags: ["xla_no_such_flag": .int64(3)])
    #expect {
      try device.compile(module, unknown)
    } throws: { error in
      "\(error)".contains("No such compile option: 'xla_no_such_flag'")
        && "\(error)".contains("hint: the flags given were xla_no_such_flag=3")
    }
    let wrong = CompileOptions(flags: ["xla_cpu_enable_fast_math": .string("banana")])
    #expect(throws: BackendError.self) { try device.compile(module, wrong) }
  }

  @Test("launchers of one program run at once on threads of their own")
  func threads() throws {
    let device = try TestPlugin.device()
    let program = try device.compile(.squareAndAdd(257))
    let failures = Mutex<[String]>([])
    let group = DispatchGroup()
    for thread in 0..<4 {
      group.enter()
      Thread {
        defer { group.leave() }
        do {
          let launcher = Launcher(program)
          for turn in 0..<100 {
            let (x, y) = (randomVector(257), randomVector(257))
            let result = try launcher.start([device.upload(x), device.upload(y)])[0]
            if try result.hostTensor().floats != zip(x.floats, y.floats).map({ $0 * $0 + $1 }) {
              failures.withLock { $0.append("thread \(thread), turn \(turn)") }
            }
          }
        } catch { failures.withLock { $0.append("\(error)") } }
      }.start()
    }
    group.wait()
    #expect(failures.withLock { $0 } == [])
  }

  @Test("a device's statistics are nil where its plugin keeps none")
  func memoryStatistics() throws {
    let device = try TestPlugin.device()
    #expect(try device.memoryStatistics() == nil)
    #expect(try device.clearMemoryStatistics() == false)
  }

  @Test("the memory of a compiled program is known before it runs")
  func programMemory() throws {
    let device = try TestPlugin.device()
    let plain = try #require(try device.compile(.squareAndAdd(1024)).executable.memory())
    #expect(plain.arguments == 2 * 4096 && plain.results == 4096 && plain.alias == 0)
    let donating = try #require(try device.compile(.accumulate(1024)).executable.memory())
    #expect(donating.alias == 4096)
  }

  @Test("a result that no memory can hold is an error with a remedy")
  func outOfMemory() throws {
    let device = try TestPlugin.device()
    // More than a process can address, so that no system promises it.
    let module = StableHLOModule.vectors(
      1 << 46, inputs: 0,
      """
      %c = "stablehlo.constant"() <{value = dense<1.0> : tensor<f32>}> : () -> tensor<f32>
      %y = "stablehlo.broadcast_in_dim"(%c) <{broadcast_dimensions = array<i64>}>
        : (tensor<f32>) -> T
      return %y : T
      """)
    let launcher = Launcher(try device.compile(module))
    #expect {
      try launcher.start([])[0].wait()
    } throws: { error in
      guard let error = error as? BackendError, error.isOutOfMemory else { return false }
      return "\(error)".hasPrefix("xla:cpu: out of memory: ")
        && "\(error)".contains("hint: use a smaller batch")
    }
  }

  @Test("the optimized program shows what is left")
  func optimizedProgram() throws {
    let device = try TestPlugin.device()
    let program = try device.compile(.squareAndAdd(64)).executable.optimizedProgram()
    let entry = try #require(program.entry)
    #expect(entry.instructions.count { $0.opcode == "parameter" } == 2)
    #expect(entry.instructions.allSatisfy { $0.shape == "f32[64]{0}" })
    let all = program.computations.flatMap(\.instructions).map(\.opcode)
    #expect(all.contains("multiply") && all.contains("add"))
    #expect(program.description.contains("ENTRY %"))
  }

  @Test("the host spends at most 10 µs on a run of a tiny program")
  func overhead() throws {
    let overhead = try HostOverhead.measure(on: TestPlugin.device())
    #expect(overhead.timePerRun > .nanoseconds(100))
    // Other processes share the machine: the claim itself is measured alone, see the README.
    #expect(overhead.timePerRun < .microseconds(100))
    print("host overhead of a run: \(overhead.timePerRun)")
  }
}

@Suite("Several devices", .enabled(if: TestPlugin.isFound, TestPlugin.missing))
struct DeviceTests {
  private func client(_ count: Int64) throws -> Client {
    let plugin = try Plugin.load(PluginSearch(platform: "cpu"))
    return try Client(plugin, options: ["cpu_device_count": .int64(count)])
  }

  @Test("a program runs on the device it was compiled for")
  func placement() throws {
    let client = try client(3)
    #expect(client.deviceCount == 3 && client.devices.count == 3)
    #expect(client.platformName == "cpu")
    let device = try client.device(2)
    #expect(device.name.description == "xla:cpu:2")
    let launcher = Launcher(try device.compile(.squareAndAdd(16)))
    let (x, y) = (randomVector(16), randomVector(16))
    let expected = zip(x.floats, y.floats).map { $0 * $0 + $1 }
    let result = try launcher.start([device.upload(x), device.upload(y)])[0]
    #expect(result.device == device)
    #expect(try result.hostTensor().floats == expected)

    // Inputs on another device are refused, and can be copied.
    let elsewhere = try client.device(0).upload(x)
    #expect(throws: BackendError.self) { try launcher.start([elsewhere, device.upload(y)]) }
    let copied = try elsewhere.copy(to: device)
    #expect(try launcher.start([copied, device.upload(y)])[0].hostTensor().floats == expected)
  }

  @Test("a device that does not exist is refused with how many there are")
  func missing() throws {
    let client = try client(2)
    #expect {
      try client.device(2)
    } throws: { "\($0)" == "xla:cpu:2: there are 2 devices, numbered from 0" }
    #expect(throws: PluginError.self) { try client.device(-1) }
    #expect(throws: PluginError.self) { try Device.open(DeviceName("xla:cpu:4711")) }
  }

  @Test("one client serves all who ask for the same options, as long as somebody does")
  func sharing() throws {
    let plugin = try Plugin.load(PluginSearch(platform: "cpu"))
    let options: [String: OptionValue] = ["cpu_device_count": .int64(5)]
    weak var weakly: Client?
    do {
      let first = try Client.shared(plugin, options: options)
      weakly = first
      #expect(try Client.shared(plugin, options: options) === first)
      #expect(try Client.shared(plugin) !== first)
      // A buffer keeps its client.
      let buffer = try first.device(4).upload(randomVector(3))
      withExtendedLifetime(buffer) {}
    }
    #expect(weakly == nil)
  }
}

@Suite("Names of devices")
struct DeviceNameTests {
  @Test("are read and written")
  func names() throws {
    #expect(try DeviceName("xla:cpu") == DeviceName(platform: "cpu"))
    #expect(try DeviceName("xla:cuda:3") == DeviceName(platform: "cuda", number: 3))
    for name in ["xla:cpu", "xla:cuda:1"] { #expect(try DeviceName(name).description == name) }
  }

  @Test(
    "that mean nothing are refused",
    arguments: [
      "", "xla", "xla:", "cpu", "xla:cuda:", "xla:cuda:x", "xla:cuda:-1", "xla:a:1:2",
      "xla:CPU", "xla:../x", "xla:cuda:99999999999999999999",
    ])
  func nonsense(name: String) {
    #expect(throws: PluginError.badDeviceName(name)) { try DeviceName(name) }
  }
}
