import ApusBench
import ApusTestSupport
import Foundation
import Testing

/// The report's page in a browser without a window.
@Suite(
  "A report's page in a browser",
  .enabled(
    if: Browser.path != nil,
    "no browser: looked for APUS_TEST_BROWSER and for chromium and google-chrome on the PATH"))
struct ReportBrowserTests {
  /// What the page did, as the script within it found.
  private struct Findings: Decodable {
    let ascending, descending: [Double]
    let emptyLast: Bool
    let sorted: String
    let shown: [String]
    let count: String
    let tip, mark: String
    let tipHidden: Bool
    let page, text, drawing: [Double]
    let loaded: Int
    let errors: [String]
  }

  @Test("sorts, filters, tells of marks, loads nothing, without errors", arguments: [false, true])
  func works(isDark: Bool) async throws {
    let folder = try TemporaryFolder()
    let page = folder.path + "/report.html"
    try Self.page().write(toFile: page, atomically: false, encoding: .utf8)
    let (output, messages) = try await Browser.open(page, isDark: isDark)
    let text = try #require(
      output.firstMatch(of: /<pre id="findings">(.*?)<\/pre>/.dotMatchesNewlines()), "\(messages)")
    let json = text.output.1.replacing("&gt;", with: ">").replacing("&lt;", with: "<")
      .replacing("&amp;", with: "&")
    let found = try JSONDecoder().decode(Findings.self, from: Data(json.utf8))

    #expect(found.errors == [] && !messages.contains("CONSOLE"), "\(messages)")
    #expect(found.ascending.count == 14 && found.ascending == found.ascending.sorted())
    #expect(found.descending == found.ascending.reversed())
    #expect(found.emptyLast && found.sorted == "descending")
    #expect(found.shown == ["vgg16"] && found.count == "1 of 17 rows")
    #expect(found.tip == found.mark && found.mark.contains(" ms, ") && found.tipHidden)
    #expect(found.loaded == 0)
    // Words and drawings stand out from the page, which is as bright as was asked for.
    let brightness = [found.page, found.text, found.drawing].map { $0.prefix(3).reduce(0, +) / 3 }
    #expect(isDark ? brightness[0] < 60 : brightness[0] > 200)
    #expect(abs(brightness[0] - brightness[1]) > 120 && abs(brightness[0] - brightness[2]) > 120)
  }

  /// A report with a drawing as vl-convert makes it, and what tries it out.
  private static func page() throws -> String {
    let report = Report([SampleRuns.sweep])
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures")
    let drawing = try String(
      contentsOf: fixtures.appendingPathComponent("memory-over-batch.svg"), encoding: .utf8)
    let drawn = Dictionary(uniqueKeysWithValues: report.plots.map { ($0.name, drawing) })
    return report.html(.drawn(drawn, folder: nil))
      .replacing("<head>", with: "<head><script>\(watching)</script>")
      .replacing("</body>", with: "<script>\(trying)</script></body>")
  }

  private static let watching = """
    const errors = [];
    addEventListener("error", (event) => errors.push(event.message));
    for (const level of ["error", "warn"]) console[level] = (text) => errors.push(`${text}`);
    """

  private static let trying = """
    const found = { errors };
    const all = document.querySelector("#rows table");
    const heading = [...all.tHead.rows[0].cells].find((cell) => cell.textContent === "median (ms)");
    const texts = () => [...all.tBodies[0].rows].map((row) => row.cells[heading.cellIndex].textContent);
    const numbers = () => texts().filter((text) => text !== "").map((text) => Number(text.replaceAll(",", "")));
    heading.firstElementChild.click();
    found.ascending = numbers();
    heading.firstElementChild.click();
    found.descending = numbers();
    found.emptyLast = texts().slice(-3).every((text) => text === "");
    found.sorted = heading.getAttribute("aria-sort");
    const input = document.querySelector("#rows input");
    input.value = "VGG16  failed";
    input.dispatchEvent(new Event("input"));
    found.shown = [...all.tBodies[0].rows].filter((row) => row.offsetHeight > 0)
      .map((row) => row.cells[0].textContent);
    found.count = document.querySelector("#rows [role=status]").textContent;
    const note = document.getElementById("tip");
    const dot = document.querySelector('figure [aria-roledescription="point"]');
    const move = (target) => target.dispatchEvent(
      new PointerEvent("pointermove", { bubbles: true, clientX: 40, clientY: 40 }));
    move(dot);
    found.tip = note.offsetHeight > 0 ? note.textContent : "";
    found.mark = dot.getAttribute("aria-label");
    move(document.body);
    found.tipHidden = note.offsetHeight === 0;
    const color = (element, property) =>
      getComputedStyle(element)[property].match(/[0-9.]+/g).map(Number);
    found.page = color(document.body, "backgroundColor");
    found.text = color(document.body, "color");
    found.drawing = color(document.querySelector("figure svg text"), "fill");
    found.loaded = performance.getEntriesByType("resource").length;
    const result = document.createElement("pre");
    result.id = "findings";
    result.textContent = JSON.stringify(found);
    document.body.append(result);
    """
}

/// A browser of the Chromium family.
enum Browser {
  static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["APUS_TEST_BROWSER"], !named.isEmpty { return named }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return (environment["PATH"] ?? "").split(separator: ":").lazy
      .flatMap { folder in names.map { "\(folder)/\($0)" } }
      .first { access($0, X_OK) == 0 }
  }()

  /// The document of a file after its scripts ran, and what the browser said.
  static func open(
    _ file: String, isDark: Bool
  ) async throws -> (document: String, messages: String) {
    let home = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(path))
    process.arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--no-first-run", "--user-data-dir=\(home.path)", "--enable-logging=stderr",
      "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)", "--virtual-time-budget=5000",
      "--timeout=30000", "--dump-dom", "file://\(file)",
    ]
    // Files, not pipes: helpers of the browser may keep those open.
    let streams = ["out", "err"].map { "\(home.path)/\($0)" }
    for stream in streams { try Data().write(to: URL(fileURLWithPath: stream)) }
    process.standardOutput = FileHandle(forWritingAtPath: streams[0])
    process.standardError = FileHandle(forWritingAtPath: streams[1])
    try process.run()
    let start = ContinuousClock.now
    while process.isRunning {
      if .now - start > .seconds(60) { process.terminate() }
      try await Task.sleep(for: .milliseconds(50))
    }
    let texts = streams.map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }
    return (texts[0], texts[1])
  }
}
