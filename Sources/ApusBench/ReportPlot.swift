/// A plot of a report: a name for its files and what is drawn.
public struct ReportPlot: Hashable, Sendable {
  /// Of letters, digits, "-", "_": `resnet50-infer-latency-over-batch`.
  public let name: String
  public let title: String
  /// A specification of Vega-Lite.
  public let spec: JSONValue

  init(_ name: String, _ chart: VegaLite) {
    self.name = String(
      name.unicodeScalars.map { scalar -> Character in
        let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar == "_")
        return isPlain || ("0"..."9").contains(scalar) ? Character(scalar) : "-"
      })
    title = chart.title
    spec = chart.spec
  }

  /// The plots of one subject, as far as its points make lines.
  static func plots(of subject: ReportSubject) -> [ReportPlot] {
    SubjectPlots(subject).plots
  }

  /// Speed against memory of ours over all subjects; none where there is one only, whose own plot
  /// tells it.
  static func overview(of subjects: [ReportSubject]) -> [ReportPlot] {
    guard subjects.count > 1 else { return [] }
    let values = subjects.flatMap { subject in
      SubjectPlots(subject).widest
        .filter { $0.point.series == subject.reference && $0.memory != nil && $0.throughput != nil }
        .map { value in (subject: subject.title, value: value) }
    }
    guard values.count > 1 else { return [] }
    var chart = VegaLite(
      title: "Speed against memory, by batch",
      values: values.map { subject, value in
        value.json(text: "\(subject), \(value.text)", [.init("subject", .string(subject))])
      },
      x: .init("memory", "process memory (MiB)", .logarithmic),
      y: .init("throughput", "images/s", .logarithmic),
      color: .init(field: "subject", title: "network", values: subjects.map(\.title)))
    chart.mark = .points
    chart.extras = [.labels("label")]
    return [ReportPlot("speed-against-memory", chart)]
  }
}
