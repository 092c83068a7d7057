import ApusIR
import ApusNN
import ApusPJRT
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// The device of the CPU plugin, where there is one.
private let xlaDevice = try? Device.open(DeviceName(platform: "cpu"))

private let rules: [String: @Sendable () throws -> UpdateRule] = [
  "SGD": { try UpdateRule(SGD()) },
  "SGD momentum": { try UpdateRule(SGD(momentum: 0.9, weightDecay: 0.05)) },
  "SGD Nesterov": { try UpdateRule(SGD(momentum: 0.8, nesterov: true, weightDecay: 0.05)) },
  "Adam": { try UpdateRule(Adam()) },
  "Adam options": {
    try UpdateRule(Adam(beta1: 0.5, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.05))
  },
  "Adam without first moment": { try UpdateRule(Adam(beta1: 0, beta2: 0.9)) },
  "AdamW": { try UpdateRule(AdamW()) },
  "AdamW options": {
    try UpdateRule(AdamW(beta1: 0.7, beta2: 0.95, epsilon: 1e-4, weightDecay: 0.2))
  },
  "NAdam": { try UpdateRule(NAdam()) },
  "NAdam options": {
    try UpdateRule(
      NAdam(beta1: 0.8, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.05, momentumDecay: 0.1))
  },
  "Adamax": { try UpdateRule(Adamax()) },
  "Adamax options": {
    try UpdateRule(Adamax(beta1: 0.6, beta2: 0.7, epsilon: 1e-2, weightDecay: 0.05))
  },
  "RMSprop": { try UpdateRule(RMSprop()) },
  "RMSprop options": {
    try UpdateRule(RMSprop(alpha: 0.8, epsilon: 1e-3, weightDecay: 0.05, momentum: 0.9))
  },
  "RMSprop centered": { try UpdateRule(RMSprop(alpha: 0.7, epsilon: 1e-2, centered: true)) },
  "AdaGrad": { try UpdateRule(AdaGrad()) },
  "AdaGrad options": {
    try UpdateRule(AdaGrad(rateDecay: 0.3, epsilon: 1e-3, weightDecay: 0.05))
  },
  "AdaDelta": { try UpdateRule(AdaDelta()) },
  "AdaDelta options": { try UpdateRule(AdaDelta(rho: 0.6, epsilon: 1e-2, weightDecay: 0.05)) },
  "LARS": { try UpdateRule(LARS()) },
  "LARS undecayed bias": {
    try UpdateRule(LARS(momentum: 0.7, weightDecay: 0.05, trust: 0.1), undecayed: .vectors)
  },
  "undecayed SGD": {
    try UpdateRule(SGD(momentum: 0.9, weightDecay: 0.05), undecayed: ["*.bias", "fc.*"])
  },
  "undecayed AdamW": { try UpdateRule(AdamW(weightDecay: 0.05), undecayed: .vectors) },
  "frozen": { try UpdateRule(SGD(momentum: 0.9, weightDecay: 0.05), frozen: ["conv.*"]) },
  "clipped by norm": { try UpdateRule(SGD(), clipping: .globalNorm(2)) },
  "clipped by a norm that is large": { try UpdateRule(SGD(), clipping: .globalNorm(1e3)) },
  "clipped by value": { try UpdateRule(SGD(), clipping: .value(0.5)) },
  "accumulated": { try UpdateRule(Adam(weightDecay: 0.05), microSteps: 3) },
  "accumulated, clipped, averaged": {
    try UpdateRule(
      SGD(momentum: 0.9), clipping: .globalNorm(1), microSteps: 2,
      averaging: ParameterAveraging(decay: 0.75))
  },
  "averaged": { try UpdateRule(AdamW(), averaging: ParameterAveraging(decay: 0.6)) },
]

@Suite("Optimisers")
struct OptimizerTests {
  @Test(
    "Several steps on given gradients end where PyTorch's do", arguments: rules.keys.sorted(),
    0..<3)
  func agrees(name: String, backend: Int) throws {
    try expectTorch(name, on: backends[backend])
  }

  @Test(
    "and on XLA, where a run takes over the memory of what it updates",
    .enabled(if: xlaDevice != nil, "no XLA plugin: looked for xla-cpu-pjrt; see scripts/xla"),
    arguments: rules.keys.sorted())
  func agreesOnXLA(name: String) throws {
    try expectTorch(name, on: XLABackend(try #require(xlaDevice), verifies: true))
  }

  private func expectTorch(_ name: String, on backend: any Backend) throws {
    let fixture = try OptimizerFixture.shared.get()
    let expected = try #require(fixture.cases[name])
    let make = try #require(rules[name])
    let rule = try make()
    let session = try fixture.session(backend, rule)
    // Each value within four roundings of the largest; float32 on either side of the formulas.
    let close = Tolerance(relative: 5e-7)
    for run in fixture.gradients.indices {
      let step = run / rule.microSteps
      try fixture.run(session, run, rate: fixture.rates[step])
      let updated = try session.updatedParameters
      let isWhole = (run + 1) % rule.microSteps == 0
      let isLast = run + 1 == fixture.gradients.count
      guard let moment = !isWhole ? nil : step == 0 ? expected.first : isLast ? expected.last : nil
      else { continue }
      for (path, values) in moment {
        let shape = Shape(try #require(fixture.shapes[path]))
        let got = try #require(updated[path])
        #expect(
          difference(got, from: HostTensor(shape, values), within: close) == nil,
          "\(path) after \(step + 1) steps")
      }
    }
    let averaged = try session.updatedParameters.averaged()
    for (path, values) in expected.averages ?? [:] {
      let shape = Shape(try #require(fixture.shapes[path]))
      let got = try #require(averaged[path])
      #expect(difference(got, from: HostTensor(shape, values), within: close) == nil, "\(path)")
    }
  }

  @Test("The fixture holds every rule, and no other")
  func fixtureIsComplete() throws {
    #expect(try Set(OptimizerFixture.shared.get().cases.keys) == Set(rules.keys))
  }

  @Test("1 − βᵗ keeps its digits, for early and late steps")
  func correction() throws {
    for beta in [0, 0.5, 0.9, 0.999, 0.9999] {
      for step in [1, 2, 7, 100, 30_000] {
        var store = ParameterStore()
        store["p"] = HostTensor([1], [0])
        let graph = try trace { scope in
          let p = scope.parameter("p", [1], .zeros)
          try Correction(beta: beta).update([("p", p)], [p], scope)
          return [:]
        }
        store.fill(from: graph)
        store["optimizer.step"] = HostTensor(TensorType(.int32, []), [Int32(step - 1)])
        let session = Session(ReferenceBackend(), store) { _ in graph }
        _ = try session.run(["learning_rate": HostTensor([], [1])], batch: 1)
        let got = try #require(try session.updatedParameters["p"]?.floats.first)
        var power = 1.0
        for _ in 0..<step { power *= beta }
        let expected = Float(1 - power)
        #expect((got - expected).magnitude <= expected * 4e-7, "\(beta), step \(step)")
      }
    }
  }

  @Test("LARS does not scale a parameter whose norm, or whose gradient's, is 0")
  func zeroNorms() throws {
    let graph = try trace { scope in
      let a = scope.parameter("a", [2], .zeros)
      let b = scope.parameter("b", [2], .ones)
      try LARS(trust: 1e-3).update([("a", a), ("b", b)], [b, a], scope)
      return [:]
    }
    let session = Session(ReferenceBackend(), ParameterStore(initializing: graph)) { _ in graph }
    _ = try session.run(["learning_rate": HostTensor([], [0.5])], batch: 1)
    let updated = try session.updatedParameters
    #expect(updated["a"]?.floats == [-0.5, -0.5])
    #expect(updated["b"]?.floats == [1, 1])
  }

  @Test("A parameter that weight decay leaves alone moves by its gradient only")
  func undecayed() throws {
    let decay = try SGD(weightDecay: 0.5)
    let graph = try trace { scope in
      let (a, b) = (scope.parameter("a", [2, 2], .ones), scope.parameter("b", [2], .ones))
      let gradients = [try a.filled(with: 0), try b.filled(with: 0)]
      try UpdateRule(decay, undecayed: .vectors).update(scope.parameters, gradients, scope)
      return [:]
    }
    let session = Session(ReferenceBackend(), ParameterStore(initializing: graph)) { _ in graph }
    _ = try session.run(["learning_rate": HostTensor([], [0.5])], batch: 1)
    #expect(try session.updatedParameters["a"]?.floats == [0.75, 0.75, 0.75, 0.75])
    #expect(try session.updatedParameters["b"]?.floats == [1, 1])
  }

  @Test("Settings out of their range are errors that name them")
  func settings() {
    func message(_ make: () throws -> Any) -> String {
      do { return "\(try make())" } catch { return "\(error)" }
    }
    let rows: [(() throws -> Any, String)] = [
      ({ try SGD(momentum: -1) }, "SGD: momentum must be at least 0, got -1.0"),
      ({ try SGD(nesterov: true) }, "SGD: Nesterov's momentum must be above 0, got 0.0"),
      ({ try SGD(weightDecay: .nan) }, "SGD: weight decay must be at least 0, got nan"),
      ({ try Adam(beta2: 1) }, "Adam: betas must be in 0..<1, got 1.0"),
      ({ try AdamW(epsilon: -1) }, "AdamW: epsilon must be at least 0, got -1.0"),
      ({ try NAdam(momentumDecay: -1) }, "NAdam: momentum decay must be at least 0, got -1.0"),
      ({ try Adamax(weightDecay: -1) }, "Adamax: weight decay must be at least 0, got -1.0"),
      ({ try RMSprop(alpha: 2) }, "RMSprop: alpha must be in 0...1, got 2.0"),
      ({ try AdaGrad(rateDecay: -1) }, "AdaGrad: rate decay must be at least 0, got -1.0"),
      ({ try AdaDelta(rho: -1) }, "AdaDelta: rho must be in 0...1, got -1.0"),
      ({ try LARS(trust: -1) }, "LARS: trust must be at least 0, got -1.0"),
      (
        { try GradientClipping.globalNorm(0) },
        "gradient clipping: the limit must be above 0, got 0.0"
      ),
      (
        { try ParameterAveraging(decay: 2) },
        "parameter averaging: the decay must be in 0...1, got 2.0"
      ),
      (
        { try UpdateRule(SGD(), microSteps: 0) },
        "gradient accumulation: micro-steps must be at least 1 and an int32, got 0"
      ),
    ]
    for (make, expected) in rows { #expect(message(make) == expected) }
  }

  @Test("The default learning rates are PyTorch's")
  func defaultRates() {
    let rates = [
      SGD.defaultLearningRate, Adam.defaultLearningRate, AdamW.defaultLearningRate,
      NAdam.defaultLearningRate, Adamax.defaultLearningRate, RMSprop.defaultLearningRate,
      AdaGrad.defaultLearningRate, AdaDelta.defaultLearningRate,
    ]
    #expect(rates == [1e-3, 1e-3, 1e-3, 2e-3, 2e-3, 1e-2, 1e-2, 1])
  }
}

/// Sets each parameter to 1 − βᵗ.
private struct Correction: Optimizer {
  static let defaultLearningRate = 1.0
  let beta: Double

  func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    try step.parameters.map { try $0.value.filled(with: 0) + step.filled(beta) }
  }
}
