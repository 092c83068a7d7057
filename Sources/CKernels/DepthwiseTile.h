// Some neighbouring columns of a row of outputs: each vector of the source is loaded once for all
// the outputs that use it.

enum { mostColumns = LANES == 16 ? columnsAVX512 : columnsAVX2 };

typedef struct {
  /// The first row that exists, at the first column that an output reads, whether or not it exists.
  const float *source;
  ptrdiff_t sourceRow, sourcePixel;
  /// After how many rows the source goes on this many floats before: where rows lie in a ring. 0:
  /// nowhere.
  int wrapRow;
  ptrdiff_t wrap;
  /// The same row of the filters, `[rows][columns][channels]`.
  const float *filters;
  /// `[channels]`, or null.
  const float *bias;
  ptrdiff_t channels;
  /// Vectors of channels to compute.
  Range blocks;
  /// How many rows of the source exist, and which of the columns that the outputs read.
  int rows, firstColumn, endColumn;
  /// The columns of the filters.
  int filterWidth;
  float *destination;
  ptrdiff_t destinationPixel;
  /// Where to add the sums of the outputs, or null, and whether something is there.
  float *sums;
  bool addsSums;
  CKActivation activation;
  float parameter;
} DepthwiseTile;

/// A vector of channels, of which some are written: the first ones where there are fewer than a
/// vector holds, else the last ones, as the block before has the others.
typedef struct {
  ptrdiff_t channel;
  int first, count;
} Block;

INLINE Block block_at(const DepthwiseTile *t, ptrdiff_t index) {
  const ptrdiff_t start = index * LANES, left = t->channels - start;
  if (left >= LANES) return (Block){start, 0, LANES};
  if (t->channels < LANES) return (Block){0, 0, (int)left};
  return (Block){t->channels - LANES, LANES - (int)left, (int)left};
}

/// As many channels as there are, and zeros.
INLINE Vector load_channels(const float *from, ptrdiff_t channels) {
  if (channels >= LANES) return load(from);
  Vector x = (Vector)0;
  memcpy(&x, from, (size_t)channels * sizeof(float));
  return x;
}

INLINE void add_sum(const DepthwiseTile *t, Block block, Vector sum) {
  float *to = t->sums + block.channel;
  if (block.count == LANES) {
    store(to, t->addsSums ? load(to) + sum : sum);
    return;
  }
  for (int i = block.first; i < block.first + block.count; i++)
    to[i] = t->addsSums ? to[i] + sum[i] : sum[i];
}

/// Finishes outputs where only some of a vector's channels are written.
__attribute__((noinline)) static void finish_part(
    const DepthwiseTile *t, Block block, Vector *outputs, int count) {
  activate_rows(t->activation, t->parameter, outputs, count, (float *)outputs, 1, LANES);
  const size_t size = (size_t)block.count * sizeof(float);
  float *to = t->destination + block.channel + block.first;
  Vector sum = (Vector)0;
  for (int j = 0; j < count; j++, to += t->destinationPixel) {
    memcpy(to, (const float *)&outputs[j] + block.first, size);
    sum += outputs[j];
  }
  if (t->sums) add_sum(t, block, sum);
}

/// The row of the source after the given one.
INLINE const float *next_row(const DepthwiseTile *t, const float *source, int row) {
  return source + t->sourceRow - (row + 1 == t->wrapRow ? t->wrap : 0);
}

INLINE void finish_tile(
    const DepthwiseTile *t, Block block, const Vector *outputs, const int count) {
  Vector sum = (Vector)0;
  float *to = t->destination + block.channel;
  if (block.count < LANES || !is_brief(t->activation)) {
    Vector spilled[mostColumns];
    UNROLL for (int j = 0; j < count; j++) spilled[j] = outputs[j];
    if (block.count < LANES) {
      finish_part(t, block, spilled, count);
      return;
    }
    activate_rows(t->activation, t->parameter, spilled, count, to, 1, t->destinationPixel);
    if (t->sums)
      UNROLL for (int j = 0; j < count; j++, to += t->destinationPixel) sum += load(to);
  } else {
    const Vector lower = lower_bound(t->activation);
    const Vector upper = upper_bound(t->activation, t->parameter);
    UNROLL for (int j = 0; j < count; j++, to += t->destinationPixel) {
      const Vector x = smaller(upper, larger(lower, outputs[j]));
      store(to, x);
      sum += x;
    }
  }
  if (t->sums) add_sum(t, block, sum);
}

INLINE void convolve_block(
    const DepthwiseTile *t, Block block, const int size, const int stride, const int columns) {
  const int reads = (columns - 1) * stride + size;
  const Vector bias = t->bias ? load(t->bias + block.channel) : (Vector)0;
  Vector outputs[mostColumns];
  UNROLL for (int j = 0; j < columns; j++) outputs[j] = bias;
  const float *source = t->source + block.channel, *filters = t->filters + block.channel;
  for (int row = 0; row < t->rows; source = next_row(t, source, row), row++) {
    Vector weights[5];
    UNROLL for (int k = 0; k < size; k++, filters += t->channels) weights[k] = load(filters);
    const float *from = source;
    UNROLL for (int i = 0; i < reads; i++, from += t->sourcePixel) {
      // Padding is narrower than a filter.
      const bool mayBeBeside = i < size - 1 || i > reads - size;
      if (mayBeBeside && (i < t->firstColumn || i >= t->endColumn)) continue;
      const Vector x = load(from);
      UNROLL for (int k = 0; k < size; k++) {
        const int j = (i - k) / stride;
        if (i >= k && (i - k) % stride == 0 && j < columns) outputs[j] += weights[k] * x;
      }
    }
  }
  finish_tile(t, block, outputs, columns);
}

INLINE void convolve(
    const DepthwiseTile *t, const int size, const int stride, const int columns) {
  for (ptrdiff_t i = t->blocks.start; i < t->blocks.end; i++)
    convolve_block(t, block_at(t, i), size, stride, columns);
}

/// One column of outputs for filters of any size.
static void convolve_any(const DepthwiseTile *t) {
  for (ptrdiff_t index = t->blocks.start; index < t->blocks.end; index++) {
    const Block block = block_at(t, index);
    const float *source = t->source + block.channel, *filters = t->filters + block.channel;
    Vector output =
        t->bias ? load_channels(t->bias + block.channel, t->channels) : (Vector)0;
    for (int row = 0; row < t->rows; row++) {
      for (int i = t->firstColumn; i < t->endColumn; i++)
        output += load_channels(filters + i * t->channels, t->channels)
            * load_channels(source + i * t->sourcePixel, t->channels);
      source = next_row(t, source, row);
      filters += t->filterWidth * t->channels;
    }
    finish_tile(t, block, &output, 1);
  }
}

#define NAME(size, stride, columns) convolve##size##_##stride##x##columns
#define CONVOLVE(columns, size, stride) \
  static void NAME(size, stride, columns)(const DepthwiseTile *t) { \
    convolve(t, size, stride, columns); \
  }
#define CONVOLVE4(columns) \
  CONVOLVE(columns, 3, 1) CONVOLVE(columns, 3, 2) CONVOLVE(columns, 5, 1) CONVOLVE(columns, 5, 2)
CONVOLVE4(1)
CONVOLVE4(2)
CONVOLVE4(3)
CONVOLVE4(4)
CONVOLVE4(5)
CONVOLVE4(6)
CONVOLVE4(7)
CONVOLVE4(8)
#if LANES == 16
CONVOLVE4(9)
CONVOLVE4(10)
CONVOLVE4(11)
CONVOLVE4(12)
CONVOLVE4(13)
CONVOLVE4(14)
#define NAMES(size, stride) \
  { \
    NAMES8(size, stride), NAME(size, stride, 9), NAME(size, stride, 10), \
        NAME(size, stride, 11), NAME(size, stride, 12), NAME(size, stride, 13), \
        NAME(size, stride, 14) \
  }
#else
#define NAMES(size, stride) {NAMES8(size, stride)}
#endif
#define NAMES8(size, stride) \
  NAME(size, stride, 1), NAME(size, stride, 2), NAME(size, stride, 3), NAME(size, stride, 4), \
      NAME(size, stride, 5), NAME(size, stride, 6), NAME(size, stride, 7), NAME(size, stride, 8)

/// By the size of the filters (3 and 5), the stride and the number of columns, each less one.
static void (*const convolutions[2][2][mostColumns])(const DepthwiseTile *) = {
    {NAMES(3, 1), NAMES(3, 2)},
    {NAMES(5, 1), NAMES(5, 2)},
};
#undef NAME
#undef CONVOLVE
#undef CONVOLVE4
#undef NAMES
#undef NAMES8
