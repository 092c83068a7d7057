import ApusIR
import ApusRuntime
import Foundation

/// What PyTorch computes for the rows of the table, as Fixtures/make.py wrote it.
struct TorchFixture: Sendable {
  struct Entry: Sendable {
    let operands: [HostTensor]
    let results: [HostTensor]
  }

  let entries: [String: Entry]

  static let folder = Bundle.module.bundleURL.appending(path: "Fixtures")

  static let shared = Swift.Result { try TorchFixture() }

  private init() throws {
    let header = try JSONDecoder().decode(
      [String: EntryHeader].self, from: Data(contentsOf: Self.folder.appending(path: "torch.json")))
    let bytes = try Data(contentsOf: Self.folder.appending(path: "torch.bin"))
    entries = header.mapValues { entry in
      Entry(
        operands: entry.operands.map { $0.tensor(in: bytes) },
        results: entry.results.map { $0.tensor(in: bytes) })
    }
  }

  private struct EntryHeader: Decodable {
    let operands: [TensorHeader]
    let results: [TensorHeader]
  }

  private struct TensorHeader: Decodable {
    let dtype: String
    let shape: [Int]
    let offset: Int

    func tensor(in bytes: Data) -> HostTensor {
      let type = TensorType(DType(rawValue: dtype)!, Shape(shape))
      return HostTensor(type) { target in
        target.copyBytes(from: bytes[offset..<offset + type.sizeInBytes])
      }
    }
  }
}
