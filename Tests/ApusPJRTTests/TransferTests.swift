import ApusIR
import ApusPJRT
import ApusRuntime
import ApusStableHLO
import ApusTestSupport
import Foundation
import Testing

@Suite("Moving tensors to and from a device", .enabled(if: TestPlugin.isFound, TestPlugin.missing))
struct TransferTests {
  @Test("every element type comes back bit for bit", arguments: DType.allCases)
  func types(dtype: DType) throws {
    let device = try TestPlugin.device()
    for shape: Shape in [[], [1], [7], [3, 5], [2, 3, 4, 5], [0], [2, 0, 3]] {
      let tensor = HostTensor(TensorType(dtype, shape)) { bytes in
        for index in bytes.indices { bytes[index] = .random(in: 0...(dtype == .bool ? 1 : 255)) }
      }
      let buffer = try device.upload(tensor)
      #expect(buffer.type == tensor.type)
      #expect(try buffer.hostTensor().isIdentical(to: tensor))
    }
  }

  @Test(
    "axes are reordered on the way there and back",
    arguments: [[0, 2, 3, 1], [1, 0, 2, 3], [3, 2, 1, 0], [0, 1, 2, 3], [2, 3, 1, 0]])
  func layouts(order: [Int]) throws {
    let device = try TestPlugin.device()
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    for dtype in [DType.float32, .float64, .bfloat16, .uint8] {
      let tensor = random.tensor(OperandSpec(TensorType(dtype, [2, 3, 4, 5]), .uniform(0...9)))
      let layout = PhysicalType(tensor.type, order: order)
      let buffer = try device.upload(tensor, as: layout)
      #expect(buffer.layout == layout && buffer.type == tensor.type)
      #expect(try buffer.hostTensor().isIdentical(to: tensor))
    }
  }

  @Test("a program sees the reordered axes")
  func physical() throws {
    let device = try TestPlugin.device()
    let logical = TensorType(.float32, [2, 3, 4, 5])
    let layout = PhysicalType(logical, order: [0, 2, 3, 1])
    let flat = PhysicalType.rowMajor(.float32, [120])
    let text = """
      module { func.func public @main(%x: tensor<2x4x5x3xf32>) -> tensor<120xf32> {
        %y = "stablehlo.reshape"(%x) : (tensor<2x4x5x3xf32>) -> tensor<120xf32>
        return %y : tensor<120xf32>
      } }
      """
    let module = StableHLOModule(text: text, inputs: [layout], outputs: [flat])
    let launcher = Launcher(try device.compile(module))
    let tensor = HostTensor(logical, (0..<120).map { _ in Float.random(in: -1...1) })
    let result = try launcher.start([device.upload(tensor, as: layout)])[0].hostTensor().floats
    var expected: [Float] = []
    for n in 0..<2 {
      for h in 0..<4 {
        for w in 0..<5 {
          for c in 0..<3 { expected.append(tensor.floats[((n * 3 + c) * 4 + h) * 5 + w]) }
        }
      }
    }
    #expect(result == expected)
  }

  @Test("host memory may go as soon as the upload has started")
  func lifetime() throws {
    let device = try TestPlugin.device()
    for _ in 0..<10 {
      let count = 1 << 20
      let value = Float.random(in: 1...2)
      let buffer: DeviceBuffer
      do {
        let tensor = HostTensor([count], [Float](repeating: value, count: count))
        buffer = try device.upload(tensor)
      }
      // Whatever takes the memory over must not show in the buffer.
      let other = HostTensor([count], [Float](repeating: -1, count: count))
      #expect(try buffer.hostTensor().floats.allSatisfy { $0 == value })
      withExtendedLifetime(other) {}
    }
  }

  @Test("host memory is released when the transfer is over")
  func release() throws {
    let device = try TestPlugin.device()
    let released = DispatchSemaphore(value: 0)
    let count = 1 << 20
    do {
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * count, alignment: 64)
      bytes.initializeMemory(as: Float.self, repeating: 3)
      let storage = HostTensor.Storage(adopting: bytes) {
        $0.deallocate()
        released.signal()
      }
      let tensor = HostTensor(TensorType(.float32, [count]), storage: storage, offsetInBytes: 0)
      let buffer = try device.upload(tensor)
      #expect(try buffer.hostTensor().floats[count - 1] == 3)
    }
    #expect(released.wait(timeout: .now() + 30) == .success)
  }

  @Test("views into larger memory are uploaded from where they begin")
  func views() throws {
    let device = try TestPlugin.device()
    let long = randomVector(100)
    for offset in [0, 1, 3, 16] {
      let view = HostTensor(
        TensorType(.float32, [7]), storage: long.storage, offsetInBytes: 4 * offset)
      #expect(try device.upload(view).hostTensor().isIdentical(to: view))
    }
  }

  @Test("a buffer says what it takes on the device")
  func size() throws {
    let device = try TestPlugin.device()
    #expect(try device.upload(randomVector(256)).sizeInBytes == 1024)
  }

  @Test("any number of buffers come and go")
  func manyBuffers() throws {
    let device = try TestPlugin.device()
    let tensor = randomVector(16)
    var buffers: [DeviceBuffer] = []
    for _ in 0..<2000 { buffers.append(try device.upload(tensor)) }
    #expect(try buffers.allSatisfy { try $0.hostTensor().isIdentical(to: tensor) })
  }
}
