/// The networks a command line knows, by name.
public struct Catalogue: Sendable {
  public let models: [Model]

  public init(_ models: [Model]) { self.models = models }

  /// The networks that come with Apus.
  public static let zoo = Catalogue(
    [
      ResNet.models,
      AlexNet.models,
      VGG.models,
      SqueezeNet.models,
      GoogLeNet.models,
      InceptionV3.models,
      DenseNet.models,
      MobileNetV2.models,
      MobileNetV3.models,
      EfficientNet.models,
      CaffeNet.models,
      NIN.models,
      InceptionBN.models,
      InceptionV3MX.models,
      GalleryResNet.models,
      Digits.models,
    ].flatMap { $0 })

  /// The network of that name.
  public subscript(name: String) -> Model? { models.first { $0.name == name } }

  /// The known name that is most like a misspelt one, if any is near.
  public func nearest(to name: String) -> String? {
    let near = models.map { ($0.name, editDistance($0.name.lowercased(), name.lowercased())) }
      .min { $0.1 < $1.1 }
    guard let (nearest, distance) = near, distance <= max(2, nearest.count / 3) else { return nil }
    return nearest
  }
}

/// The number of letters to insert, delete or exchange (Wagner and Fischer 1974).
private func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in b.enumerated() {
      let exchanged = diagonal + (letter == other ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(exchanged, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
