/// A chart as a specification of Vega-Lite 5, the grammar of Satyanarayan et al. 2017
/// ("Vega-Lite: A Grammar of Interactive Graphics", IEEE TVCG 23).
struct VegaLite {
  /// An axis: a field of the values, its title, and how its numbers lie.
  struct Axis {
    enum Scale {
      /// From zero on.
      case linear
      /// Powers of two where the marks are `values`.
      case doubling(values: [Int])
      /// Whole numbers, marked at `values`.
      case counting(values: [Int])
      case logarithmic
    }

    let field: String
    let title: String
    let scale: Scale

    init(_ field: String, _ title: String, _ scale: Scale = .linear) {
      self.field = field
      self.title = title
      self.scale = scale
    }
  }

  /// A field whose values have colours or charts of their own, in that order.
  struct Names {
    let field: String
    let title: String
    let values: [String]
  }

  /// What the lines are drawn beside.
  enum Extra {
    /// A band from one field to another.
    case band(from: String, to: String)
    /// A broken line along another field of the same points.
    case dashed(String)
    /// A broken line at the height of the x-axis's values: twice the threads, twice the speed.
    case ideal([Int])
    /// A broken line at a height.
    case level(Double)
    /// A word beside each point.
    case labels(String)
  }

  enum Mark {
    case lines, points, bars
  }

  var title: String
  /// Each an object; `text` is what a mark says of itself.
  var values: [JSONValue]
  var x: Axis
  var y: Axis
  var color: Names
  /// A chart of its own for each of these.
  var facet: Names?
  /// Whether each of those charts reaches as high as its own values.
  var hasOwnHeights = false
  var mark = Mark.lines
  var extras: [Extra] = []

  /// Distinct on white and on black.
  static let colors: [JSONValue] = [
    "#3a86e0", "#e07b2f", "#2fa06c", "#c255a8", "#c9a21f", "#d24b4b", "#17a2b8", "#8a6fdf",
    "#7f8a96", "#7ba428", "#d1709a", "#a9794c",
  ]

  /// The specification.
  var spec: JSONValue {
    var members: [JSONValue.Member] = [
      .init("$schema", "https://vega.github.io/schema/vega-lite/v5.json"),
      .init("title", .string(title)), .init("background", "white"),
      .init("data", ["values": .array(values)]),
    ]
    let chart: [JSONValue.Member] = [
      .init("width", facet == nil ? 520 : 260), .init("height", facet == nil ? 320 : 180),
      .init("layer", .array(layers)),
    ]
    if let facet {
      members += [
        .init(
          "facet",
          [
            "field": .string(facet.field), "type": "nominal", "title": .string(facet.title),
            "sort": .array(facet.values.map { .string($0) }),
          ]),
        .init("columns", 3), .init("spec", .object(chart)),
        .init(
          "resolve",
          [
            "axis": ["x": "independent"],
            "scale": ["y": hasOwnHeights ? "independent" : "shared"],
          ]),
      ]
    } else {
      members += chart
    }
    return .object(
      members + [.init("config", ["view": ["stroke": .null], "font": "sans-serif"])])
  }

  private var layers: [JSONValue] {
    let marks: [JSONValue] =
      switch mark {
      case .lines: [layer(["type": "line", "strokeWidth": 2]), points]
      case .points: [points]
      case .bars: [layer(["type": "bar"], described: true)]
      }
    return extras.filter(\.isBehind).map(layer) + marks + extras.filter { !$0.isBehind }.map(layer)
  }

  private var points: JSONValue {
    layer(["type": "point", "filled": true, "size": 60, "opacity": 1], described: true)
  }

  private func layer(
    _ mark: JSONValue, described: Bool = false, _ more: [JSONValue.Member] = []
  ) -> JSONValue {
    var encoding: [JSONValue.Member] = [
      .init("x", xEncoding), .init("y", yEncoding), .init("color", colorEncoding),
    ]
    if described {
      encoding.append(.init("description", ["field": "text", "type": "nominal"]))
      encoding.append(.init("tooltip", ["field": "text", "type": "nominal"]))
    }
    encoding.removeAll { old in more.contains { $0.name == old.name } }
    return ["mark": mark, "encoding": .object(encoding + more)]
  }

  private func layer(_ extra: Extra) -> JSONValue {
    let dash: JSONValue = ["type": "line", "strokeDash": [5, 4], "opacity": 0.8]
    switch extra {
    case .band(let from, let to):
      return layer(
        ["type": "area", "opacity": 0.18],
        [.init("y", quantity(from, y.title)), .init("y2", ["field": .string(to)])])
    case .dashed(let field): return layer(dash, [.init("y", quantity(field, y.title))])
    case .level(let height):
      return [
        "mark": ["type": "rule", "strokeDash": [5, 4], "color": "#7f8a96"],
        "encoding": ["y": ["datum": .number(height), "type": "quantitative"]],
      ]
    case .labels(let field):
      return layer(
        ["type": "text", "dx": 7, "align": "left", "fontSize": 9],
        [.init("text", ["field": .string(field), "type": "nominal"])])
    case .ideal(let places):
      let line = places.map { JSONValue.object([.init("at", .integer(Int64($0)))]) }
      return [
        "data": ["values": .array(line)],
        "mark": ["type": "line", "strokeDash": [5, 4], "color": "#7f8a96"],
        "encoding": ["x": quantity("at", x.title), "y": quantity("at", y.title)],
      ]
    }
  }

  private func quantity(_ field: String, _ title: String) -> JSONValue {
    ["field": .string(field), "type": "quantitative", "title": .string(title)]
  }

  private var xEncoding: JSONValue {
    mark == .bars
      ? [
        "field": .string(x.field), "type": "nominal", "title": .string(x.title), "sort": .null,
        "axis": ["labelAngle": -30],
      ] : encoding(x)
  }

  private var yEncoding: JSONValue { encoding(y) }

  private func encoding(_ axis: Axis) -> JSONValue {
    guard case .object(let quantity) = quantity(axis.field, axis.title) else { return .null }
    func marked(_ values: [Int], _ scale: JSONValue) -> JSONValue {
      .object(
        quantity + [
          .init("scale", scale),
          .init(
            "axis", ["values": .array(values.map { .integer(Int64($0)) }), "format": "d"]),
        ])
    }
    switch axis.scale {
    case .linear: return .object(quantity + [.init("scale", ["zero": true])])
    case .doubling(let values): return marked(values, ["type": "log", "base": 2, "nice": false])
    case .counting(let values): return marked(values, ["zero": false, "nice": false])
    case .logarithmic:
      return .object(quantity + [.init("scale", ["type": "log", "nice": false, "padding": 12])])
    }
  }

  private var colorEncoding: JSONValue {
    let range = color.values.indices.map { Self.colors[$0 % Self.colors.count] }
    return [
      "field": .string(color.field), "type": "nominal", "title": .string(color.title),
      "scale": [
        "domain": .array(color.values.map { .string($0) }), "range": .array(range),
      ],
      "legend": ["labelLimit": 320, "symbolOpacity": 1, "symbolType": "circle"],
    ]
  }
}

extension VegaLite.Extra {
  /// Whether the lines are drawn over it.
  fileprivate var isBehind: Bool {
    switch self {
    case .band, .dashed, .ideal, .level: true
    case .labels: false
    }
  }
}
