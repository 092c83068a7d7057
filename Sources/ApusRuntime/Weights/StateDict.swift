import ApusIR

/// The names and tensors that a training script saved, bare or wrapped with other things.
struct StateDict {
  private let machine: PickleMachine
  private let entries: [(name: String, tensor: TorchTensor)]

  /// Keys under which training scripts put the only state dict of a checkpoint.
  private static let wrappers = ["model", "model_state", "model_state_dict", "module"]

  /// Finds the state dict in an unpickled value; entries that are no tensors are ignored.
  init(_ root: PickleValue, in machine: PickleMachine) throws(WeightsError.Reason) {
    self.machine = machine
    guard case .dictionary(let index) = root else { throw .noStateDict(found: root.kind) }
    let bare = try Self.tensors(of: root, in: machine)
    if !bare.isEmpty || machine.heap.dictionaries[index].isEmpty {
      entries = bare
      return
    }
    var candidates: [(key: String, tensors: [(name: String, tensor: TorchTensor)])] = []
    let members = Self.members(of: index, in: machine)
    if let value = members["state_dict"] {
      let tensors = try Self.tensors(of: value, in: machine)
      if !tensors.isEmpty {
        entries = tensors
        return
      }
    }
    let keys = members.keys.sorted()
    var seen: Set<Int> = []
    for key in keys {
      // A dictionary that is there twice is read once.
      guard case .dictionary(let index)? = members[key], seen.insert(index).inserted else {
        continue
      }
      let tensors = try Self.tensors(of: .dictionary(index), in: machine)
      if !tensors.isEmpty { candidates.append((key, tensors)) }
    }
    if candidates.count == 1, Self.wrappers.contains(candidates[0].key) {
      entries = candidates[0].tensors
    } else if candidates.isEmpty {
      let list = keys.prefix(10).joined(separator: ", ")
      throw .noStateDict(found: "a dict of other things (\(list))")
    } else {
      throw .severalStateDicts(candidates.map(\.key))
    }
  }

  /// The tensors with their places in the file; `module.` is removed where all names have it.
  func tensors(_ offsets: [String: Int]) throws(WeightsError.Reason) -> [StoredTensor] {
    let prefix = "module."
    let isParallel = entries.allSatisfy { $0.name.hasPrefix(prefix) && $0.name != prefix }
    var result: [StoredTensor] = []
    for (name, tensor) in entries {
      guard let offset = offsets[tensor.storage.key] else {
        throw .invalid(part: name, rule: "must have a storage in the file", got: "none")
      }
      let storageSize = tensor.storage.count * tensor.storage.element.sizeInBits / 8
      result.append(
        StoredTensor(
          name: isParallel ? String(name.dropFirst(prefix.count)) : name, element: tensor.element,
          shape: tensor.shape, strides: tensor.strides,
          offsetInBytes: offset + tensor.offsetInBytes, sizeInBytes: tensor.sizeInBytes,
          storageSizeInBytes: storageSize))
    }
    return result
  }

  /// The tensors a dictionary holds directly, in its order.
  private static func tensors(
    of value: PickleValue, in machine: PickleMachine
  ) throws(WeightsError.Reason) -> [(name: String, tensor: TorchTensor)] {
    guard case .dictionary(let index) = value else { return [] }
    var positions: [String: Int] = [:]
    var result: [(name: String, tensor: TorchTensor)] = []
    for (key, value) in machine.heap.dictionaries[index] {
      guard case .tensor(let number) = value else { continue }
      guard case .text(let name) = key else {
        if case .integer = key { continue }
        throw machine.invalid(
          "names must be texts of at most \(PickleMachine.longestText) bytes", got: key.kind)
      }
      let tensor = machine.tensors[number]
      if let position = positions.updateValue(result.count, forKey: name) {
        positions[name] = position
        result[position].tensor = tensor
      } else {
        result.append((name, tensor))
      }
    }
    return result
  }

  private static func members(
    of dictionary: Int, in machine: PickleMachine
  ) -> [String: PickleValue] {
    var members: [String: PickleValue] = [:]
    for (key, value) in machine.heap.dictionaries[dictionary] {
      if case .text(let name) = key { members[name] = value }
    }
    return members
  }
}
