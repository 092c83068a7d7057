import ApusIR
import ApusNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Minimising a loss")
struct MinimizeTests {
  /// `Σ (x w + b − y)²` over 8 rows of 3, and one step of gradient descent.
  private func graph(frozen: ParameterSelection = []) throws -> Graph {
    try trace(training: true) { scope in
      let x = scope.argument("x", .float32, [8, 3])
      let w = scope["line"].parameter("w", [3, 2], .zeros)
      let b = scope["line"].parameter("b", [2], .zeros)
      let y = scope.argument("y", .float32, [8, 2])
      let difference = try dot(x, w) + b - y
      let loss = try (difference * difference).sum(0, 1)
      try UpdateRule(SGD(), frozen: frozen).minimize(loss, scope)
      return ["loss": loss]
    }
  }

  @Test("moves each parameter against its gradient")
  func step() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = RandomTensors(seed: seed)
    let (x, y) = (random.tensor([8, 3]), random.tensor([8, 2]))
    let (w, b) = (random.tensor([3, 2]), random.tensor([2]))
    var store = ParameterStore(initializing: try graph())
    (store["line.w"], store["line.b"]) = (w, b)
    let session = Session(ReferenceBackend(), store) { _ in try graph() }
    let rate = HostTensor([], [0.01])
    _ = try session.run(["x": x, "y": y, "learning_rate": rate], batch: 8)
    let updated = try session.updatedParameters
    let (xs, ys, ws, bs) = (x.doubles, y.doubles, w.doubles, b.doubles)
    func difference(_ row: Int, _ column: Int) -> Double {
      (0..<3).reduce(bs[column] - ys[row * 2 + column]) { sum, i in
        sum + xs[row * 3 + i] * ws[i * 2 + column]
      }
    }
    for column in 0..<2 {
      let slope = (0..<8).reduce(0) { $0 + 2 * difference($1, column) }
      let moved = try #require(updated["line.b"]).doubles[column]
      #expect((moved - (bs[column] - 0.01 * slope)).magnitude < 1e-5, "seed \(seed)")
      for i in 0..<3 {
        let slope = (0..<8).reduce(0) { $0 + 2 * difference($1, column) * xs[$1 * 3 + i] }
        let moved = try #require(updated["line.w"]).doubles[i * 2 + column]
        #expect((moved - (ws[i * 2 + column] - 0.01 * slope)).magnitude < 1e-5, "seed \(seed)")
      }
    }
  }

  @Test("takes no gradient of what is frozen")
  func frozen() throws {
    let all = try graph()
    let some = try graph(frozen: ["line.w"])
    #expect(some.updatedPaths == ["line.b", "optimizer.step"])
    #expect(some.nodes.count { $0.op.name == "dot" } < all.nodes.count { $0.op.name == "dot" })
  }
}
