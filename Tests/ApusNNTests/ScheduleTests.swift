import ApusNN
import Testing

private let schedules: [String: @Sendable () throws -> any Schedule] = [
  "step": { try StepSchedule(0.4, every: 7) },
  "step options": { try StepSchedule(0.4, every: 3, factor: 0.7) },
  "multi-step": { MultiStepSchedule(0.4, milestones: [5, 20, 9, 9], factor: 0.3) },
  "cosine": { try CosineSchedule(0.4, over: 13) },
  "cosine options": { try CosineSchedule(0.4, over: 30, minimum: 0.05) },
  "polynomial": { try PolynomialSchedule(0.4, over: 21) },
  "polynomial options": { try PolynomialSchedule(0.4, over: 35, power: 1.8) },
  "one-cycle": { try OneCycleSchedule(peak: 0.4, over: 40) },
  "one-cycle options": {
    try OneCycleSchedule(
      peak: 0.4, over: 41, rising: 0.55, initialDivisor: 10, finalDivisor: 50)
  },
  "one-cycle falling": { try OneCycleSchedule(peak: 0.4, over: 40, rising: 0) },
  "warm-up cosine": { try WarmupSchedule(over: 10, to: CosineSchedule(0.4, over: 30)) },
  "warm-up step": { try WarmupSchedule(over: 5, from: 0.01, to: StepSchedule(0.4, every: 4)) },
]

private let plateaus: [String: @Sendable () throws -> PlateauSchedule] = [
  "plateau": { try PlateauSchedule(0.4) },
  "plateau options": {
    try PlateauSchedule(
      0.4, factor: 0.5, patience: 2, threshold: 0.05, cooldown: 3, minimum: 0.03)
  },
  "plateau highest": {
    try PlateauSchedule(0.4, goal: .highest, factor: 0.3, patience: 1, cooldown: 1)
  },
]

private let fixture = Result { try Fixture.read("schedules.json", as: [String: [Double]].self) }

/// Equal but for the roundings of a different order of the same products.
private func isClose(_ a: Double, _ b: Double) -> Bool {
  (a - b).magnitude <= 1e-12 * max(a.magnitude, b.magnitude) + 1e-16
}

@Suite("Schedules")
struct ScheduleTests {
  @Test("give PyTorch's learning rates at every step", arguments: schedules.keys.sorted())
  func agrees(name: String) throws {
    let expected = try #require(try fixture.get()[name])
    let make = try #require(schedules[name])
    let schedule = try make()
    for (step, rate) in expected.enumerated() {
      let got = schedule.learningRate(at: step)
      #expect(isClose(got, rate), "step \(step): expected \(rate), got \(got)")
    }
  }

  @Test("A plateau gives PyTorch's rates after every metric", arguments: plateaus.keys.sorted())
  func plateau(name: String) throws {
    let metrics = try #require(try fixture.get()["metrics"])
    let expected = try #require(try fixture.get()[name])
    let make = try #require(plateaus[name])
    var schedule = try make()
    for (metric, rate) in zip(metrics, expected) {
      schedule.observe(name == "plateau highest" ? -metric : metric)
      #expect(isClose(schedule.learningRate(at: 0), rate))
      // What is saved as text and read again goes on the same.
      let saved = schedule.position
      schedule.position = try #require(PlateauSchedule.Position(saved.description))
      #expect(schedule.position == saved)
    }
    #expect(Set(expected).count > 2)
  }

  @Test("The fixture holds every schedule, and no other")
  func fixtureIsComplete() throws {
    let names = Set(schedules.keys).union(plateaus.keys).union(["metrics"])
    #expect(try Set(fixture.get().keys) == names)
  }

  @Test("Any step has a rate: before the first, and long after the last")
  func outside() throws {
    for make in schedules.values {
      let schedule = try make()
      #expect(schedule.learningRate(at: -5) == schedule.learningRate(at: 0))
      #expect((0...0.4).contains(schedule.learningRate(at: 1_000_000_007)))
    }
    let cycle = try OneCycleSchedule(peak: 0.4, over: 40)
    #expect(cycle.learningRate(at: 100) == cycle.learningRate(at: 39))
    #expect(try OneCycleSchedule(peak: 0.4, over: 1, rising: 1).learningRate(at: 0) == 0.4)
    let warm = try WarmupSchedule(over: 0, to: ConstantSchedule(0.3))
    #expect(warm.learningRate(at: 0) == 0.3)
  }

  @Test("A warm-up passes metrics on to the plateau behind it")
  func warmPlateau() throws {
    var schedule = try WarmupSchedule(over: 2, from: 0.5, to: PlateauSchedule(0.4, patience: 0))
    #expect([0, 1, 2].map(schedule.learningRate) == [0.2, 0.30000000000000004, 0.4])
    for metric in [1.0, 2.0] { schedule.next.observe(metric) }
    #expect(isClose(schedule.learningRate(at: 3), 0.04))
  }

  @Test("Settings out of their range are errors")
  func settings() {
    #expect {
      try StepSchedule(0.1, every: 0)
    } throws: {
      "\($0)" == "step schedule: the steps between reductions must be at least 1, got 0"
    }
    #expect(throws: SettingError.self) { try CosineSchedule(0.1, over: 0) }
    #expect(throws: SettingError.self) { try PolynomialSchedule(0.1, over: -1) }
    #expect(throws: SettingError.self) { try OneCycleSchedule(peak: 0.1, over: 0) }
    #expect(throws: SettingError.self) { try OneCycleSchedule(peak: 0.1, over: 9, rising: 1.1) }
    #expect(throws: SettingError.self) { try WarmupSchedule(over: -1, to: ConstantSchedule(1)) }
    #expect(throws: SettingError.self) { try PlateauSchedule(0.1, factor: 1) }
    for text in ["", "1 2 3", "1 2 3 4 5", "a 2 3 4", "1 2 3.5 4"] {
      #expect(PlateauSchedule.Position(text) == nil)
    }
  }
}
