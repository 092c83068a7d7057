// Some columns of one row of one vector of outputs.

typedef struct {
  /// Copies of the rows that the filters see.
  const float *rows[groupedTaps];
  /// `[rows][inputs][columns][LANES]`
  const float *filters;
  /// Of the vector, or null.
  const float *bias;
  int inputs;
  float *destination;
  ptrdiff_t pixel;
  CKActivation activation;
  float parameter;
} GroupedTile;

/// Where a copy has input `index` of the first pixel; those of the others are vectors behind it.
INLINE ptrdiff_t place_of_input(int index, const int reach, const bool isWhole) {
  return isWhole ? (ptrdiff_t)(index / LANES) * reach * LANES + index % LANES
                 : (ptrdiff_t)index * reach * LANES;
}

INLINE void convolve(
    const GroupedTile *t, const int stride, const bool isWhole, const int columns) {
  const int reach = (columns - 1) * stride + groupedTaps;
  const float *filters = t->filters;
  Vector sums[COLUMNS];
  UNROLL for (int j = 0; j < columns; j++) sums[j] = t->bias ? load(t->bias) : (Vector)0;
  for (int row = 0; row < groupedTaps; row++)
    for (int input = 0; input < t->inputs; input++, filters += groupedTaps * LANES) {
      const float *from = t->rows[row] + place_of_input(input, reach, isWhole);
      Vector weights[groupedTaps];
      UNROLL for (int k = 0; k < groupedTaps; k++) weights[k] = load(filters + k * LANES);
      UNROLL for (int i = 0; i < reach; i++) {
        const Vector x = isWhole ? (Vector)from[i * LANES] : load(from + i * LANES);
        UNROLL for (int k = 0; k < groupedTaps; k++) {
          const int j = (i - k) / stride;
          if (i >= k && (i - k) % stride == 0 && j < columns) sums[j] += weights[k] * x;
        }
      }
    }
  if (!is_brief(t->activation)) {
    Vector spilled[COLUMNS];
    UNROLL for (int j = 0; j < columns; j++) spilled[j] = sums[j];
    activate_rows(t->activation, t->parameter, spilled, columns, t->destination, 1, t->pixel);
    return;
  }
  const Vector lower = lower_bound(t->activation), upper = upper_bound(t->activation, t->parameter);
  UNROLL for (int j = 0; j < columns; j++)
    store(t->destination + j * t->pixel, smaller(upper, larger(lower, sums[j])));
}

#define NAME(columns, stride, isWhole) convolve##columns##_##stride##isWhole
#define CONVOLVE(columns, stride, isWhole) \
  static void NAME(columns, stride, isWhole)(const GroupedTile *t) { \
    convolve(t, stride, isWhole, columns); \
  }
#define CONVOLVE4(columns) \
  CONVOLVE(columns, 1, 0) CONVOLVE(columns, 1, 1) CONVOLVE(columns, 2, 0) CONVOLVE(columns, 2, 1)
CONVOLVE4(1)
CONVOLVE4(2)
CONVOLVE4(3)
CONVOLVE4(4)
CONVOLVE4(5)
CONVOLVE4(6)
CONVOLVE4(7)
CONVOLVE4(8)
#if COLUMNS == 14
CONVOLVE4(9)
CONVOLVE4(10)
CONVOLVE4(11)
CONVOLVE4(12)
CONVOLVE4(13)
CONVOLVE4(14)
#endif
#define NAMES8(stride, isWhole) \
  NAME(1, stride, isWhole), NAME(2, stride, isWhole), NAME(3, stride, isWhole), \
      NAME(4, stride, isWhole), NAME(5, stride, isWhole), NAME(6, stride, isWhole), \
      NAME(7, stride, isWhole), NAME(8, stride, isWhole)
#if COLUMNS == 14
#define NAMES(stride, isWhole) \
  { \
    NAMES8(stride, isWhole), NAME(9, stride, isWhole), NAME(10, stride, isWhole), \
        NAME(11, stride, isWhole), NAME(12, stride, isWhole), NAME(13, stride, isWhole), \
        NAME(14, stride, isWhole) \
  }
#else
#define NAMES(stride, isWhole) {NAMES8(stride, isWhole)}
#endif

/// By the stride less one, whether groups are whole vectors, and the number of columns less one.
static void (*const convolutions[2][2][COLUMNS])(const GroupedTile *) = {
    {NAMES(1, 0), NAMES(1, 1)},
    {NAMES(2, 0), NAMES(2, 1)},
};
#undef NAME
#undef CONVOLVE
#undef CONVOLVE4
#undef NAMES8
#undef NAMES
