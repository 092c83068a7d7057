import ApusPJRT
import ApusTestSupport
import Foundation
import Testing

@Suite("What would end the process")
struct TrialTests {
  @Test(
    "flags that a plugin does not know are refused and nothing dies",
    .enabled(if: TestPlugin.isFound, TestPlugin.missing))
  func flags() throws {
    // A plugin reads the flags once: this one must not have been used before, so it is a copy.
    let folder = try TemporaryFolder()
    let path = folder.path + "/copy.so"
    try FileManager.default.copyItem(atPath: TestPlugin.path.get(), toPath: path)
    let plugin = try Plugin.load(path: path)
    func message(_ flags: String) -> String? {
      do {
        try plugin.require(Trial(flags: flags))
        return nil
      } catch { return "\(error)" }
    }
    #expect(message("") == nil)
    #expect(message("--xla_cpu_enable_fast_math=false") == nil)
    let unknown = try #require(message("--xla_foo=1"))
    #expect(
      unknown == """
        XLA_FLAGS: \(plugin.path) would end the process: \
        Unknown flag in XLA_FLAGS: --xla_foo=1
          hint: correct or unset XLA_FLAGS
        """)
    let value = try #require(message("--xla_cpu_enable_fast_math=banana"))
    #expect(value.contains("Couldn't interpret value banana for flag xla_cpu_enable_fast_math"))
    let file = try #require(message("/no/such/file"))
    #expect(file.contains("Could not open file"))
    // None of this has touched the plugin in this process.
    _ = try Client(plugin).device().compile(.squareAndAdd(4))
  }

  @Test(
    "a plugin that dies or hangs does so in a child",
    .enabled(if: CCompiler.path != nil, CCompiler.missing))
  func death() throws {
    let folder = try TemporaryFolder()
    let path = try FakePlugin.make(
      folder, "deadly",
      """
      static void *create(void *a) {
        const char *flags = getenv("XLA_FLAGS");
        if (!strcmp(flags, "crash")) *(volatile int *)8 = 1;
        if (!strcmp(flags, "exit")) exit(0);
        if (!strcmp(flags, "abort")) {
          fprintf(stderr, "I0000 hello\\nE1121 00:00:00 1 a.cc:1] first\\nF0000 b.cc:2] second\\n");
          for (int i = 0; i < 100000; i++) fprintf(stderr, "usage\\n");
          abort();
        }
        return fail("it has no device");
      }
      void *GetPjrtApi(void) {
        prepare(130);
        table.functions[PJRTClientCreateSlot] = create;
        return &table;
      }
      """)
    let plugin = try Plugin.load(path: path)
    func deadly(_ reason: String) -> PluginError {
      .deadlyFlags(path: plugin.path, reason: reason)
    }
    #expect(throws: deadly("it died in silence")) { try plugin.require(Trial(flags: "crash")) }
    #expect(throws: deadly("it died in silence")) { try plugin.require(Trial(flags: "exit")) }
    #expect(throws: deadly("first; second")) { try plugin.require(Trial(flags: "abort")) }
    try plugin.require(Trial(flags: "fine"))
    try plugin.require(Trial(flags: nil))
  }

  @Test("errors are found among what a plugin says")
  func lastWords() {
    #expect(Trial.lastWords("") == "it died in silence")
    #expect(Trial.lastWords("Fine\nEverything\n") == "it died in silence")
    #expect(Trial.lastWords("F0000 1 2 a.cc:3] no [x] here\n") == "no [x] here")
  }
}
