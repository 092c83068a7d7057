import CPJRT
import Foundation

/// A value that a plugin takes as an option, or tells as an attribute.
public enum OptionValue: Hashable, Sendable {
  case string(String)
  case int64(Int64)
  case int64List([Int64])
  case float(Float)
  case bool(Bool)
}

extension OptionValue: CustomStringConvertible {
  public var description: String {
    switch self {
    case .string(let value): value
    case .int64(let value): "\(value)"
    case .int64List(let values): values.map(String.init).joined(separator: ",")
    case .float(let value): "\(value)"
    case .bool(let value): "\(value)"
    }
  }
}

extension OptionValue {
  /// Reads the attributes a plugin tells; those of types it may have invented since are left out.
  static func dictionary(
    _ values: UnsafePointer<PJRTNamedValue>?, count: Int
  ) -> [String: OptionValue] {
    var dictionary: [String: OptionValue] = [:]
    for value in UnsafeBufferPointer(start: values, count: count) {
      dictionary[text(value.name, value.name_size)] = OptionValue(value)
    }
    return dictionary
  }

  private init?(_ value: PJRTNamedValue) {
    switch Int(value.type) {
    case PJRTNamedValueString: self = .string(text(value.string_value, value.value_size))
    case PJRTNamedValueInt64: self = .int64(value.int64_value)
    case PJRTNamedValueInt64List:
      self = .int64List(
        Array(UnsafeBufferPointer(start: value.int64_array_value, count: value.value_size)))
    case PJRTNamedValueFloat: self = .float(value.float_value)
    case PJRTNamedValueBool: self = .bool(value.bool_value)
    default: return nil
    }
  }
}

/// Options in the form a plugin reads, alive as long as the object.
final class NamedValues {
  let pointer: UnsafeMutablePointer<PJRTNamedValue>
  let count: Int
  private var blocks: [UnsafeMutableRawPointer] = []

  init(_ options: [String: OptionValue]) {
    count = options.count
    pointer = .allocate(capacity: max(count, 1))
    for (index, (name, value)) in options.sorted(by: { $0.key < $1.key }).enumerated() {
      var named = PJRTNamedValue()
      named.struct_size = Int(PJRTNamedValueSize)
      (named.name, named.name_size) = copy(name)
      named.value_size = 1
      switch value {
      case .string(let string):
        named.type = UInt32(PJRTNamedValueString)
        (named.string_value, named.value_size) = copy(string)
      case .int64(let number):
        named.type = UInt32(PJRTNamedValueInt64)
        named.int64_value = number
      case .int64List(let numbers):
        named.type = UInt32(PJRTNamedValueInt64List)
        named.int64_array_value = copy(numbers)
        named.value_size = numbers.count
      case .float(let number):
        named.type = UInt32(PJRTNamedValueFloat)
        named.float_value = number
      case .bool(let flag):
        named.type = UInt32(PJRTNamedValueBool)
        named.bool_value = flag
      }
      (pointer + index).initialize(to: named)
    }
  }

  deinit {
    pointer.deallocate()
    for block in blocks { block.deallocate() }
  }

  private func copy(_ string: String) -> (UnsafePointer<CChar>, Int) {
    let bytes = string.utf8.map(CChar.init(bitPattern:))
    return (copy(bytes), bytes.count)
  }

  private func copy<Element>(_ elements: [Element]) -> UnsafePointer<Element> {
    let block = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
    block.initialize(from: elements, count: elements.count)
    blocks.append(block)
    return UnsafePointer(block)
  }
}
