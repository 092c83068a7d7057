import ApusBench
import Testing

@Suite("Numbers for people")
struct HumanNumberTests {
  @Test(
    "have four digits that matter",
    arguments: [
      (0, "0"), (1, "1.000"), (12.3456, "12.35"), (123.456, "123.5"), (1234.56, "1,235"),
      (9.99951, "10.00"), (99.9951, "100.0"), (999.951, "1,000"), (9.9994, "9.999"),
      (0.123456, "0.1235"), (0.99996, "1.000"), (0.00123456, "0.001235"),
      (0.000123456, "0.000123"), (1e-9, "0.000000"), (-1e-9, "0.000000"), (-12.3456, "-12.35"),
      (-1_234_567.8, "-1,234,568"), (.nan, "n/a"), (.infinity, "n/a"),
      (1e15, "1,000,000,000,000,000"),
    ] as [(Double, String)])
  func fourDigits(_ value: Double, _ text: String) {
    #expect(HumanNumber.fourDigits(value) == text)
  }

  @Test(
    "have commas between thousands",
    arguments: [
      (0, "0"), (999, "999"), (1000, "1,000"), (25_557_032, "25,557,032"), (-1000, "-1,000"),
      (-999, "-999"), (.min, "-9,223,372,036,854,775,808"),
    ] as [(Int, String)])
  func count(_ value: Int, _ text: String) {
    #expect(HumanNumber.count(value) == text)
  }

  @Test(
    "of bytes have a unit that fits",
    arguments: [
      (0, "0 B", "0.0"), (1023, "1023 B", "0.0"), (1024, "1.0 KiB", "0.0"),
      (102_400_000, "97.7 MiB", "97.7"), (1_048_525, "1.0 MiB", "1.0"),
      (1_294_000_000, "1.2 GiB", "1,234"), (.max, "8,388,608 TiB", "8,796,093,022,208"),
      (-2048, "-2.0 KiB", "0.0"),
    ] as [(Int, String, String)])
  func bytes(_ value: Int, _ text: String, _ mebibytes: String) {
    #expect(HumanNumber.bytes(value) == text)
    #expect(HumanNumber.mebibytes(value) == mebibytes)
  }

  @Test(
    "of operations have a decimal prefix",
    arguments: [
      (950, "950"), (999.6, "1.00 k"), (4_089_184_256, "4.09 G"), (25_557_032, "25.6 M"),
      (130_000_000, "130 M"), (9996, "10.0 k"), (1.5, "1.50"), (2e15, "2.00 P"), (.nan, "n/a"),
    ] as [(Double, String)])
  func scaled(_ value: Double, _ text: String) {
    #expect(HumanNumber.scaled(value) == text)
  }

  @Test(
    "of parts are percentages",
    arguments: [
      (0.08, "8 %"), (0.024, "2.4 %"), (0.0031, "0.31 %"), (1, "100 %"), (0, "0 %"),
      (0.123, "12 %"), (0.0995, "10 %"), (-0.05, "-5 %"), (.infinity, "n/a"),
    ] as [(Double, String)])
  func percent(_ value: Double, _ text: String) {
    #expect(HumanNumber.percent(value) == text)
  }

  @Test(
    "of time fit their length",
    arguments: [
      (.milliseconds(800), "0.8 s", "800.0"), (.seconds(12), "12 s", "12,000"),
      (.seconds(185), "3 min 05 s", "185,000"), (.milliseconds(59_600), "1 min 00 s", "59,600"),
      (.seconds(7800), "2 h 10 min", "7,800,000"), (.milliseconds(9960), "10 s", "9,960"),
      (.zero, "0.0 s", "0"), (.microseconds(12), "0.0 s", "0.01200"),
    ] as [(Duration, String, String)])
  func time(_ value: Duration, _ text: String, _ milliseconds: String) {
    #expect(HumanNumber.time(value) == text)
    #expect(HumanNumber.milliseconds(value) == milliseconds)
  }
}
