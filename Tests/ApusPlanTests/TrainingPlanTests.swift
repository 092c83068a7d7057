import ApusIR
import ApusPlan
import ApusTensor
import Testing

@Suite("A plan of a training step")
struct TrainingPlanTests {
  @Test("keeps gradients in the images' layout, and writes the library's over gradients alone")
  func gradients() throws {
    let plan = try plan(.compiled) { scope, x in
      let filter = scope.parameter("weight", [16, 16, 3, 3], .heNormal)
      let scale = scope.parameter("scale", [16], .ones)
      let window = Convolution(padding: Padding2D(1))
      let y = try convolution(x, filter, window)
      let (z, mean, variance) = try batchNormTraining(
        y, scale: scale, offset: scope.parameter("offset", [16], .zeros), epsilon: 1e-5)
      let a = try relu(z)
      let dz = try a.activationGradient(.relu, exp(a))
      let dy = try batchNormGradient(
        y, scale: scale, mean: mean, variance: variance, gradient: dz, epsilon: 1e-5)[0]
      return [
        "dx": try convolutionInputGradient(dy, filter, window, images: Size2D(4)),
        "dw": try convolutionFilterGradient(x, dy, window, kernel: Size2D(3)),
      ]
    }
    expect(
      plan,
      """
      prepare #5 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3])
      prepare #17 flipped float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3])
      #4 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4])
      #3 nChw16c float32[2, 16, 4, 4] = convolution(#4 nChw16c float32[2, 16, 4, 4], #5 filter float32[16, 16, 3, 3])
      #7 nChw16c float32[2, 16, 4, 4], #8 plain float32[16], #9 plain float32[16] = batchNormTraining(#3 nChw16c float32[2, 16, 4, 4], #2 plain float32[16], #6 plain float32[16])
      #7 nChw16c float32[2, 16, 4, 4] = relu(#7 nChw16c float32[2, 16, 4, 4])
      #11 nChw16c float32[2, 16, 4, 4] = exp(#7 nChw16c float32[2, 16, 4, 4])
      #11 nChw16c float32[2, 16, 4, 4] = reluGradient(#7 nChw16c float32[2, 16, 4, 4], #11 nChw16c float32[2, 16, 4, 4])
      #11 nChw16c float32[2, 16, 4, 4], #14 plain float32[16], #15 plain float32[16] = batchNormGradient(#3 nChw16c float32[2, 16, 4, 4], #2 plain float32[16], #8 plain float32[16], #9 plain float32[16], #11 nChw16c float32[2, 16, 4, 4])
      #16 nChw16c float32[2, 16, 4, 4] = convolutionInputGradient(#11 nChw16c float32[2, 16, 4, 4], #17 flipped float32[16, 16, 3, 3])
      #18 gradient float32[16, 16, 3, 3] = convolutionFilterGradient(#4 nChw16c float32[2, 16, 4, 4], #11 nChw16c float32[2, 16, 4, 4])
      #19 plain float32[16, 16, 3, 3] = reorder(#18 gradient float32[16, 16, 3, 3])
      #20 plain float32[2, 16, 4, 4] = reorder(#16 nChw16c float32[2, 16, 4, 4])
      return #20
      return #19
      """)
  }

  @Test("leaves additions, activations and their gradients to norms by the batch's statistics")
  func fusedNorms() throws {
    let library = FakeLibrary(fusesNorms: true)
    let plan = try plan(.compiled, on: library) { scope, x in
      let filter = scope.parameter("weight", [16, 16, 3, 3], .heNormal)
      let scale = scope.parameter("scale", [16], .ones)
      let offset = scope.parameter("offset", [16], .zeros)
      let y = try convolution(x, filter, Convolution(padding: Padding2D(1)))
      let (z, mean, variance) = try batchNormTraining(
        y, scale: scale, offset: offset, epsilon: 1e-5)
      let a = try z.activated(.swish)
      let (shortcut, _, _) = try batchNormTraining(a, scale: scale, offset: offset, epsilon: 1e-5)
      let sum = try relu(shortcut + a)
      let dz = try z.activationGradient(.swish, exp(sum))
      let dy = try batchNormGradient(
        y, scale: scale, mean: mean, variance: variance, gradient: dz, epsilon: 1e-5)[0]
      return ["dy": dy]
    }
    let norms = plan.steps.filter { $0.name.contains("Norm") }
    #expect(
      norms.map(\.name) == [
        "batchNormTraining+swish", "batchNormTraining+add+relu", "swishGradient+batchNormGradient",
      ])
    // The second norm adds what the first made; the gradient reads what both norms read.
    #expect(norms[1].operands[3].buffer == norms[0].results[0].buffer)
    #expect(norms[2].operands[5].buffer == norms[0].operands[2].buffer)
    #expect(norms[2].operands[0].buffer == norms[0].operands[0].buffer)
  }

  @Test("joins a parameter's update into one step that writes over the old values")
  func joinedUpdates() throws {
    let graph = try trace { scope in
      let p = scope.parameter("p", [4, 3], .zeros)
      let velocity = scope.state("v", [4, 3], .zeros)
      let rate = scope.argument("rate", .float32, [])
      let gradient = scope.argument("g", .float32, [4, 3])
      let next = try velocity * 0.9 + gradient
      scope.update("v", next)
      scope.update("p", try p - rate * next)
      return ["norm": try (next * next).sum(0, 1)]
    }
    let plan = try Planner(.compiled, FakeLibrary(joinsElements: true)).plan(graph)
    let steps = plan.steps.filter { $0.results[0].type.shape == [4, 3] }
    #expect(steps.map(\.name) == ["multiply+add+multiply+subtract+multiply"])
    for (role, operand) in plan.results {
      guard case .update(let path) = role else { continue }
      let input = try #require(plan.inputs.firstIndex { $0.path == path })
      #expect(plan.buffers[operand.buffer].place == .input(input), "\(path)")
    }
  }

  @Test("leaves out element-by-element steps that nothing reads")
  func unreadElements() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [4, 3])
      let y = try -x * 2
      _ = try minimum(y, y)
      return ["x": x]
    }
    let plan = try Planner(.compiled, FakeLibrary(joinsElements: true)).plan(graph)
    #expect(plan.steps.isEmpty)
  }

  @Test("writes no update over what the same step reads later")
  func crossedUpdates() throws {
    let graph = try trace { scope in
      let p = scope.parameter("p", [4, 3], .zeros)
      let v = scope.state("v", [4, 3], .zeros)
      let next = try p + v
      scope.update("p", next)
      // It reads the old p after the new one was made.
      scope.update("v", try next * p)
      return ["norm": try next.sum(0, 1)]
    }
    let plan = try Planner(.compiled, FakeLibrary(joinsElements: true)).plan(graph)
    #expect(plan.steps.contains { $0.results.count == 2 })
    let p = try #require(plan.inputs.firstIndex { $0.path == "p" })
    let next = try #require(plan.results.first { $0.role == .update("p") })
    #expect(plan.buffers[next.operand.buffer].place != .input(p))
  }

  @Test("keeps an activation's gradient apart where something else reads it, or its input")
  func unfusedNorms() throws {
    for isInput in [false, true] {
      let plan = try plan(.compiled, on: FakeLibrary(fusesNorms: true)) { scope, x in
        let filter = scope.parameter("weight", [16, 16, 3, 3], .heNormal)
        let scale = scope.parameter("scale", [16], .ones)
        let y = try convolution(x, filter, Convolution(padding: Padding2D(1)))
        let (z, mean, variance) = try batchNormTraining(
          y, scale: scale, offset: scope.parameter("offset", [16], .zeros), epsilon: 1e-5)
        let dz = try z.activationGradient(.swish, exp(z.activated(.swish)))
        let dy = try batchNormGradient(
          y, scale: scale, mean: mean, variance: variance, gradient: dz, epsilon: 1e-5)[0]
        return ["dy": dy, "other": isInput ? try exp(z) : try exp(dz)]
      }
      let names = plan.steps.map(\.name)
      #expect(names.contains("swishGradient") && names.contains("batchNormGradient"))
      #expect(names.contains("swish") && names.contains("batchNormTraining"))
    }
  }
}
