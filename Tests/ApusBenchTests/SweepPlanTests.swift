import ApusBench
import Foundation
import Testing

func sweepCell(_ batch: Int, _ execution: String = "compiled") -> SweepCell {
  var cell = SweepCell(model: "lenet", mode: "infer")
  (cell.head, cell.norm, cell.device, cell.precision) = ("full", "bn", "cpu", "fp32")
  (cell.execution, cell.batchSize, cell.imageSize, cell.threads) = (execution, batch, 28, 1)
  return cell
}

func sweepPlan(
  _ cells: [SweepCell], repetitions: Int = 1, settings: [String: String] = [:],
  command: [String] = ["bench"]
) -> SweepPlan {
  SweepPlan(command: command, settings: settings, repetitions: repetitions, cells: cells)
}

@Suite("The plan of a sweep")
struct SweepPlanTests {
  @Test("measures all cells once before any of them again")
  func order() {
    let jobs = sweepPlan([sweepCell(1), sweepCell(2)], repetitions: 2).jobs
    #expect(jobs.map(\.cell.batchSize) == [1, 2, 1, 2])
    #expect(jobs.map(\.repetition) == [1, 1, 2, 2])
    #expect(jobs.map(\.index) == [0, 1, 0, 1])
  }

  @Test("goes on with what has no row yet")
  func rest() {
    let plan = sweepPlan([sweepCell(1), sweepCell(2)], repetitions: 2)
    var (first, last) = (
      BenchRow(sweepCell(2), status: .ok), BenchRow(sweepCell(1), status: .timeout)
    )
    (first.repeat, last.repeat) = (1, 2)
    let rest = plan.jobs(after: [first, last])
    #expect(rest.map(\.cell.batchSize) == [1, 2] && rest.map(\.repetition) == [1, 2])
    #expect(plan.jobs(after: []) == plan.jobs)
  }

  @Test("says what is different in another one, and only what matters")
  func difference() {
    let plan = sweepPlan([sweepCell(1), sweepCell(2)], settings: ["tuning": "off"])
    func difference(_ other: SweepPlan) -> String? { plan.difference(from: other) }
    #expect(
      difference(
        sweepPlan([sweepCell(1), sweepCell(2)], settings: ["tuning": "off"], command: ["x"])) == nil
    )
    #expect(
      difference(sweepPlan([sweepCell(1), sweepCell(2)], settings: ["tuning": "full"]))
        == "--tuning full, not off")
    #expect(difference(sweepPlan(plan.cells)) == "--tuning none, not off")
    #expect(
      difference(sweepPlan(plan.cells, repetitions: 3, settings: plan.settings))
        == "--repeat 3, not 1")
    #expect(
      difference(sweepPlan([sweepCell(1), sweepCell(3)], settings: plan.settings))
        == "the cell lenet, 1 thread, batch 3, compiled, not lenet, 1 thread, batch 2, compiled")
    #expect(
      difference(sweepPlan([sweepCell(1)], settings: plan.settings)) == "1 cells, not 2")
  }

  @Test("reads back from its JSON")
  func roundTrip() throws {
    var cell = sweepCell(4)
    (cell.norm, cell.activation, cell.checkpoint) = ("abn", "mish", "stages")
    let plan = sweepPlan([cell, sweepCell(1, "eager")], repetitions: 3, settings: ["a": "b"])
    let text = try JSONValue(encoding: plan).text()
    #expect(try JSONDecoder().decode(SweepPlan.self, from: Data(text.utf8)) == plan)
  }
}

@Suite("A cell of a sweep")
struct SweepCellTests {
  @Test("is the same one in its row")
  func row() {
    var cell = sweepCell(4)
    (cell.activation, cell.checkpoint, cell.head) = ("mish", "sqrt", "cut")
    #expect(SweepCell(of: BenchRow(cell, status: .timeout, reason: "x")) == cell)
  }

  @Test("is described by what is not as usual")
  func words() {
    var cell = sweepCell(1)
    #expect(cell.description == "lenet, 1 thread, batch 1, compiled")
    (cell.head, cell.norm, cell.activation, cell.checkpoint) = ("cut", "abn", "mish", "sqrt")
    (cell.mode, cell.threads, cell.device, cell.precision) = ("train", nil, "xla:cuda", "bf16")
    #expect(
      cell.description
        == "lenet, head cut, abn, mish, checkpoint sqrt, train, batch 1, compiled, xla:cuda, bf16")
  }
}
