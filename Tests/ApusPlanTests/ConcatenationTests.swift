import ApusIR
import ApusPlan
import ApusTensor
import Testing

@Suite("A plan for one image concatenates without copying")
struct ConcatenationTests {
  private let image: Shape = [1, 16, 4, 4]

  @Test("what convolutions make, by letting them write there")
  func convolutions() throws {
    let plan = try plan(.compiled, x: image) { scope, x in
      let (a, b) = (try convolve(scope["a"], x), try convolve(scope["b"], x, 32))
      return ["y": try maxPool(concatenate([a, b]), kernel: 2, stride: 2)]
    }
    expect(
      plan,
      """
      prepare #4 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @a
      prepare #7 filter float32[32, 16, 3, 3] = reorder(#5 plain float32[32, 16, 3, 3]) @b
      #3 nChw16c float32[1, 16, 4, 4] = reorder(#0 plain float32[1, 16, 4, 4]) @a
      #8 nChw16c float32[1, 16, 4, 4] = convolution(#3 nChw16c float32[1, 16, 4, 4], #4 filter float32[16, 16, 3, 3]) @a
      #8+1024 nChw16c float32[1, 32, 4, 4] = convolution(#3 nChw16c float32[1, 16, 4, 4], #7 filter float32[32, 16, 3, 3]) @b
      #9 nChw16c float32[1, 48, 2, 2] = maxPool(#8 nChw16c float32[1, 48, 4, 4]) @a
      #10 plain float32[1, 48, 2, 2] = reorder(#9 nChw16c float32[1, 48, 2, 2])
      return #10
      """)
  }

  @Test("the outputs of all layers before, layer after layer", arguments: [2, 5])
  func dense(layers: Int) throws {
    let plan = try plan(.compiled, x: image) { scope, x in
      var features = [try convolve(scope["stem"], x)]
      for layer in 0..<layers {
        let joined = try features.count == 1 ? features[0] : concatenate(features)
        features.append(try convolve(scope["layer\(layer)"], relu(joined)))
      }
      return ["y": try maxPool(concatenate(features), kernel: 2, stride: 2)]
    }
    #expect(!plan.description.contains("concatenate"))
    let last = try #require(plan.steps.first { $0.name == "maxPool" }?.operands[0])
    #expect(plan.buffers[last.buffer].sizeInBytes == (layers + 1) * 1024)
    // What is written last lies at the end.
    let convolutions = plan.steps.filter { $0.name == "convolution" }.map { $0.results[0] }
    #expect(convolutions.map(\.offset) == (0...layers).map { $0 * 1024 })
    #expect(convolutions.allSatisfy { $0.buffer == last.buffer })
  }

  @Test("concatenations of concatenations")
  func nested() throws {
    let plan = try plan(.compiled, x: image) { scope, x in
      let parts = try (0..<4).map { try convolve(scope["part\($0)"], x) }
      let left = try concatenate([parts[0], parts[1]])
      let joined = try concatenate([left, concatenate([parts[2], parts[3]])])
      return ["y": try maxPool(joined, kernel: 2, stride: 2)]
    }
    #expect(!plan.description.contains("concatenate"))
  }

  @Test("and copies what cannot lie there: one image twice, the run's input, what is summed into")
  func copies() throws {
    let twice = try plan(.compiled, x: image) { scope, x in
      let a = try convolve(scope["a"], x)
      return ["y": try maxPool(concatenate([a, a]), kernel: 2, stride: 2)]
    }
    #expect(twice.description.contains("#5+1024 nChw16c float32[1, 16, 4, 4] = reorder(#5 nChw16c"))
    let overwritten = try plan(.compiled, x: image) { scope, x in
      let (a, b) = (try convolve(scope["a"], x), try convolve(scope["b"], x))
      let joined = try maxPool(concatenate([a, b]), kernel: 2, stride: 2)
      // The sum is written over `a` after the concatenation was read.
      return ["y": joined, "z": try convolve(scope["c"], b) + a]
    }
    let sum = try #require(overwritten.steps.first { $0.name == "convolution+sum" })
    let join = try #require(overwritten.steps.first { $0.name == "maxPool" })
    #expect(sum.results[0].buffer != join.operands[0].buffer)
    let outputs = try plan(.compiled, x: image) { scope, x in
      ["y": try maxPool(concatenate([x, convolve(scope["a"], x)]), kernel: 2, stride: 2), "x": x]
    }
    #expect(!outputs.results.contains { outputs.buffers[$0.operand.buffer].sizeInBytes == 2048 })
  }

  @Test("but not several, nor parts of blocks", arguments: [[2, 16, 4, 4], [1, 12, 4, 4]])
  func others(image: [Int]) throws {
    let plan = try plan(.compiled, x: Shape(image)) { scope, x in
      let (a, b) = (
        try convolve(scope["a"], x, image[1]), try convolve(scope["b"], x, image[1])
      )
      return ["y": try maxPool(concatenate([a, b]), kernel: 2, stride: 2)]
    }
    #expect(plan.description.contains("concatenate"))
  }
}
