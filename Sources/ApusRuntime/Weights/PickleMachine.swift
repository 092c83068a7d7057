/// Reads a pickle without executing anything: calls are recognised by name, not made.
///
/// Only the names of `PickleGlobal` have a meaning; an import or a call of any other throws
/// `refusedCall`. Stack, memo and heap are bounded, and every instruction takes constant time or
/// time proportional to the bytes it reads.
struct PickleMachine {
  private(set) var heap = PickleHeap()
  private(set) var storages: [TorchStorage] = []
  private(set) var tensors: [TorchTensor] = []

  private var reader: ByteReader
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [UInt32: PickleValue] = [:]
  private var foreign: PickleGlobal?

  private static let deepestStack = 1 << 21
  private static let longestPickle = 1 << 28

  /// In bytes; longer texts (somebody's log) are not kept.
  static let longestText = 1024

  /// Prepares to read one pickle that begins at `offset` and ends inside `count` bytes.
  init(_ file: MappedFile, at offset: Int, count: Int) throws(WeightsError.Reason) {
    reader = try ByteReader(
      file, at: offset, count: min(count, Self.longestPickle), part: "pickle")
  }

  /// Where the pickle ended.
  var end: Int { reader.offset }

  /// Runs to the end of the pickle and returns its value.
  mutating func run() throws(WeightsError.Reason) -> PickleValue {
    while true {
      let byte: UInt8 = try reader.integer()
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw invalid("instructions must be those of protocols 0 to 5", got: hex(byte))
      }
      if opcode == .stop { break }
      try execute(opcode)
      guard stack.count + marks.count <= Self.deepestStack else {
        throw invalid("the stack must have at most \(Self.deepestStack) values", got: "more")
      }
    }
    if let foreign { throw .refusedCall(foreign.name) }
    return try pop()
  }

  func invalid(_ rule: String, got: String) -> WeightsError.Reason {
    .invalid(part: reader.part, rule: rule, got: got)
  }

  private mutating func execute(_ opcode: PickleOpcode) throws(WeightsError.Reason) {
    switch opcode {
    case .stop: break
    case .proto: try checkProtocol()
    case .frame: _ = try reader.integer(UInt64.self)

    case .mark: marks.append(stack.count)
    case .pop: if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup: push(try top())
    case .put: memo[try memoKey(try number(try reader.line()))] = try top()
    case .binPut: memo[UInt32(try reader.integer(UInt8.self))] = try top()
    case .longBinPut: memo[try reader.integer()] = try top()
    case .memoize: memo[UInt32(memo.count)] = try top()
    case .get: push(try recall(try memoKey(try number(try reader.line()))))
    case .binGet: push(try recall(UInt32(try reader.integer(UInt8.self))))
    case .longBinGet: push(try recall(try reader.integer()))

    case .none: push(.none)
    case .newTrue: push(.bool(true))
    case .newFalse: push(.bool(false))
    case .int, .long: push(try decimal(try reader.line()))
    case .binInt: push(.integer(Int(try reader.integer(Int32.self))))
    case .binInt1: push(.integer(Int(try reader.integer(UInt8.self))))
    case .binInt2: push(.integer(Int(try reader.integer(UInt16.self))))
    case .long1: push(long(try reader.bytes(count: UInt64(try reader.integer(UInt8.self)))))
    case .long4: push(long(try reader.bytes(count: UInt64(try reader.integer(UInt32.self)))))
    case .float:
      _ = try reader.line()
      push(.opaque)
    case .binFloat:
      _ = try reader.bytes(8)
      push(.opaque)
    case .string: push(quoted(try reader.line()))
    case .unicode: push(text(try reader.line()))
    case .binString, .binUnicode:
      push(text(try reader.bytes(count: UInt64(try reader.integer(UInt32.self)))))
    case .shortBinString, .shortBinUnicode:
      push(text(try reader.bytes(count: UInt64(try reader.integer(UInt8.self)))))
    case .binUnicode8: push(text(try reader.bytes(count: try reader.integer())))
    case .shortBinBytes: try skip(UInt64(try reader.integer(UInt8.self)))
    case .binBytes: try skip(UInt64(try reader.integer(UInt32.self)))
    case .binBytes8, .byteArray8: try skip(try reader.integer())

    case .emptyTuple, .emptyList: push(try heap.sequence([]))
    case .tuple, .list: push(try heap.sequence(try popToMark()))
    case .tuple1: push(try heap.sequence(try pop(1)))
    case .tuple2: push(try heap.sequence(try pop(2)))
    case .tuple3: push(try heap.sequence(try pop(3)))
    case .append: try append(try pop(1))
    case .appends: try append(try popToMark())
    case .emptyDict: push(try heap.dictionary())
    case .dict: try makeDictionary()
    case .setItem: try set(try pop(2))
    case .setItems: try set(try popToMark())
    case .emptySet: push(.opaque)
    case .frozenSet:
      _ = try popToMark()
      push(.opaque)
    case .addItems: try append(try popToMark())

    case .global: push(try global(module: try name(), member: try name()))
    case .stackGlobal: try stackGlobal()
    case .reduce: try reduce(isObject: false)
    case .newObj: try reduce(isObject: true)
    case .newObjEx:
      _ = try pop()
      try reduce(isObject: true)
    case .inst: try inst()
    case .obj: try obj()
    case .build: try build()
    case .binPersistentID: push(try persistent(try pop()))
    case .persistentID: throw invalid("persistent ids must be tuples", got: "text")
    case .ext1, .ext2, .ext4: throw .refusedCall("a copyreg extension")
    case .nextBuffer, .readOnlyBuffer: throw invalid("buffers must be inside", got: "one outside")
    }
  }
}

// MARK: - Stack and memo

extension PickleMachine {
  private mutating func push(_ value: PickleValue) { stack.append(value) }

  private func top() throws(WeightsError.Reason) -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else { throw emptyStack }
    return value
  }

  private mutating func pop() throws(WeightsError.Reason) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws(WeightsError.Reason) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw emptyStack }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(WeightsError.Reason) -> [PickleValue] {
    guard let mark = marks.popLast() else {
      throw invalid("a mark must be on the stack", got: "none")
    }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private var emptyStack: WeightsError.Reason {
    invalid("instructions must find their operands", got: "an empty stack")
  }

  private func recall(_ key: UInt32) throws(WeightsError.Reason) -> PickleValue {
    guard let value = memo[key] else {
      throw invalid("only remembered values may be recalled", got: "number \(key)")
    }
    return value
  }

  private func memoKey(_ number: Int?) throws(WeightsError.Reason) -> UInt32 {
    guard let key = number.flatMap(UInt32.init(exactly:)) else {
      throw invalid("a memo number must be below 2^32", got: "another")
    }
    return key
  }
}

// MARK: - Constants and containers

extension PickleMachine {
  private mutating func checkProtocol() throws(WeightsError.Reason) {
    let version: UInt8 = try reader.integer()
    guard version <= 5 else { throw invalid("protocol must be at most 5", got: "\(version)") }
  }

  private mutating func skip(_ count: UInt64) throws(WeightsError.Reason) {
    _ = try reader.bytes(count: count)
    push(.opaque)
  }

  private func number(_ line: UnsafeRawBufferPointer) throws(WeightsError.Reason) -> Int? {
    line.count > 24 ? nil : Int(String(decoding: line, as: UTF8.self))
  }

  /// `I01` and `I00` are the booleans of protocol 0; an `L` ends a long integer.
  private func decimal(
    _ line: UnsafeRawBufferPointer
  ) throws(WeightsError.Reason) -> PickleValue {
    let digits = line.last == UInt8(ascii: "L") ? .init(rebasing: line.dropLast()) : line
    if line.elementsEqual("01".utf8) { return .bool(true) }
    if line.elementsEqual("00".utf8) { return .bool(false) }
    return try number(digits).map(PickleValue.integer) ?? .opaque
  }

  private func long(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
    guard bytes.count <= 8 else {
      return bytes.count <= 16 ? .bigInteger(Array(bytes)) : .opaque
    }
    var value = (bytes.last ?? 0) & 0x80 == 0 ? 0 : -1
    for byte in bytes.reversed() { value = value << 8 | Int(byte) }
    return .integer(value)
  }

  private func text(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
    // A bound, because a remembered text can be used again and again at three bytes each.
    guard bytes.count <= Self.longestText else { return .opaque }
    return String(validating: bytes, as: UTF8.self).map(PickleValue.text) ?? .opaque
  }

  private func quoted(_ line: UnsafeRawBufferPointer) -> PickleValue {
    let hasEscape = line.contains(UInt8(ascii: "\\"))
    return line.count < 2 || hasEscape ? .opaque : text(.init(rebasing: line[1..<line.count - 1]))
  }

  private mutating func name() throws(WeightsError.Reason) -> String {
    let line = try reader.line()
    guard line.count <= Self.longestText else {
      throw invalid("imported names must be short", got: "\(line.count) bytes")
    }
    return String(decoding: line, as: UTF8.self)
  }

  private mutating func append(_ values: [PickleValue]) throws(WeightsError.Reason) {
    switch try top() {
    case .sequence(let sequence): try heap.append(values, to: sequence)
    case .opaque: break
    case let other: throw invalid("values must be appended to a list", got: other.kind)
    }
  }

  private mutating func makeDictionary() throws(WeightsError.Reason) {
    let pairs = try popToMark()
    push(try heap.dictionary())
    try set(pairs)
  }

  private mutating func set(_ pairs: [PickleValue]) throws(WeightsError.Reason) {
    guard pairs.count % 2 == 0 else { throw invalid("keys must have values", got: "one without") }
    switch try top() {
    case .dictionary(let dictionary):
      for index in stride(from: 0, to: pairs.count, by: 2) {
        try heap.set(pairs[index], pairs[index + 1], in: dictionary)
      }
    case .opaque: break
    case let other: throw invalid("items must be set in a dict", got: other.kind)
    }
  }
}

// MARK: - What Python would import and call

extension PickleMachine {
  private mutating func global(
    module: String, member: String
  ) throws(WeightsError.Reason) -> PickleValue {
    let global = PickleGlobal(module: module, member: member)
    // Refused at its first use, which tells a call from an object, or at the end.
    if global.role == .foreign && foreign == nil { foreign = global }
    return .global(global)
  }

  private mutating func stackGlobal() throws(WeightsError.Reason) {
    let names = try pop(2)
    guard case .text(let module) = names[0], case .text(let member) = names[1] else {
      throw invalid("an import must name a module and a member", got: names[0].kind)
    }
    push(try global(module: module, member: member))
  }

  private mutating func reduce(isObject: Bool) throws(WeightsError.Reason) {
    let operands = try pop(2)
    guard case .global(let callee) = operands[0] else {
      throw invalid("only an imported name may be called", got: operands[0].kind)
    }
    guard case .sequence(let arguments) = operands[1] else {
      throw invalid("arguments must be a tuple", got: operands[1].kind)
    }
    push(try call(callee, heap.sequences[arguments], isObject: isObject))
  }

  private mutating func inst() throws(WeightsError.Reason) {
    let callee = PickleGlobal(module: try name(), member: try name())
    push(try call(callee, try popToMark(), isObject: true))
  }

  private mutating func obj() throws(WeightsError.Reason) {
    let operands = try popToMark()
    guard case .global(let callee)? = operands.first else {
      throw invalid("an object must have a class", got: operands.first?.kind ?? "nothing")
    }
    push(try call(callee, Array(operands.dropFirst()), isObject: true))
  }

  /// Attributes of dictionaries, tensors and inert objects do not matter.
  private mutating func build() throws(WeightsError.Reason) {
    _ = try pop()
    switch try top() {
    case .dictionary, .tensor, .opaque: break
    case .global(let global): throw .refusedCall(global.name)
    case let other: throw invalid("only an object may have state", got: other.kind)
    }
  }

  private mutating func call(
    _ callee: PickleGlobal, _ arguments: [PickleValue], isObject: Bool
  ) throws(WeightsError.Reason) -> PickleValue {
    switch callee.role {
    case .foreign where isObject && isWholeModule: throw .wholeModule(className: callee.name)
    case .foreign: throw .refusedCall(callee.name)
    case .storage, .element: throw .refusedCall(callee.name)
    case .inert: return .opaque
    case .dictionary: return try heap.dictionary()
    case .passThrough:
      if let value = arguments.first { return value }
      return try heap.sequence([])
    case .orderedDictionary: return try orderedDictionary(arguments)
    case .rebuildParameter:
      guard case .tensor? = arguments.first else {
        throw invalid("a parameter must have a tensor", got: arguments.first?.kind ?? "nothing")
      }
      return arguments[0]
    case .rebuildTensor, .rebuildTypedTensor:
      let isTyped = callee.role == .rebuildTypedTensor
      tensors.append(try TorchTensor(arguments, isTyped: isTyped, machine: self))
      return .tensor(tensors.count - 1)
    }
  }

  /// Every module object has a dictionary with this key, and a state dict has no use for it.
  private var isWholeModule: Bool {
    let bytes = UnsafeRawBufferPointer(
      rebasing: reader.file.storage.bytes[reader.offset..<reader.end])
    return bytes.firstRange(of: Array("_modules".utf8)) != nil
  }

  private mutating func orderedDictionary(
    _ arguments: [PickleValue]
  ) throws(WeightsError.Reason) -> PickleValue {
    let result = try heap.dictionary()
    guard case .dictionary(let dictionary) = result, let first = arguments.first else {
      return result
    }
    guard case .sequence(let items) = first else {
      throw invalid("an OrderedDict must be made of a list", got: first.kind)
    }
    for item in heap.sequences[items] {
      guard case .sequence(let index) = item, heap.sequences[index].count == 2 else {
        throw invalid("an OrderedDict must be made of pairs", got: item.kind)
      }
      try heap.set(heap.sequences[index][0], heap.sequences[index][1], in: dictionary)
    }
    return result
  }

  private mutating func persistent(
    _ id: PickleValue
  ) throws(WeightsError.Reason) -> PickleValue {
    guard case .sequence(let index) = id else {
      throw invalid("persistent ids must be tuples", got: id.kind)
    }
    let parts = heap.sequences[index]
    if case .text("module")? = parts.first, parts.count > 1, case .global(let global) = parts[1] {
      throw .wholeModule(className: global.name)
    }
    storages.append(try TorchStorage(parts, machine: self))
    return .storage(storages.count - 1)
  }
}
