import ApusIR

/// A storage as a PyTorch pickle refers to it.
struct TorchStorage {
  let key: String
  let element: ElementType
  /// Of the whole storage, in elements.
  let count: Int
  /// The part that is a view of it, in elements; the whole where there is none.
  let view: Range<Int>

  /// Reads `("storage", type, key, location, count[, view])`.
  init(_ parts: [PickleValue], machine: PickleMachine) throws(WeightsError.Reason) {
    guard parts.count >= 5, case .text("storage") = parts[0], case .global(let global) = parts[1],
      case .text(let key) = parts[2], case .integer(let count) = parts[4]
    else {
      throw machine.invalid(
        "a storage must have a type, a key and a size", got: parts.first?.kind ?? "nothing")
    }
    guard case .storage(let element) = global.role else { throw .refusedCall(global.name) }
    guard count >= 0, element.sizeInBytes(of: count) != nil else {
      throw machine.invalid("a storage's size must be possible", got: "\(count) elements")
    }
    self.key = key
    self.element = element
    self.count = count
    guard parts.count > 5, case .sequence(let index) = parts[5] else {
      view = 0..<count
      return
    }
    let numbers = machine.heap.sequences[index]
    guard numbers.count == 3, case .integer(let offset) = numbers[1],
      case .integer(let size) = numbers[2], offset >= 0, size >= 0, offset <= count,
      size <= count - offset
    else { throw machine.invalid("a view must lie inside its storage", got: "another") }
    view = offset..<offset + size
  }
}

/// A tensor as a PyTorch pickle describes it, checked against its storage.
struct TorchTensor {
  let storage: TorchStorage
  let element: ElementType
  let shape: Shape
  /// In elements; 0 along an axis with fewer than two.
  let strides: [Int]
  /// From the beginning of the storage.
  let offsetInBytes: Int
  let sizeInBytes: Int

  /// Reads the arguments of `_rebuild_tensor_v2`: storage, offset, size, strides, requires_grad,
  /// hooks[, element type][, metadata].
  init(
    _ arguments: [PickleValue], isTyped: Bool, machine: PickleMachine
  ) throws(WeightsError.Reason) {
    guard arguments.count >= 4, case .storage(let index) = arguments[0],
      case .integer(let offset) = arguments[1], case .sequence(let extents) = arguments[2],
      case .sequence(let steps) = arguments[3]
    else {
      throw machine.invalid("a tensor must have storage, offset, size and strides", got: "others")
    }
    storage = machine.storages[index]
    element = try Self.element(arguments, isTyped: isTyped, storage: storage, machine: machine)
    shape = Shape(try machine.integers(extents))
    let strides = try machine.integers(steps)
    guard shape.rank <= 64, strides.count == shape.rank, offset >= 0,
      strides.allSatisfy({ $0 >= 0 }), let count = shape.checkedElementCount,
      let size = element.sizeInBytes(of: count)
    else {
      throw machine.invalid(
        "a tensor must have a possible size, and a stride ≥ 0 per axis",
        got: "\(shape) with strides \(strides) from \(offset)")
    }
    sizeInBytes = size
    self.strides = zip(shape, strides).map { $0 > 1 && count > 0 ? $1 : 0 }
    let base = storage.view.lowerBound * storage.element.sizeInBits / 8
    guard count > 0 else {
      offsetInBytes = base
      return
    }
    let room = storage.view.count * storage.element.sizeInBits / 8
    guard let end = Self.end(shape, self.strides, offset, element), end <= room else {
      throw machine.invalid(
        "a tensor must lie inside its storage of \(room) bytes",
        got: "\(shape) with strides \(strides) from \(offset)")
    }
    offsetInBytes = base + offset * element.sizeInBits / 8
  }

  /// Where the last reachable element ends, in bytes, or `nil` if that is no number.
  private static func end(
    _ shape: Shape, _ strides: [Int], _ offset: Int, _ element: ElementType
  ) -> Int? {
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let (step, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(step)
      if overflow || sumOverflow { return nil }
      last = sum
    }
    return last == .max ? nil : element.sizeInBytes(of: last + 1)
  }

  private static func element(
    _ arguments: [PickleValue], isTyped: Bool, storage: TorchStorage, machine: PickleMachine
  ) throws(WeightsError.Reason) -> ElementType {
    var element = storage.element
    if isTyped {
      guard arguments.count > 6, case .global(let global) = arguments[6],
        case .element(let type) = global.role
      else { throw machine.invalid("a tensor must have an element type", got: "none") }
      element = type
    }
    // Tensors that are conjugated or negated only when read.
    if let metadata = arguments.dropFirst(isTyped ? 7 : 6).first,
      case .dictionary(let index) = metadata, !machine.heap.dictionaries[index].isEmpty
    {
      return ElementType(
        unsupported: "\(element.name), lazily transformed", bits: element.sizeInBits)
    }
    return element
  }
}

extension PickleMachine {
  /// The whole numbers in a list or tuple.
  func integers(_ sequence: Int) throws(WeightsError.Reason) -> [Int] {
    var numbers: [Int] = []
    for value in heap.sequences[sequence].prefix(65) {
      guard case .integer(let number) = value else {
        throw invalid("sizes and strides must be integers", got: value.kind)
      }
      numbers.append(number)
    }
    return numbers
  }
}
