/// What Python would import and call.
extension PickleMachine {
  mutating func global(
    module: String, member: String
  ) throws(WeightsError.Reason) -> PickleValue {
    let global = PickleGlobal(module: module, member: member)
    // Refused at its first use, which tells a call from an object, or at the end.
    if global.role == .foreign && foreign == nil { foreign = global }
    return .global(global)
  }

  mutating func stackGlobal() throws(WeightsError.Reason) {
    let names = try pop(2)
    guard case .text(let module) = names[0], case .text(let member) = names[1] else {
      throw invalid("an import must name a module and a member", got: names[0].kind)
    }
    push(try global(module: module, member: member))
  }

  mutating func reduce(isObject: Bool) throws(WeightsError.Reason) {
    let operands = try pop(2)
    guard case .global(let callee) = operands[0] else {
      throw invalid("only an imported name may be called", got: operands[0].kind)
    }
    guard case .sequence(let arguments) = operands[1] else {
      throw invalid("arguments must be a tuple", got: operands[1].kind)
    }
    push(try call(callee, heap.sequences[arguments], isObject: isObject))
  }

  mutating func inst() throws(WeightsError.Reason) {
    let callee = PickleGlobal(module: try name(), member: try name())
    push(try call(callee, try popToMark(), isObject: true))
  }

  mutating func obj() throws(WeightsError.Reason) {
    let operands = try popToMark()
    guard case .global(let callee)? = operands.first else {
      throw invalid("an object must have a class", got: operands.first?.kind ?? "nothing")
    }
    push(try call(callee, Array(operands.dropFirst()), isObject: true))
  }

  /// Attributes of dictionaries, tensors and inert objects do not matter.
  mutating func build() throws(WeightsError.Reason) {
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

  mutating func persistent(
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
