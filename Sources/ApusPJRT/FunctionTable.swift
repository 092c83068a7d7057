import CPJRT

/// Where a function is in a plugin's table, and the size its arguments claim.
struct Function {
  let name: StaticString
  let slot: Int
  let sizeInBytes: Int

  init(_ name: StaticString, _ slot: Int, _ sizeInBytes: Int) {
    self.name = name
    self.slot = slot
    self.sizeInBytes = sizeInBytes
  }
}

/// The arguments of one function; `Functions.swift` lists them. Their first word is their size.
protocol ArgumentBlock {
  static var function: Function { get }
}

/// The table of functions that a plugin hands out.
struct FunctionTable: @unchecked Sendable {
  typealias Pointer = @convention(c) (UnsafeMutableRawPointer) -> OpaquePointer?

  let address: UnsafePointer<PJRTTable>

  /// What may follow the description, by the table's own word.
  private var functionCount: Int {
    max(address.pointee.struct_size - MemoryLayout<PJRTTable>.size, 0)
      / MemoryLayout<Pointer?>.size
  }

  /// The function at a place; `nil` where the plugin has none.
  func pointer(_ function: Function) -> Pointer? {
    guard function.slot < functionCount else { return nil }
    return UnsafeRawPointer(address + 1).load(
      fromByteOffset: function.slot * MemoryLayout<Pointer?>.size, as: Pointer?.self)
  }

  /// Calls a function with the arguments that `fill` sets, and returns them with its answers.
  ///
  /// Plugins refuse arguments that are smaller than those they know, and old ones of some functions
  /// also larger ones; they say what they expect, and are asked once more with that.
  ///
  /// - Parameters:
  ///   - owner: what the arguments point into. Pointers do not keep it alive, so the call does;
  ///     `nil` where that is the plugin itself, which stays.
  ///   - nested: a block the arguments point to, whose size may be the wrong one.
  @discardableResult
  func call<Block: ArgumentBlock>(
    _ type: Block.Type, on owner: AnyObject?, nested: UnsafeMutablePointer<PJRTRoom>? = nil,
    _ fill: (inout Block) -> Void
  ) throws(PluginFailure) -> Block {
    defer { withExtendedLifetime(owner) {} }
    let function = Block.function
    guard let pointer = pointer(function) else {
      throw .unimplemented("\(function.name)", "it is not in the plugin's table")
    }
    var room = PJRTRoom()
    return try withUnsafeMutablePointer(to: &room) { (room) throws(PluginFailure) in
      let raw = UnsafeMutableRawPointer(room)
      let block = raw.bindMemory(to: Block.self, capacity: 1)
      raw.storeBytes(of: function.sizeInBytes, as: Int.self)
      fill(&block.pointee)
      guard let error = pointer(raw) else { return block.pointee }
      let failure = self.failure(error, "\(function.name)")
      guard let expected = failure.expectedSize, expected.sizeInBytes <= MemoryLayout<PJRTRoom>.size
      else { throw failure }
      if expected.isArguments {
        raw.storeBytes(of: expected.sizeInBytes, as: Int.self)
      } else if let nested {
        UnsafeMutableRawPointer(nested).storeBytes(of: expected.sizeInBytes, as: Int.self)
      } else {
        throw failure
      }
      if let error = pointer(raw) { throw self.failure(error, "\(function.name)") }
      return block.pointee
    }
  }

  /// Turns an error of the plugin's into one of ours, and destroys it.
  func failure(_ error: OpaquePointer, _ call: String) -> PluginFailure {
    defer { destroy(PJRTErrorDestroy.self) { $0.error = error } }
    var code = PluginFailure.Code.unknown
    ask(PJRTErrorGetCode.self) {
      $0.error = error
    } answer: {
      code = .init($0.code)
    }
    var message = ""
    ask(PJRTErrorMessage.self) {
      $0.error = error
    } answer: {
      message = text($0.message, $0.message_size)
    }
    return PluginFailure(call: call, code: code, message: message)
  }

  /// Calls a function that releases something, of which no error is of any use.
  func destroy<Block: ArgumentBlock>(_ type: Block.Type, _ fill: (inout Block) -> Void) {
    ask(type, fill) { _ in }
  }

  /// Calls one of the functions that give errors back, whose own errors nobody could explain.
  private func ask<Block: ArgumentBlock>(
    _ type: Block.Type, _ fill: (inout Block) -> Void, answer: (Block) -> Void
  ) {
    guard let pointer = pointer(Block.function) else { return }
    var room = PJRTRoom()
    withUnsafeMutablePointer(to: &room) { room in
      let raw = UnsafeMutableRawPointer(room)
      let block = raw.bindMemory(to: Block.self, capacity: 1)
      raw.storeBytes(of: Block.function.sizeInBytes, as: Int.self)
      fill(&block.pointee)
      // Error_Destroy and Error_Message return nothing: what is in the register means nothing.
      _ = pointer(raw)
      answer(block.pointee)
    }
  }
}

/// Text of the plugin's, which need not end with a NUL.
func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
  guard let start, count > 0 else { return "" }
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  return String(decoding: bytes, as: UTF8.self)
}
