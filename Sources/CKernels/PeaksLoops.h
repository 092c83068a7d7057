// The loops that measure a processor's peaks, with vectors of LANES floats and CHAINS sums under
// way; included once for each instruction set, with FUNCTION(name) naming its functions.

typedef float FUNCTION(Vector) __attribute__((ext_vector_type(LANES), aligned(4)));

TARGET static float FUNCTION(sum)(const FUNCTION(Vector) *sums) {
  float sum = 0;
  for (int chain = 0; chain < CHAINS; chain++)
    for (int lane = 0; lane < LANES; lane++) sum += sums[chain][lane];
  return sum;
}

TARGET static float FUNCTION(multiply_add)(int64_t rounds) {
  // Unknown to the compiler; the sums approach 2 and stay far from overflow and denormals.
  volatile float half = 0.5f;
  const FUNCTION(Vector) factor = half, term = 2 * half;
  FUNCTION(Vector) sums[CHAINS];
  _Pragma("clang loop unroll(full)")
  for (int chain = 0; chain < CHAINS; chain++) sums[chain] = half + chain;
  for (int64_t round = 0; round < rounds; round++) {
    _Pragma("clang loop unroll(full)")
    for (int chain = 0; chain < CHAINS; chain++) {
      sums[chain] = sums[chain] * factor + term;
      // Keeps each sum in a register of its own: equal ones would be computed once.
      __asm__ volatile("" : "+v"(sums[chain]));
    }
  }
  return FUNCTION(sum)(sums);
}

TARGET static float FUNCTION(read)(const float *from, size_t count) {
  FUNCTION(Vector) sums[CHAINS] = {0};
  size_t index = 0;
  for (; index + CHAINS * LANES <= count; index += CHAINS * LANES) {
    _Pragma("clang loop unroll(full)")
    for (int chain = 0; chain < CHAINS; chain++)
      sums[chain] += *(const FUNCTION(Vector) *)(from + index + chain * LANES);
  }
  float rest = 0;
  for (; index < count; index++) rest += from[index];
  return rest + FUNCTION(sum)(sums);
}

#undef TARGET
#undef FUNCTION
#undef LANES
#undef CHAINS
