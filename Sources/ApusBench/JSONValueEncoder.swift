/// Turns an `Encodable` into a `JSONValue` whose members stand in the order they were encoded,
/// which `JSONEncoder` does not keep.
enum JSONValueEncoder {
  static func encode(_ value: some Encodable) throws(EncodingError) -> JSONValue {
    let node = Node()
    do {
      try value.encode(to: NodeEncoder(node: node, codingPath: []))
    } catch let error as EncodingError {
      throw error
    } catch {
      throw .invalidValue(
        value,
        .init(codingPath: [], debugDescription: "cannot be encoded", underlyingError: error))
    }
    return node.value
  }
}

/// A place in the tree that containers fill in while it grows.
private final class Node {
  private enum Content {
    case leaf(JSONValue)
    case array([Node])
    case object([(name: String, node: Node)])
  }

  private var content = Content.leaf(.object([]))

  var value: JSONValue {
    switch content {
    case .leaf(let value): value
    case .array(let nodes): .array(nodes.map(\.value))
    case .object(let members): .object(members.map { .init($0.name, $0.node.value) })
    }
  }

  var count: Int {
    if case .array(let nodes) = content { nodes.count } else { 0 }
  }

  func set(_ value: JSONValue) { content = .leaf(value) }

  func becomeArray() {
    if case .array = content { return }
    content = .array([])
  }

  func becomeObject() {
    if case .object = content { return }
    content = .object([])
  }

  func append() -> Node {
    let node = Node()
    if case .array(let nodes) = content { content = .array(nodes + [node]) }
    return node
  }

  func member(_ name: String) -> Node {
    let node = Node()
    if case .object(var members) = content {
      members.removeAll { $0.name == name }
      content = .object(members + [(name, node)])
    }
    return node
  }

  /// Writes leaves directly, since their own `encode(to:)` would come back here.
  func encode(_ value: some Encodable, _ codingPath: [any CodingKey]) throws {
    switch value {
    case let value as Bool: set(.bool(value))
    case let value as String: set(.string(value))
    case let value as Double: set(.number(value))
    case let value as Float: set(value.isFinite ? .number(Double(value.description) ?? 0) : .null)
    case let value as any (BinaryInteger & Encodable): try setInteger(value, codingPath)
    default: try value.encode(to: NodeEncoder(node: self, codingPath: codingPath))
    }
  }

  private func setInteger(
    _ value: any (BinaryInteger & Encodable), _ codingPath: [any CodingKey]
  ) throws {
    if let signed = Int64(exactly: value) {
      set(.integer(signed))
    } else if let unsigned = UInt64(exactly: value) {
      set(.unsigned(unsigned))
    } else {
      throw EncodingError.invalidValue(
        value, .init(codingPath: codingPath, debugDescription: "the integer exceeds 64 bits"))
    }
  }
}

private struct NodeEncoder: Encoder {
  let node: Node
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.becomeObject()
    return KeyedEncodingContainer(ObjectContainer(node: node, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.becomeArray()
    return ArrayContainer(node: node, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    LeafContainer(node: node, codingPath: codingPath)
  }
}

private struct ObjectContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: Node
  let codingPath: [any CodingKey]

  func encodeNil(forKey key: Key) { node.member(key.stringValue).set(.null) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try node.member(key.stringValue).encode(value, codingPath + [key])
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    encoder(key).container(keyedBy: keyType)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    encoder(key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder {
    NodeEncoder(node: node.member("super"), codingPath: codingPath)
  }

  func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }

  private func encoder(_ key: Key) -> NodeEncoder {
    NodeEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key])
  }
}

private struct ArrayContainer: UnkeyedEncodingContainer {
  let node: Node
  let codingPath: [any CodingKey]
  var count: Int { node.count }

  func encodeNil() { node.append().set(.null) }

  func encode<T: Encodable>(_ value: T) throws {
    try node.append().encode(value, codingPath)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type
  ) -> KeyedEncodingContainer<NestedKey> {
    NodeEncoder(node: node.append(), codingPath: codingPath).container(keyedBy: keyType)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    NodeEncoder(node: node.append(), codingPath: codingPath).unkeyedContainer()
  }

  func superEncoder() -> any Encoder { NodeEncoder(node: node.append(), codingPath: codingPath) }
}

private struct LeafContainer: SingleValueEncodingContainer {
  let node: Node
  let codingPath: [any CodingKey]

  func encodeNil() { node.set(.null) }

  func encode<T: Encodable>(_ value: T) throws { try node.encode(value, codingPath) }
}
