import ApusIR
import ApusNN
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// The losses that PyTorch and torchvision compute, as `Fixtures/make.py` wrote them.
private struct LossFixture: Decodable {
  let logits: [Float]
  let labels: [Int32]
  let soft: [Float]
  let binary: [Float]
  let cases: [String: [Float]]

  static let shared = Swift.Result { try Fixture.read("losses.json", as: LossFixture.self) }
}

/// A loss of logits, labels, soft targets and binary targets.
private typealias Loss =
  @Sendable (
    _ logits: Tensor, _ labels: Tensor, _ soft: Tensor, _ binary: Tensor, LossReduction
  ) throws -> Tensor

private let losses: [String: Loss] = [
  "cross-entropy 0.0": { try crossEntropy($0, $1, reduction: $4) },
  "cross-entropy 0.1": { try crossEntropy($0, $1, smoothing: 0.1, reduction: $4) },
  "soft cross-entropy 0.0": { try crossEntropy($0, targets: $2, reduction: $4) },
  "soft cross-entropy 0.1": { try crossEntropy($0, targets: $2, smoothing: 0.1, reduction: $4) },
  "binary cross-entropy": { try binaryCrossEntropy($0, $2, reduction: $4) },
  "mean squared error": { try meanSquaredError($0, $2, reduction: $4) },
  "sigmoid focal 0.25 2": { try sigmoidFocalLoss($0, $3, reduction: $4) },
  "sigmoid focal -1 1": { try sigmoidFocalLoss($0, $3, alpha: nil, gamma: 1, reduction: $4) },
  "sigmoid focal 0.6 2.5": { try sigmoidFocalLoss($0, $3, alpha: 0.6, gamma: 2.5, reduction: $4) },
  "sigmoid focal -1 0": { try sigmoidFocalLoss($0, $3, alpha: nil, gamma: 0, reduction: $4) },
  "softmax focal 0": { try softmaxFocalLoss($0, $1, gamma: 0, reduction: $4) },
  "softmax focal 2": { try softmaxFocalLoss($0, $1, reduction: $4) },
  "softmax focal 0.7": { try softmaxFocalLoss($0, $1, gamma: 0.7, reduction: $4) },
]

@Suite("Losses")
struct LossTests {
  @Test("are PyTorch's and torchvision's", arguments: losses.keys.sorted(), 0..<3)
  func agrees(name: String, backend: Int) throws {
    let fixture = try LossFixture.shared.get()
    let loss = try #require(losses[name])
    let shape: Shape = [6, 5]
    let session = Session(backends[backend], ParameterStore()) { _ in
      try trace { scope in
        let logits = scope.argument("logits", .float32, shape)
        let labels = scope.argument("labels", .int32, [6])
        let soft = scope.argument("soft", .float32, shape)
        let binary = scope.argument("binary", .float32, shape)
        return [
          "none": try loss(logits, labels, soft, binary, .none),
          "sum": try loss(logits, labels, soft, binary, .sum),
          "mean": try loss(logits, labels, soft, binary, .mean),
        ]
      }
    }
    let arguments = [
      "logits": HostTensor(shape, fixture.logits),
      "labels": HostTensor(TensorType(.int32, [6]), fixture.labels),
      "soft": HostTensor(shape, fixture.soft), "binary": HostTensor(shape, fixture.binary),
    ]
    let results = try session.run(arguments, batch: 6)
    for reduction in LossReduction.allCases {
      let values = try #require(fixture.cases["\(name), \(reduction)"])
      let expected = HostTensor(values.count == 1 ? [] : values.count == 6 ? [6] : shape, values)
      let got = try #require(results["\(reduction)"])
      #expect(
        difference(got, from: expected, within: Tolerance(relative: 1e-6)) == nil, "\(reduction)")
    }
  }

  @Test("The fixture holds every loss, and no other")
  func fixtureIsComplete() throws {
    let names = losses.keys.flatMap { name in LossReduction.allCases.map { "\(name), \($0)" } }
    #expect(try Set(LossFixture.shared.get().cases.keys) == Set(names))
  }

  @Test("A class of logit −∞ costs nothing unless it is the label")
  func impossibleClass() throws {
    let graph = try trace { scope in
      let labels = scope.argument("labels", .int32, [2])
      let logits = scope.argument("logits", .float32, [2, 3])
      return ["loss": try crossEntropy(logits, labels, reduction: .none)]
    }
    let logits = HostTensor([2, 3], [1, -.infinity, 1, 0, -.infinity, 0])
    let labels = HostTensor(TensorType(.int32, [2]), [0, 1] as [Int32])
    let losses = try graph.evaluate([labels, logits])[0].floats
    #expect((losses[0] - 0.6931472).magnitude < 1e-6)
    #expect(losses[1] == .infinity)
  }

  @Test("Operands and settings that cannot be meant are errors that say so")
  func errors() {
    func message(
      _ logits: TensorType, _ targets: TensorType, _ loss: (Tensor, Tensor) throws -> Tensor
    ) -> String {
      do {
        _ = try trace { scope in
          let x = scope.argument("x", logits.dtype, logits.shape)
          return ["loss": try loss(x, scope.argument("t", targets.dtype, targets.shape))]
        }
        return ""
      } catch { return "\(error)" }
    }
    let logits = TensorType(.float32, [4, 3])
    let labels = TensorType(.int32, [4])
    #expect(
      message(logits, TensorType(.int32, [4, 1])) { try crossEntropy($0, $1) }
        == "crossEntropy: labels must be integers [n], one for each row of the logits, "
        + "got int32[4, 1] and float32[4, 3]")
    #expect(
      message(logits, TensorType(.float32, [4])) { try softmaxFocalLoss($0, $1) }
        .hasPrefix("softmaxFocalLoss: labels must be integers [n]"))
    #expect(
      message(TensorType(.float32, [4]), labels) { try crossEntropy($0, $1) }
        == "crossEntropy: logits must be floating-point numbers [n, k], got float32[4]")
    #expect(
      message(logits, TensorType(.float32, [4, 1])) { try meanSquaredError($0, $1) }
        == "meanSquaredError: predictions and targets must have one floating-point type, "
        + "got float32[4, 3] and float32[4, 1]")
    let vector = TensorType(.float32, [4])
    #expect(
      message(vector, vector) { try crossEntropy($0, targets: $1) }
        == "crossEntropy: logits must be [n, k], got float32[4]")
    #expect(
      message(logits, labels) { try crossEntropy($0, $1, smoothing: 1.5) }
        == "crossEntropy: smoothing must be in 0...1, got 1.5")
    #expect(
      message(logits, labels) { try softmaxFocalLoss($0, $1, gamma: -1) }
        == "softmaxFocalLoss: gamma must be at least 0 and finite, got -1.0")
    #expect(
      message(logits, logits) { try sigmoidFocalLoss($0, $1, alpha: 2) }
        == "sigmoidFocalLoss: alpha must be in 0...1, got 2.0")
  }

  @Test("A label that is no class is named with its row")
  func labels() throws {
    func message(_ labels: HostTensor) -> String {
      do {
        try checkLabels(labels, classes: 10)
        return ""
      } catch { return "\(error)" }
    }
    func integers(_ labels: [Int32]) -> HostTensor {
      HostTensor(TensorType(.int32, [labels.count]), labels)
    }
    #expect(message(integers([0, 9, 5])) == "")
    #expect(
      message(integers([0, 3, 12, -1]))
        == "labels: row 2: must be in 0..<10, got 12\n"
        + "  hint: is the network made for the classes of this dataset?")
    #expect(message(integers([0, -1])).hasPrefix("labels: row 1: must be in 0..<10, got -1\n"))
    #expect(
      message(integers([1, 10, 4]))
        == "labels: row 1: must be in 0..<10, got 10\n"
        + "  hint: labels count from 0: subtract 1 from each")
    for (label, text) in [(2.5, "2.5"), (.nan, "nan"), (.infinity, "inf"), (1e30, "1.00000001")] {
      let labels = HostTensor([2], [1, Float(label)])
      #expect(message(labels).hasPrefix("labels: row 1: must be in 0..<10, got \(text)"))
    }
  }
}
