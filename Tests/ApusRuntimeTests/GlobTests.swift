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
