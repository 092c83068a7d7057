import ApusIR
import ApusModels
import ApusRuntime
import ApusTestSupport
import Foundation

/// A folder with weights, pictures, arrays and broken files, which tests read but never change.
enum Workspace {
  static let folder: String = {
    do {
      return try make()
    } catch {
      return "no workspace: \(error)"
    }
  }()

  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  static func fixture(_ name: String) -> String {
    Bundle.module.bundlePath + "/Fixtures/" + name
  }

  /// Writes hashed weights of a network of the catalogue.
  static func writeWeights(of name: String, to path: String) throws {
    guard let model = Catalogue.zoo[name] else { throw Tool.Failure(reason: "no \(name)") }
    var store = ParameterStore()
    for (input, _) in try model.graph(batch: 1).inputs {
      guard let path = input.path else { continue }
      store[path] = HashedWeights.tensor(path: path, shape: input.type.shape)
    }
    try store.writeSafetensors(to: path)
  }

  private static func make() throws -> String {
    let folder = NSTemporaryDirectory() + "apus-commands-\(getpid())"
    try? FileManager.default.removeItem(atPath: folder)
    for name in ["none", "some", "three"] {
      try FileManager.default.createDirectory(
        atPath: folder + "/" + name, withIntermediateDirectories: true)
    }
    atexit {
      try? FileManager.default.removeItem(
        atPath: NSTemporaryDirectory() + "apus-commands-\(getpid())")
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/weights",
      withDestinationPath: repository + "/Tests/ApusRuntimeTests/Fixtures")
    try writeWeights(of: "resnet18", to: folder + "/resnet18.safetensors")
    try writePictures(folder)
    try writeTexts(folder)
    try writeArrays(folder)
    return folder
  }

  private static func writePictures(_ folder: String) throws {
    let pictures = repository + "/Examples/pictures/"
    let landscape = try Data(contentsOf: URL(fileURLWithPath: pictures + "landscape.jpg"))
    let spheres = try Data(contentsOf: URL(fileURLWithPath: pictures + "spheres.png"))
    let text = Data("not a picture\n".utf8)
    let files = [
      "landscape.jpg": landscape, "spheres.png": spheres, "empty.jpg": Data(), "text.jpg": text,
      "truncated.jpg": landscape.prefix(9000), "bomb.png": Data(bomb),
      "misnamed.jpg": spheres, "some/good.png": spheres, "some/bad.jpg": text,
      "three/a.jpg": landscape, "three/b.jpg": spheres, "three/c.png": spheres,
    ]
    for (name, content) in files {
      try content.write(to: URL(fileURLWithPath: folder + "/" + name))
    }
  }

  /// The beginning of a PNG of 60,000 × 60,000 pixels.
  private static let bomb: [UInt8] =
    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    + Array("IHDR".utf8) + [0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60, 8, 2, 0, 0, 0] + bombChecksum

  private static let bombChecksum: [UInt8] = [0x0F, 0xB0, 0xE2, 0x15]

  private static func writeTexts(_ folder: String) throws {
    func lines(_ count: Int) -> String { (0..<count).map { "name \($0)\n" }.joined() }
    try lines(1000).write(toFile: folder + "/labels.txt", atomically: false, encoding: .utf8)
    try ("\u{FEFF}" + lines(999) + "name 999").replacing("\n", with: "\r\n")
      .write(toFile: folder + "/windows.txt", atomically: false, encoding: .utf8)
    try lines(999).write(toFile: folder + "/short.txt", atomically: false, encoding: .utf8)
    try Data([0xFF, 0xFE, 0x80, 0x0A]).write(to: URL(fileURLWithPath: folder + "/binary.txt"))
    mkfifo(folder + "/pipe", 0o600)
  }

  private static func writeArrays(_ folder: String) throws {
    let images = HashedWeights.images(batch: 1, size: 64)
    try NumPyFile.write(images, to: folder + "/small.npy")
    try NumPyFile.write(images.reshaped(to: [3, 64, 64]), to: folder + "/rank3.npy")
    try NumPyFile.write(images.reshaped(to: [3, 1, 64, 64]), to: folder + "/grey.npy")
    try NumPyFile.write(
      HostTensor([1, 3, 0, 64], [Float]()), to: folder + "/nothing.npy")
    let doubles = HostTensor(TensorType(.float64, [1, 3, 2, 2])) { bytes in
      for index in bytes.indices { bytes[index] = UInt8.random(in: 0...60) }
    }
    try NumPyFile.write(doubles, to: folder + "/double.npy")
    var values = images.floats
    values[Int.random(in: values.indices)] = .nan
    try NumPyFile.write(HostTensor([1, 3, 64, 64], values), to: folder + "/nan.npy")
    for batch in [1, 3] {
      try NumPyFile.write(
        HashedWeights.images(batch: batch, size: 224), to: folder + "/images-b\(batch).npy")
    }
    var odd = ParameterStore()
    odd["fc.weight"] = HashedWeights.tensor(path: "fc.weight", shape: [10, 512])
    odd["nose"] = HashedWeights.tensor(path: "nose", shape: [3])
    try odd.writeSafetensors(to: folder + "/odd.safetensors")
  }
}
