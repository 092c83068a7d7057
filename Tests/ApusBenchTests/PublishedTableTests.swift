import ApusBench
import Foundation
import Testing

@Suite("Published tables")
struct PublishedTableTests {
  /// The number at the beginning of a printed figure.
  private func number(_ text: String?) throws -> Double {
    let text = try #require(text)
    let digits = text.prefix { $0.isNumber || $0 == "." }
    return try #require(Double(digits), "\(text)")
  }

  @Test("have an entry for each column, and cells that are named once")
  func shape() {
    for table in PublishedTable.all {
      #expect(PublishedTable(named: table.name) == table)
      for section in table.sections {
        #expect(Set(section.rows.map(\.title)).count == section.rows.count, "\(section.title)")
        for row in section.rows { #expect(row.entries.count == section.columns.count) }
      }
      #expect(Set(table.cells).count == table.cells.count && !table.cells.isEmpty)
    }
    #expect(PublishedTable(named: "vogons") == nil)
    #expect(PublishedTable.all.map(\.cells.count) == [36, 64, 176, 25])
  }

  @Test("of ResNets: the printed speed-ups are those of the printed times")
  func luxSpeedUps() throws {
    for row in PublishedTable.luxResNet.sections.flatMap(\.rows) {
      let printed = try row.entries.map { try number($0.published) }
      #expect(printed.count == 5)
      // Rounded or cut to two decimals.
      #expect(abs(printed[2] / printed[0] - printed[3]) < 0.011, "\(row.title)")
      #expect(abs(printed[1] / printed[0] - printed[4]) < 0.011, "\(row.title)")
    }
    let cells = PublishedTable.luxResNet.cells
    #expect(Set(cells.map(\.execution)) == ["compiled", "flax", "eager"])
    #expect(Set(cells.map(\.batchSize)) == [1, 4, 32, 128])
    #expect(cells.allSatisfy { $0.rules == PublishedRules(iterations: 100, longest: 5) })
  }

  @Test("of fine-tuning: memory grows with the batch, and what did not fit has no speed either")
  func finetuner() throws {
    let (speed, memory) = (
      PublishedTable.finetuner.sections[0], PublishedTable.finetuner.sections[1]
    )
    #expect(speed.rows.count == 16 && speed.rows.map(\.title) == memory.rows.map(\.title))
    for (fast, large) in zip(speed.rows, memory.rows) {
      let sizes = large.entries.prefix(4).map(\.published)
      for (speed, size) in zip(fast.entries, sizes) {
        #expect((speed.published == "out of memory") == (size == "out of memory"))
      }
      let known = try sizes.filter { $0 != "out of memory" }.map(number)
      #expect(zip(known, known.dropFirst()).allSatisfy { $0 < $1 }, "\(large.title)")
      #expect(known.count == (large.title == "ResNeXt-101-64x4d" ? 2 : 4))
    }
    #expect(
      PublishedTable.finetuner.cells.allSatisfy { $0.mode == "pipeline" && $0.head == "cut" })
  }

  @Test("of threads: every batch up to 1024 on 1 to 16 of them, without figures")
  func packrat() {
    let table = PublishedTable.packrat
    for section in table.sections {
      #expect(section.rows.map(\.title) == (0...10).map { "\(1 << $0)" })
      #expect(section.columns.count == 16)
      #expect(section.rows.flatMap(\.entries).allSatisfy { $0.published == nil })
    }
    #expect(table.cells.allSatisfy { $0.rules == PublishedRules(warmUps: 10, iterations: 100) })
    #expect(table.cells[17].batchSize == 2 && table.cells[17].threads == 2)
  }

  @Test("of training steps: each line of the page with its batch and iterations")
  func pytorchTools() throws {
    let rows = PublishedTable.pytorchTools.sections.flatMap(\.rows)
    #expect(rows.count == 26)
    let iterations = rows.compactMap { $0.entries[0].cells.first?.rules.iterations }
    #expect(
      iterations == [50, 50, 10, 10, 10, 10] + Array(repeating: 50, count: 4)
        + Array(repeating: 10, count: 16))
    let mixed = try #require(rows.first { $0.title.contains("AMP") })
    let (forward, backward) = (
      try number(mixed.entries[0].published), try number(mixed.entries[1].published)
    )
    // The page's only images per second follow from its times.
    let speed = try number(mixed.entries[3].published)
    #expect(abs(256 / (forward + backward) * 1000 - speed) < 0.02)
    #expect(mixed.title.hasSuffix("BS=256") && mixed.entries[0].cells[0].precision == "fp16")
  }

  @Test("know the rows of a run that measured them")
  func matching() throws {
    let rows = PublishedTable.pytorchTools.sections[1].rows
    let cells = rows.map { $0.entries[0].cells[0] }
    var row = BenchRow(status: .ok, model: "vgg16_bn", mode: "train")
    (row.execution, row.batchSize, row.norm) = ("compiled", 128, "bn")
    (row.checkpoint, row.order) = ("stages", "pre")
    #expect(cells.map { $0.matches(row) } == [false, false, false, true])
    row.norm = "abn"
    #expect(!cells.contains { $0.matches(row) })
    row.norm = nil  // what is not named is plain
    row.execution = "torch-eager"
    #expect(cells[3].with(execution: "torch-eager").matches(row))
    row.order = nil
    #expect(cells[1].with(execution: "torch-eager").matches(row))
    row.batchSize = 64
    #expect(!cells[1].with(execution: "torch-eager").matches(row))
  }
}
