import ApusPJRT
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

@Suite("Loading a plugin")
struct PluginTests {
  @Test("says what it is", .enabled(if: TestPlugin.isFound, TestPlugin.missing))
  func attributes() throws {
    let path = try TestPlugin.path.get()
    let plugin = try Plugin.load(path: path)
    #expect(plugin.apiVersion >= PluginVersion(0, 81))
    guard case .int64List(let version) = plugin.attributes["stablehlo_current_version"] else {
      Issue.record("\(plugin.attributes)")
      return
    }
    #expect(version.count == 3)
    #expect(plugin.stableHLOVersions.hasSuffix(version.map(String.init).joined(separator: ".")))
  }

  @Test("loads a file once, by whatever name", .enabled(if: TestPlugin.isFound, TestPlugin.missing))
  func once() throws {
    let path = try TestPlugin.path.get()
    let folder = try TemporaryFolder()
    let link = folder.path + "/link.so"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(try Plugin.load(path: link) === Plugin.load(path: path))
  }

  @Test("refuses what is no shared library")
  func noLibrary() throws {
    let folder = try TemporaryFolder()
    func message(_ name: String, _ content: Data) throws -> String {
      let path = folder.path + "/" + name
      try content.write(to: URL(fileURLWithPath: path))
      do {
        _ = try Plugin.load(path: path)
        return ""
      } catch { return "\(error)".replacing(folder.path, with: "F") }
    }
    let hint = "\n  hint: name the .so file of a plugin; if it is one, install it again"
    let must = ": a PJRT plugin must be a shared library, but "
    #expect(try message("a.so", Data()) == "F/a.so" + must + "it is no ELF file" + hint)
    let text = Data("not a plugin, but some text of at least sixty-four characters, or more".utf8)
    #expect(try message("b.so", text) == "F/b.so" + must + "it is no ELF file" + hint)
    var elf = Data([0x7F, 0x45, 0x4C, 0x46, 1, 1, 1]) + Data(count: 100)
    let kind = "it is an ELF file of another kind or machine"
    #expect(try message("c.so", elf) == "F/c.so" + must + kind + hint)
    elf[4] = 2
    #expect(try message("d.so", elf) == "F/d.so" + must + kind + hint)
    #expect(throws: PluginError.notALibrary(path: folder.path, reason: "it is no file")) {
      try Plugin.load(path: folder.path)
    }
    let nowhere = folder.path + "/nowhere.so"
    #expect(throws: PluginError.file(FileError(path: nowhere, operation: .open, code: ENOENT))) {
      try Plugin.load(path: nowhere)
    }
  }

  @Test("refuses a plugin that was not downloaded to its end", arguments: [0.3, 0.9, 0.999])
  func truncated(part: Double) throws {
    // Any large library will do; the loader would die of it.
    let library = try #require(
      ["/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib/x86_64-linux-gnu/libc.so.6"]
        .first { FileManager.default.fileExists(atPath: $0) })
    let content = try Data(contentsOf: URL(fileURLWithPath: library))
    let folder = try TemporaryFolder()
    let path = folder.path + "/cut.so"
    try content.prefix(Int(Double(content.count) * part)).write(to: URL(fileURLWithPath: path))
    #expect {
      try Plugin.load(path: path)
    } throws: { error in
      // Cut behind the last segment it is whole for the loader, but no plugin.
      let message = "\(error)"
      return message.contains("it is cut off") || part > 0.99 && message.contains("GetPjrtApi")
    }
  }

  @Suite("made up", .enabled(if: CCompiler.path != nil, CCompiler.missing))
  struct MadeUp {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func message(_ name: String, _ text: String) throws -> String {
      do {
        _ = try Plugin.load(path: FakePlugin.make(folder, name, text))
        return ""
      } catch let error as PluginError {
        return error.description.replacing(folder.path, with: "F")
      }
    }

    @Test("a library without the one function of a plugin is none")
    func noFunction() throws {
      let none = try message("none", "int other(void) { return 1; }")
      #expect(none == "F/none.so: is no PJRT plugin: it has no function GetPjrtApi")
      let null = try message("null", "void *GetPjrtApi(void) { return 0; }")
      #expect(null == "F/null.so: is no PJRT plugin: its GetPjrtApi returns nothing")
    }

    @Test("a table that is too short is refused")
    func shortTable() throws {
      let short = try message(
        "short",
        "void *GetPjrtApi(void) { prepare(130); table.head.struct_size = 24; return &table; }")
      #expect(short == "F/short.so: is no PJRT plugin: its table of 24 bytes holds no version")
      let cut = try message("cut", "void *GetPjrtApi(void) { prepare(20); return &table; }")
      #expect(cut == "F/cut.so: is no PJRT plugin: its table has no PJRT_Client_Compile")
      let hole = try message(
        "hole",
        "void *GetPjrtApi(void) { prepare(130); table.functions[22] = 0; return &table; }")
      #expect(
        hole == "F/hole.so: is no PJRT plugin: its table has no PJRT_Client_BufferFromHostBuffer")
    }

    @Test("an API too old or too new is refused with what is needed")
    func versions() throws {
      for (major, minor, remedy) in [
        (0, 40, "install a newer plugin"), (0, 80, "install a newer plugin"),
        (1, 0, "install a newer Apus or an older plugin"),
        (1, 90, "install a newer Apus or an older plugin"),
      ] {
        let got = try message(
          "v\(major)_\(minor)",
          """
          void *GetPjrtApi(void) {
            prepare(130);
            table.head.major_version = \(major);
            table.head.minor_version = \(minor);
            return &table;
          }
          """)
        #expect(
          got == """
            F/v\(major)_\(minor).so: its PJRT API must be 0.x from 0.81 on, got \(major).\(minor)
              hint: \(remedy)
            """)
      }
    }

    @Test("a library it needs is named")
    func missingLibrary() throws {
      let other = folder.path + "/libother.so"
      try CCompiler.compile("int other(void) { return 1; }", to: other, ["-shared", "-fPIC"])
      let path = folder.path + "/needs.so"
      try CCompiler.compile(
        "int other(void); void *GetPjrtApi(void) { other(); return 0; }", to: path,
        ["-shared", "-fPIC", "-L", folder.path, "-lother"])
      try FileManager.default.removeItem(atPath: other)
      #expect(throws: PluginError.missingLibrary(path: path, library: "libother.so")) {
        try Plugin.load(path: path)
      }
    }

    @Test("an error while it starts is told in its own words")
    func initialization() throws {
      let got = try message(
        "start",
        """
        static void *start(void *a) { code = 13; return fail("the moon is full"); }
        void *GetPjrtApi(void) {
          prepare(130);
          table.functions[PJRTPluginInitializeSlot] = start;
          return &table;
        }
        """)
      #expect(got == "F/start.so: PJRT_Plugin_Initialize failed: the moon is full")
    }

    @Test("arguments get the size that a plugin asks for")
    func sizes() throws {
      // It wants other sizes than any plugin: a larger block, and a smaller one.
      let path = try FakePlugin.make(
        folder, "sizes",
        """
        static char words[100];
        static void *sized(size_t *a, const char *name, size_t wanted) {
          if (*a == wanted) return 0;
          snprintf(words, 100, "Unexpected PJRT_%s_Args size: expected %zu, got %zu. Bla: 1, 2.",
            name, wanted, *a);
          return words;
        }
        static void *create(PJRTClientCreate *a) {
          a->client = (void *)64;
          return sized(&a->struct_size, "Client_Create", 120);
        }
        static void *name(PJRTClientPlatformName *a) {
          a->platform_name = "fake"; a->platform_name_size = 4;
          return sized(&a->struct_size, "Client_PlatformName", 32);
        }
        static void *version(PJRTClientPlatformVersion *a) {
          return sized(&a->struct_size, "Client_PlatformVersion", 257);
        }
        void *GetPjrtApi(void) {
          prepare(130);
          table.functions[PJRTClientCreateSlot] = create;
          table.functions[PJRTClientPlatformNameSlot] = name;
          table.functions[PJRTClientPlatformVersionSlot] = version;
          return &table;
        }
        """)
      let plugin = try Plugin.load(path: path)
      // The first two succeed; the third wants more room than there is.
      #expect {
        try Client(plugin)
      } throws: { error in
        "\(error)".contains("PJRT_Client_PlatformVersion failed: Unexpected")
          && "\(error)".contains("expected 257, got 40")
      }
    }

    @Test("a GPU plugin without a GPU says what to look at")
    func noDevice() throws {
      let path = try FakePlugin.make(
        folder, "gpu",
        """
        static void *create(void *a) { code = 9; return fail("No visible GPU devices."); }
        void *GetPjrtApi(void) {
          prepare(130);
          table.functions[PJRTClientCreateSlot] = create;
          return &table;
        }
        """)
      let plugin = try Plugin.load(path: path)
      #expect(throws: PluginError.noDevice(path: path, reason: "No visible GPU devices.")) {
        try Client(plugin)
      }
      let message = PluginError.noDevice(path: path, reason: "No visible GPU devices.").description
      #expect(message.contains("hint: see whether nvidia-smi lists a GPU"))
    }

    @Test("options that a plugin refuses are listed")
    func options() throws {
      let path = try FakePlugin.make(
        folder, "options",
        """
        static char words[200];
        static void *create(PJRTClientCreate *a) {
          strcpy(words, "Unexpected option:");
          for (size_t i = 0; i < a->num_options; i++) {
            const PJRTNamedValue *o = a->create_options + i;
            char text[40] = "";
            switch (o->type) {
            case 0: snprintf(text, 40, "%.*s", (int)o->value_size, o->string_value); break;
            case 1: snprintf(text, 40, "%ld", (long)o->int64_value); break;
            case 2: snprintf(text, 40, "%ld..%ld", (long)o->int64_array_value[0],
              (long)o->int64_array_value[o->value_size - 1]); break;
            case 3: snprintf(text, 40, "%.2f", o->float_value); break;
            case 4: snprintf(text, 40, o->bool_value ? "yes" : "no"); break;
            }
            snprintf(words + strlen(words), 60, " %.*s:%zu:%s", (int)o->name_size, o->name,
              o->struct_size, text);
          }
          return words;
        }
        void *GetPjrtApi(void) {
          prepare(130);
          table.functions[PJRTClientCreateSlot] = create;
          return &table;
        }
        """)
      let plugin = try Plugin.load(path: path)
      let options: [String: OptionValue] = [
        "allocator": .string("bfc"), "nodes": .int64(-3), "visible": .int64List([4, 5, 6]),
        "fraction": .float(0.25), "preallocate": .bool(true),
      ]
      #expect {
        try Client(plugin, options: options)
      } throws: { error in
        "\(error)" == """
          \(path): PJRT_Client_Create failed: Unexpected option: allocator:56:bfc \
          fraction:56:0.25 nodes:56:-3 preallocate:56:yes visible:56:4..6
            hint: the options given were allocator = bfc, fraction = 0.25, nodes = -3, \
          preallocate = true, visible = 4,5,6
          """
      }
    }

    @Test("a plugin for other devices is not taken")
    func platform() throws {
      let path = try FakePlugin.make(
        folder, "tpu",
        """
        static void *create(PJRTClientCreate *a) { a->client = (void *)64; return 0; }
        static void *name(PJRTClientPlatformName *a) {
          a->platform_name = "tpu"; a->platform_name_size = 3;
          return 0;
        }
        void *GetPjrtApi(void) {
          prepare(130);
          table.functions[PJRTClientCreateSlot] = create;
          table.functions[PJRTClientDestroySlot] = nothing;
          table.functions[PJRTClientPlatformNameSlot] = name;
          table.functions[PJRTClientPlatformVersionSlot] = nothing;
          table.functions[PJRTClientAddressableDevicesSlot] = nothing;
          return &table;
        }
        """)
      #expect(throws: PluginError.wrongPlatform(path: path, expected: "cuda", found: "tpu")) {
        try Device.open(DeviceName("xla:cuda"), plugin: path)
      }
      #expect(throws: PluginError.noSuchDevice(DeviceName(platform: "tpu"), count: 0)) {
        try Device.open(DeviceName("xla:tpu"), plugin: path)
      }
    }
  }
}
