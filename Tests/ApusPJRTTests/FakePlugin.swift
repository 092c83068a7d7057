import ApusTestSupport
import Foundation
import Testing

/// Plugins made up for one test each.
enum FakePlugin {
  /// The beginning of a plugin: an error is a string, and functions are put into a table.
  private static let prelude = """
    #include <CPJRT.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>

    static void *fail(const char *words) { return (void *)words; }
    static void *error_message(PJRTErrorMessage *a) {
      a->message = (const char *)a->error;
      a->message_size = strlen(a->message);
      return 0;
    }
    static uint32_t code = 3;
    static void *error_code(PJRTErrorGetCode *a) { a->code = code; return 0; }
    static void *nothing(void *a) { return 0; }
    static void *unused(void *a) { return fail("not part of this plugin"); }
    static struct { PJRTTable head; void *functions[140]; } table;
    static void prepare(int functions) {
      table.head = (PJRTTable){40 + 8 * functions, 0, 24, 0, 0, 81};
      for (int i = 0; i < 140; i++) table.functions[i] = unused;
      table.functions[PJRTErrorDestroySlot] = nothing;
      table.functions[PJRTErrorMessageSlot] = error_message;
      table.functions[PJRTErrorGetCodeSlot] = error_code;
      table.functions[PJRTPluginInitializeSlot] = nothing;
      table.functions[PJRTPluginAttributesSlot] = nothing;
    }
    """

  /// Compiles a plugin of these functions.
  static func make(_ folder: TemporaryFolder, _ name: String, _ text: String) throws -> String {
    let path = "\(folder.path)/\(name).so"
    try CCompiler.compile(
      prelude + "\n" + text, to: path, ["-w", "-shared", "-fPIC", "-O1"])
    return path
  }
}
