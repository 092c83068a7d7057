// Written by make_reference_ratios.py with Python 3.11.7, NumPy 2.4.6, SciPy 1.17.1.

let referenceQuantiles: [ReferenceQuantile] = [
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 1, quantile: 1.0000000000000002),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 1.3, quantile: 0.9095175281352076),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 2, quantile: 0.8164965809277261),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 3.7, quantile: 0.7464851534824539),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 4, quantile: 0.7406970841126829),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 9, quantile: 0.7027221467513264),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 30, quantile: 0.6827556933212927),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 1000, quantile: 0.6747351646070093),
  ReferenceQuantile(confidence: 0.5, degreesOfFreedom: 100000, quantile: 0.674492203553292),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 1, quantile: 6.313751514675037),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 1.3, quantile: 4.333339183467029),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 2, quantile: 2.9199855803537242),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 3.7, quantile: 2.1824938039146007),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 4, quantile: 2.1318467863266495),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 9, quantile: 1.833112932656237),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 30, quantile: 1.697260886593957),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 1000, quantile: 1.6463788172854643),
  ReferenceQuantile(confidence: 0.9, degreesOfFreedom: 100000, quantile: 1.6448688647849696),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 1, quantile: 12.706204736174694),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 1.3, quantile: 7.500529325562029),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 2, quantile: 4.302652729749462),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 3.7, quantile: 2.8675207071911895),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 4, quantile: 2.7764451051977934),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 9, quantile: 2.262157162798205),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 30, quantile: 2.0422724563012378),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 1000, quantile: 1.9623390808264083),
  ReferenceQuantile(confidence: 0.95, degreesOfFreedom: 100000, quantile: 1.9599877075346095),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 1, quantile: 636.6192487687897),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 1.3, quantile: 153.26589277351601),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 2, quantile: 31.599054576445365),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 3.7, quantile: 9.474240137124664),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 4, quantile: 8.610301581379522),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 9, quantile: 4.780912585931217),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 30, quantile: 3.6459586350420627),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 1000, quantile: 3.300282648423944),
  ReferenceQuantile(confidence: 0.999, degreesOfFreedom: 100000, quantile: 3.2906240314119137),
]

let referenceRatios: [ReferenceRatio] = [
  ReferenceRatio(
    countA: 2, countB: 2, seed: 0, ratio: 1.2796154777410784,
    lower: 0.6556528662136546, upper: 2.497382159450442),
  ReferenceRatio(
    countA: 3, countB: 3, seed: 10000, ratio: 1.4620161885958534,
    lower: 1.007402739531303, upper: 2.121784319060736),
  ReferenceRatio(
    countA: 3, countB: 5, seed: 20000, ratio: 1.3379705104186326,
    lower: 1.1801562589469994, upper: 1.5168881859315648),
  ReferenceRatio(
    countA: 5, countB: 5, seed: 30000, ratio: 1.665529436856918,
    lower: 0.9697413444571025, upper: 2.8605445368423528),
  ReferenceRatio(
    countA: 2, countB: 12, seed: 40000, ratio: 1.321736017040469,
    lower: 1.2385879047362502, upper: 1.4104659766672059),
  ReferenceRatio(
    countA: 30, countB: 30, seed: 50000, ratio: 1.219512210108453,
    lower: 1.096798203407016, upper: 1.3559559324439447),
]

let referenceVariances: [ReferenceVariance] = [
  ReferenceVariance(
    processes: 1, iterations: 10, center: .median, seed: 100000, variance: 0.004430310884984817),
  ReferenceVariance(
    processes: 1, iterations: 10, center: .mean, seed: 100000, variance: 0.0015941036880001266),
  ReferenceVariance(
    processes: 1, iterations: 101, center: .median, seed: 120000, variance: 0.0004253811679928825),
  ReferenceVariance(
    processes: 1, iterations: 101, center: .mean, seed: 120000, variance: 0.0006314594020661823),
  ReferenceVariance(
    processes: 1, iterations: 250, center: .median, seed: 140000, variance: 0.00010905778821648978),
  ReferenceVariance(
    processes: 1, iterations: 250, center: .mean, seed: 140000, variance: 0.00036076374717619174),
  ReferenceVariance(
    processes: 3, iterations: 20, center: .median, seed: 160000, variance: 0.0017684821966042971),
  ReferenceVariance(
    processes: 3, iterations: 20, center: .mean, seed: 160000, variance: 0.0006480156839472066),
  ReferenceVariance(
    processes: 5, iterations: 41, center: .median, seed: 180000, variance: 0.00024066988143938702),
  ReferenceVariance(
    processes: 5, iterations: 41, center: .mean, seed: 180000, variance: 0.0012477583943268683),
]
