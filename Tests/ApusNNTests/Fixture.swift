import Foundation

/// What `Fixtures/make.py` wrote.
enum Fixture {
  static func read<Content: Decodable>(_ name: String, as: Content.Type) throws -> Content {
    let file = Bundle.module.bundleURL.appending(path: "Fixtures/" + name)
    return try JSONDecoder().decode(Content.self, from: Data(contentsOf: file))
  }
}
