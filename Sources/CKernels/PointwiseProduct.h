// The product of filters and pixels: sums over all inputs of some vectors of outputs times some
// pixels, all of them held in registers, and finished on the way to memory.

/// Half a vector of AVX-512, so that 24 or 40 outputs take no more than their share of time.
typedef float Half __attribute__((ext_vector_type(unitFloats)));
typedef float LooseHalf __attribute__((ext_vector_type(unitFloats), aligned(sizeof(float))));

enum {
  largestPanel = 3 * LANES,
  mostRows = LANES == 16 ? rowsAVX512 : rowsAVX2,
  wideRows = LANES == 16 ? wideRowsAVX512 : wideRowsAVX2,
};

typedef struct {
  /// The first pixel, and floats from pixel to pixel.
  const float *source;
  ptrdiff_t sourcePixel;
  /// `[inputs][width]`
  const float *filters;
  /// `[width]`
  const float *bias;
  /// The first pixel's first output, and the same place in the residual, or null.
  float *destination;
  const float *residual;
  ptrdiff_t destinationPixel;
  int inputs;
  /// How many of the panel's outputs lie in memory.
  int outputs;
  CKActivation activation;
  float parameter;
} PointwiseTile;

/// Filters are fetched this many bytes ahead, beyond what the processor foresees.
enum { ahead = 2048, lineFloats = 16 };

/// Residual and activation of `[rows][width]` sums where the panel ends inside a vector, and only as
/// many outputs as there are.
__attribute__((noinline)) static void finish_part(
    const PointwiseTile *t, float *sums, int rows, int width) {
  const size_t size = (size_t)t->outputs * sizeof(float);
  if (t->residual)
    for (int j = 0; j < rows; j++)
      for (int i = 0; i < t->outputs; i++)
        sums[j * width + i] += t->residual[j * t->destinationPixel + i];
  const int vectors = (int)ceiling(rows * width, LANES);
  activate_rows(t->activation, t->parameter, (Vector *)sums, vectors, sums, 1, LANES);
  for (int j = 0; j < rows; j++)
    memcpy(t->destination + j * t->destinationPixel, sums + j * width, size);
}

INLINE void multiply(const PointwiseTile *t, const int full, const int half, const int rows) {
  const int width = full * LANES + half * unitFloats;
  Vector sums[3][mostRows];
  Half halves[mostRows];
  UNROLL for (int j = 0; j < rows; j++) {
    UNROLL for (int b = 0; b < full; b++) sums[b][j] = load(t->bias + b * LANES);
    if (half) halves[j] = *(const LooseHalf *)(t->bias + full * LANES);
  }
  const float *filters = t->filters, *source = t->source;
  const ptrdiff_t pixel = t->sourcePixel;
  for (int i = t->inputs; i > 0; i--, filters += width, source++) {
    UNROLL for (int line = 0; line < width; line += lineFloats)
      __builtin_prefetch((const char *)(filters + line) + ahead);
    Vector weights[3];
    Half halfWeights;
    UNROLL for (int b = 0; b < full; b++) weights[b] = load(filters + b * LANES);
    if (half) halfWeights = *(const LooseHalf *)(filters + full * LANES);
    UNROLL for (int j = 0; j < rows; j++) {
      Vector value = (Vector)source[j * pixel];
      // Keeps the compiler from fetching it twice, for a vector and for half of one.
      if (half) __asm__("" : "+v"(value));
      UNROLL for (int b = 0; b < full; b++) sums[b][j] += weights[b] * value;
      if (half)
        halves[j] += halfWeights * __builtin_shufflevector(value, value, 0, 1, 2, 3, 4, 5, 6, 7);
    }
  }
  const bool isPart = t->outputs < width || (half && !is_brief(t->activation));
  if (t->residual && !isPart)
    UNROLL for (int j = 0; j < rows; j++) {
      const float *from = t->residual + j * t->destinationPixel;
      UNROLL for (int b = 0; b < full; b++) sums[b][j] += load(from + b * LANES);
      if (half) halves[j] += *(const LooseHalf *)(from + full * LANES);
    }
  if (isPart || !is_brief(t->activation)) {
    _Alignas(64) float spilled[mostRows * largestPanel];
    UNROLL for (int j = 0; j < rows; j++) {
      float *to = spilled + j * width;
      UNROLL for (int b = 0; b < full; b++) store(to + b * LANES, sums[b][j]);
      if (half) *(LooseHalf *)(to + full * LANES) = halves[j];
    }
    if (isPart)
      finish_part(t, spilled, rows, width);
    else
      activate_rows(
          t->activation, t->parameter, (Vector *)spilled, rows * full, t->destination, full,
          t->destinationPixel);
    return;
  }
  const Vector lower = lower_bound(t->activation), upper = upper_bound(t->activation, t->parameter);
  const Half halfLower = __builtin_shufflevector(lower, lower, 0, 1, 2, 3, 4, 5, 6, 7);
  const Half halfUpper = __builtin_shufflevector(upper, upper, 0, 1, 2, 3, 4, 5, 6, 7);
  UNROLL for (int j = 0; j < rows; j++) {
    float *to = t->destination + j * t->destinationPixel;
    UNROLL for (int b = 0; b < full; b++)
      store(to + b * LANES, smaller(upper, larger(lower, sums[b][j])));
    if (half) {
      const Half x = halves[j] < halfLower ? halfLower : halves[j];
      *(LooseHalf *)(to + full * LANES) = x > halfUpper ? halfUpper : x;
    }
  }
}

#define MULTIPLY(full, half, rows) \
  static void multiply##full##_##half##x##rows(const PointwiseTile *t) { \
    multiply(t, full, half, rows); \
  }
#define NAME(full, half, rows) multiply##full##_##half##x##rows
#define MULTIPLY4(full, half) \
  MULTIPLY(full, half, 1) MULTIPLY(full, half, 2) MULTIPLY(full, half, 3) MULTIPLY(full, half, 4)
#define MULTIPLY9(full, half) \
  MULTIPLY4(full, half) MULTIPLY(full, half, 5) MULTIPLY(full, half, 6) MULTIPLY(full, half, 7) \
  MULTIPLY(full, half, 8) MULTIPLY(full, half, 9)
#define MULTIPLY14(full, half) \
  MULTIPLY9(full, half) MULTIPLY(full, half, 10) MULTIPLY(full, half, 11) \
  MULTIPLY(full, half, 12) MULTIPLY(full, half, 13) MULTIPLY(full, half, 14)
#define NAMES4(full, half) \
  NAME(full, half, 1), NAME(full, half, 2), NAME(full, half, 3), NAME(full, half, 4)
#define NAMES9(full, half) \
  NAMES4(full, half), NAME(full, half, 5), NAME(full, half, 6), NAME(full, half, 7), \
  NAME(full, half, 8), NAME(full, half, 9)
#define NAMES14(full, half) \
  NAMES9(full, half), NAME(full, half, 10), NAME(full, half, 11), NAME(full, half, 12), \
  NAME(full, half, 13), NAME(full, half, 14)

/// By a panel's units of outputs and the number of pixels, each less one.
#if LANES == 16
MULTIPLY14(0, 1)
MULTIPLY14(1, 0)
MULTIPLY14(1, 1)
MULTIPLY14(2, 0)
MULTIPLY9(2, 1)
MULTIPLY9(3, 0)
static void (*const multiplications[6][mostRows])(const PointwiseTile *) = {
    {NAMES14(0, 1)}, {NAMES14(1, 0)}, {NAMES14(1, 1)},
    {NAMES14(2, 0)}, {NAMES9(2, 1)},  {NAMES9(3, 0)},
};
#else
MULTIPLY4(1, 0) MULTIPLY(1, 0, 5) MULTIPLY(1, 0, 6)
MULTIPLY4(2, 0) MULTIPLY(2, 0, 5) MULTIPLY(2, 0, 6)
MULTIPLY4(3, 0)
static void (*const multiplications[3][mostRows])(const PointwiseTile *) = {
    {NAMES4(1, 0), NAME(1, 0, 5), NAME(1, 0, 6)},
    {NAMES4(2, 0), NAME(2, 0, 5), NAME(2, 0, 6)},
    {NAMES4(3, 0)},
};
#endif
#undef MULTIPLY
#undef MULTIPLY4
#undef MULTIPLY9
#undef MULTIPLY14
#undef NAME
#undef NAMES4
#undef NAMES9
#undef NAMES14
