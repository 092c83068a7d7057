import ApusBench
import Testing

@Suite("A table")
struct TableTests {
  private var table: Table {
    var table = Table([.words("model"), .numbers("median", unit: "ms"), .numbers("params")])
    table.add(["resnet18", .number(12.3456), .count(11_689_512)])
    table.add(["a,\"b\" | *c*", .number(1234.5), .count(nil)])
    table.add(["x"])
    return table
  }

  @Test("in plain text aligns words left and numbers right, with units in the heading")
  func plain() {
    #expect(
      table.plain() == """
        model        median (ms)      params
        -----------  -----------  ----------
        resnet18           12.35  11,689,512
        a,"b" | *c*        1,234
        x

        """)
  }

  @Test("in Markdown escapes what would be markup")
  func markdown() {
    #expect(
      table.markdown() == #"""
        | model          | median (ms) |     params |
        | -------------- | ----------: | ---------: |
        | resnet18       |       12.35 | 11,689,512 |
        | a,"b" \| \*c\* |       1,234 |            |
        | x              |             |            |

        """#)
  }

  @Test("in CSV quotes what needs it and keeps exact numbers")
  func csv() {
    #expect(
      table.csv() == "model,median_ms,params\r\nresnet18,12.3456,11689512\r\n"
        + "\"a,\"\"b\"\" | *c*\",1234.5,\r\nx,,\r\n")
    var lone = Table([.words("first line\nsecond", key: "a\nb")])
    lone.add([""])
    lone.add(["\r"])
    #expect(lone.csv() == "\"a\nb\"\r\n\"\"\r\n\"\r\"\r\n")
  }

  @Test("without rows is a heading")
  func noRows() {
    let empty = Table([.words("name"), .numbers("time", unit: "s")])
    #expect(empty.plain() == "name  time (s)\n----  --------\n")
    #expect(empty.csv() == "name,time_s\r\n")
    #expect(Table([]).plain() == "\n\n")
  }

  @Test("lets no cell break a line or move a terminal's cursor, and drops cells too many")
  func controlCharacters() {
    var table = Table([.words("file")])
    table.add(["a\n\u{1B}[2Jb\r\n\u{7F}\u{2028}c\t", "too many"])
    table.add([.mebibytes(3 << 20)])
    #expect(table.plain() == "file\n------------\na  [2Jb   c\n3.0\n")
    #expect(!table.markdown().contains("\u{1B}"))
    #expect(table.rows.allSatisfy { $0.count == 1 })
    #expect(table.csv().hasSuffix("3145728\r\n"))
  }

  @Test("writes numbers that are not finite as n/a, and as nothing in CSV")
  func notFinite() {
    var table = Table([.numbers("x"), .words("y")])
    table.add([.number(.nan), "z"])
    #expect(table.plain() == "  x  y\n---  -\nn/a  z\n")
    #expect(table.csv() == "x,y\r\n,z\r\n")
  }
}
