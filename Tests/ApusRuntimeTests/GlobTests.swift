import ApusRuntime
import Testing

@Suite struct GlobTests {
  @Test(
    "A star stands for any run, a question mark for one character",
    arguments: [
      ("fc.*", "fc.weight", true), ("fc.*", "fc.", true), ("fc.*", "fc.a.b", true),
      ("fc.*", "model.fc.weight", false), ("fc.*", "Fc.weight", false), ("fc.*", "fc", false),
      ("*", "", true), ("", "", true), ("", "a", false), ("?", "", false), ("?", "é", true),
      ("*.bias", "layer1.0.bias", true), ("*.bias", "layer1.0.bias2", false),
      ("layer?.*.bn?.*", "layer1.0.bn2.weight", true), ("a*b*c", "aXbXbXc", true),
      ("a*b*c", "aXbXbX", false), ("**a**", "bab", true), ("[a]", "a", false),
      ("a.c", "abc", false),
    ])
  func matching(pattern: String, name: String, expected: Bool) {
    #expect(Glob(pattern).matches(name) == expected)
  }

  @Test(
    "The distance to a name is the number of characters to change, 0 where it matches",
    arguments: [
      ("fc.*", "fc.weight", 0), ("fc.*", "fx.weight", 1), ("fc.bais", "fc.bias", 2),
      ("layer2.*.weight", "layer1.0.weight", 1), ("", "abc", 3), ("abc", "", 3), ("*", "", 0),
      ("a?c", "abc", 0), ("a?c", "ac", 1), ("x*y", "y", 1), ("kitten", "sitting", 3),
      ("*kitten*", "a sitting b", 2),
    ])
  func distance(pattern: String, name: String, expected: Int) {
    #expect(Glob(pattern).distance(to: name) == expected)
    #expect((expected == 0) == Glob(pattern).matches(name))
  }

  @Test("Many stars do not make matching slow")
  func hardPattern() {
    let pattern = String(repeating: "a*", count: 200) + "b"
    let clock = ContinuousClock()
    let time = clock.measure {
      #expect(!Glob(pattern).matches(String(repeating: "a", count: 5000)))
    }
    #expect(time < .seconds(2))
  }
}
