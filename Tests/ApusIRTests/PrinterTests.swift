import ApusIR
import Testing

@Suite("Printed graphs")
struct PrinterTests {
  @Test("show results, operands, attributes and paths, then the outputs")
  func network() throws {
    var graph = Graph()
    let x = try graph.append(.input(Input(.argument("images"), f32(1, 3, 8, 8))))[0]
    let w = try graph.append(
      .input(Input(.parameter("conv1.weight"), f32(4, 3, 3, 3), initializer: .heNormal)),
      path: "conv1")[0]
    let convolution = Convolution(
      stride: Size2D(2), padding: Padding2D(top: 0, left: 1, bottom: 2, right: 1))
    let y = try graph.append(.convolution(convolution), [x, w], path: "conv1")[0]
    let z = try graph.append(.activation(.leakyRelu(slope: 0.1)), [y])[0]
    let pool = Pool(
      .average(countsPadding: true), kernel: Size2D(2, 3), stride: Size2D(2), ceilMode: true)
    let pooled = try graph.append(.pool(pool), [z], path: "pool")[0]
    let count = try graph.append(.input(Input(.state("count"), i32())))[0]
    let both = try graph.append(.barrier, [pooled, count])
    graph.output(.result("features"), both[0])
    graph.output(.update("count"), both[1])
    #expect(
      graph.description == """
        %0: float32[1, 3, 8, 8] = input() {argument "images"}
        %1: float32[4, 3, 3, 3] = input() {parameter "conv1.weight"} @conv1
        %2: float32[1, 4, 4, 4] = convolution(%0, %1) {stride 2×2, padding [top 0, left 1, bottom 2, \
        right 1]} @conv1
        %3: float32[1, 4, 4, 4] = leakyRelu(%2) {slope 0.1}
        %4: float32[1, 4, 2, 2] = averagePool(%3) {kernel 2×3, stride 2×2, padding 0, ceil, counts \
        padding} @pool
        %5: int32[] = input() {state "count"}
        %6: float32[1, 4, 2, 2], %7: int32[] = barrier(%4, %5)
        return %6 as "features"
        update "count" with %7
        """)
  }

  @Test("shorten long constants")
  func constants() throws {
    func attributes(_ count: Int) -> String {
      Op.constant(Constant(f32(count), (0..<count).map { Double($0) })).attributes
    }
    #expect(attributes(3) == "[0.0, 1.0, 2.0]")
    #expect(attributes(9) == "[0.0, 1.0, … 9 values]")
  }
}
