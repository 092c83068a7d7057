import ApusIR
import ApusNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("An update rule")
struct UpdateRuleTests {
  /// A network's parameters, and what `rule` says of an update with gradients of their own values.
  private func graph(_ rule: UpdateRule) throws -> Graph {
    try trace(training: true) { scope in
      for name in ["conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "fc.weight"] {
        _ = scope.parameter(name, [2, 2], .ones)
      }
      _ = scope.parameter("fc.bias", [2], .ones)
      let trained = try rule.trainedParameters(scope)
      try rule.update(trained, trained.map(\.tensor), scope)
      return [:]
    }
  }

  private func message(_ rule: @autoclosure () throws -> UpdateRule) -> String {
    do {
      _ = try graph(rule())
      return ""
    } catch { return "\(error)" }
  }

  @Test("keeps its states under paths that name the parameter")
  func paths() throws {
    let average = try ParameterAveraging(decay: 0.5, averaged: ["fc.*"])
    let rule = try UpdateRule(
      Adam(), frozen: ["conv1.*", "layer*"], microSteps: 2, averaging: average)
    let updated = try graph(rule).updatedPaths
    let trained = ["bn1.weight", "fc.weight", "fc.bias"]
    let states = ["accumulated", "exp_avg", "exp_avg_sq"].flatMap { state in
      trained.map { "optimizer.\(state).\($0)" }
    }
    let others = [
      "optimizer.step", "optimizer.micro_step", "averages.fc.weight", "averages.fc.bias",
    ]
    #expect(updated == Set(trained + states + others))
  }

  @Test("A frozen parameter has no state, and is not even an input of an update")
  func frozen() throws {
    let rule = try UpdateRule(SGD(momentum: 0.9), frozen: ["*.weight"])
    #expect(
      try graph(rule).updatedPaths == ["fc.bias", "optimizer.momentum.fc.bias", "optimizer.step"])
  }

  @Test("names the parameters that are like a pattern that matches none")
  func unmatched() {
    #expect(
      message(try UpdateRule(SGD(), frozen: ["bn1.*", "layer2.*.conv1.weight"]))
        == "frozen parameters: each pattern must match a parameter, got "
        + "\"layer2.*.conv1.weight\"\n"
        + "  hint: near it are layer1.0.conv1.weight, conv1.weight, bn1.weight")
    #expect(
      message(try UpdateRule(SGD(), undecayed: ["fc.bais"]))
        .hasPrefix(
          "undecayed parameters: each pattern must match a parameter, got \"fc.bais\"\n"
            + "  hint: near it are fc.bias, "))
    let average = Result { try ParameterAveraging(decay: 0.5, averaged: ["x"]) }
    #expect(
      message(try UpdateRule(SGD(), averaging: average.get())).hasPrefix("averaged parameters: "))
  }

  @Test("A network of which nothing is left to train is an error")
  func allFrozen() {
    #expect(
      message(try UpdateRule(SGD(), frozen: ["*"]))
        == "frozen parameters: some parameter must be left to train, got all 5 frozen")
    #expect {
      try trace { scope in
        _ = try UpdateRule(SGD()).trainedParameters(scope)
        return [:]
      }
    } throws: {
      "\($0)".hasSuffix("must be left to train, got a network without any")
    }
  }

  @Test("The norm of no tensor is an error")
  func emptyNorm() {
    #expect { try norm(of: []) } throws: {
      "\($0)" == "norm: there must be at least one tensor, got none"
    }
  }

  @Test("Gradients that do not belong to the parameters are an error")
  func wrongGradients() throws {
    func message(_ gradients: @escaping ([Tensor]) throws -> [Tensor]) -> String {
      do {
        _ = try trace { scope in
          let weight = scope.parameter("fc.weight", [2, 3], .ones)
          let bias = scope.parameter("fc.bias", [2], .ones)
          try UpdateRule(SGD()).update(scope.parameters, gradients([weight, bias]), scope)
          return [:]
        }
        return ""
      } catch { return "\(error)" }
    }
    #expect(
      message { [$0[0]] }
        == "update: there must be one gradient for each of 2 parameters, got 1")
    #expect(
      message { [$0[0], $0[0]] }
        == "fc.bias: update: parameter and gradient must be float32 of one shape, "
        + "got float32[2] and float32[2, 3]")
    #expect(message { $0 } == "")
  }

  @Test("Between whole steps nothing changes but the sums and the count of micro-steps")
  func microSteps() throws {
    let rule = try UpdateRule(
      NAdam(), microSteps: 3, averaging: ParameterAveraging(decay: 0.9))
    let graph = try graph(rule)
    let store = ParameterStore(initializing: graph)
    let session = Session(ReferenceBackend(), store) { _ in graph }
    for run in 1...7 {
      let before = try session.updatedParameters
      _ = try session.run(["learning_rate": HostTensor([], [0.1])], batch: 1)
      let after = try session.updatedParameters
      let changed = after.paths.filter { path in
        guard let old = before[path], let new = after[path] else { return true }
        return !new.isIdentical(to: old)
      }
      let sums = changed.filter { $0.hasPrefix("optimizer.accumulated.") }
      #expect(sums.count == 5)
      #expect(changed.contains("optimizer.micro_step"))
      let isWhole = run % 3 == 0
      #expect(changed.count - sums.count == (isWhole ? 23 : 1))
    }
  }

  @Test("A scope of its own has states and names of its own")
  func scopes() throws {
    let graph = try trace { scope in
      let rate = scope.argument("rate", .float32, [])
      for name in ["a", "b"] {
        let part = scope[name]
        let weight = part["fc"].parameter("weight", [1], .ones)
        #expect(part.parameters.map(\.name) == ["fc.weight"])
        let rule = try UpdateRule(
          SGD(momentum: 0.5), undecayed: ["fc.*"], averaging: ParameterAveraging(decay: 0.5))
        try rule.update(part.parameters, [weight], part, learningRate: rate)
      }
      #expect(scope.parameters.map(\.name) == ["a.fc.weight", "b.fc.weight"])
      return [:]
    }
    let first: Set = [
      "a.fc.weight", "a.optimizer.momentum.fc.weight", "a.optimizer.step", "a.averages.fc.weight",
    ]
    #expect(Set(graph.updatedPaths.filter { $0.hasPrefix("a.") }) == first)
    var store = ParameterStore(initializing: graph)
    store["a.averages.fc.weight"] = HostTensor([1], [7])
    #expect(store.averaged(in: "a")["a.fc.weight"]?.floats == [7])
    #expect(store.averaged()["a.fc.weight"]?.floats == [1])
  }
}
