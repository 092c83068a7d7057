import ApusIR
import Testing

@Suite("Messages of graph errors")
struct GraphErrorTests {
  /// The message of adding an op, under a path, to a graph whose inputs have the given types.
  private func message(
    _ op: Op, _ operands: [TensorType], path: String = "model.layer2.0.conv1"
  ) throws -> String {
    var graph = Graph()
    let values = try operands.enumerated().map { index, type in
      try graph.append(.input(Input(.argument("x\(index)"), type)))[0]
    }
    let error = try #require(throws: GraphError.self) {
      try graph.append(op, values, path: path)
    }
    #expect(graph.nodes.count == operands.count)
    return error.description
  }

  @Test("suggest the number of groups where one fits")
  func groups() throws {
    #expect(
      try message(.convolution(Convolution()), [f32(8, 64, 56, 56), f32(128, 32, 3, 3)]) == """
        model.layer2.0.conv1: convolution: input channels must equal filter channels × groups, got \
        64 and 32 × 1
          operands: float32[8, 64, 56, 56], float32[128, 32, 3, 3]
          hint: did you mean groups: 2?
        """)
  }

  @Test("suggest nothing where no number of groups fits")
  func noGroups() throws {
    #expect(
      try message(.convolution(Convolution()), [f32(8, 64, 5, 5), f32(128, 24, 3, 3)]) == """
        model.layer2.0.conv1: convolution: input channels must equal filter channels × groups, got \
        64 and 24 × 1
          operands: float32[8, 64, 5, 5], float32[128, 24, 3, 3]
        """)
  }

  @Test("suggest a broadcast where only the shapes differ")
  func broadcast() throws {
    #expect(
      try message(.binary(.add), [f32(2, 3), f32(3)], path: "") == """
        add: both operands must have the same type, got float32[2, 3] and float32[3]
          operands: float32[2, 3], float32[3]
          hint: broadcast one of them first
        """)
    #expect(
      try message(.binary(.add), [f32(3), i32(3)], path: "") == """
        add: both operands must have the same type, got float32[3] and int32[3]
          operands: float32[3], int32[3]
        """)
  }

  @Test("name the pool, its padding and its kernel")
  func padding() throws {
    let pool = Pool(.max, kernel: Size2D(2, 3), stride: Size2D(2), padding: Padding2D(2))
    #expect(
      try message(.pool(pool), [f32(1, 8, 9, 9)], path: "stem.pool") == """
        stem.pool: maxPool: padding must be smaller than the kernel, got padding 2, kernel 2×3
          operands: float32[1, 8, 9, 9]
        """)
  }

  @Test("say how many operands are wanted")
  func counts() throws {
    #expect(
      try message(.barrier, []) == """
        model.layer2.0.conv1: barrier: the number of operands must be at least 1, got 0
        """)
    #expect(
      try message(.convolution(Convolution()), [f32(1)], path: "") == """
        convolution: the number of operands must be 2 to 3, got 1
          operands: float32[1]
        """)
  }

  @Test("have no operands' line without operands")
  func noOperands() throws {
    #expect(
      try message(.input(Input(.argument("image"), f32(0, 3, 224, 224))), [], path: "") == """
        input: every extent must be at least 1, got float32[0, 3, 224, 224]
        """)
  }
}
