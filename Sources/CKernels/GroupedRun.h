// One thread's share of a convolution in groups: a vector of outputs at a time, down strips of
// columns. The three rows that a row of outputs sees are copied with their padding, so that they lie
// side by side in the first-level cache whatever the layout. Included once for each instruction set.
#include <string.h>

#include "Vector.h"

#include "VectorActivation.h"
#include "VectorFinish.h"
#include "GroupedTile.h"

/// Each group's channel `i`, in all lanes of the group.
#if LANES == 16
#define SPREAD4(i) \
  i, i, i, i, 4 + i, 4 + i, 4 + i, 4 + i, 8 + i, 8 + i, 8 + i, 8 + i, 12 + i, 12 + i, 12 + i, 12 + i
#define SPREAD8(i) i, i, i, i, i, i, i, i, 8 + i, 8 + i, 8 + i, 8 + i, 8 + i, 8 + i, 8 + i, 8 + i
#else
#define SPREAD4(i) i, i, i, i, 4 + i, 4 + i, 4 + i, 4 + i
#define SPREAD8(i) i, i, i, i, i, i, i, i
#endif
#define STORE(spread, i) store(to + (i) * step, __builtin_shufflevector(x, x, spread(i)))

INLINE void spread4(Vector x, float *to, ptrdiff_t step) {
  STORE(SPREAD4, 0);
  STORE(SPREAD4, 1);
  STORE(SPREAD4, 2);
  STORE(SPREAD4, 3);
}

INLINE void spread8(Vector x, float *to, ptrdiff_t step) {
  STORE(SPREAD8, 0);
  STORE(SPREAD8, 1);
  STORE(SPREAD8, 2);
  STORE(SPREAD8, 3);
  STORE(SPREAD8, 4);
  STORE(SPREAD8, 5);
  STORE(SPREAD8, 6);
  STORE(SPREAD8, 7);
}
#undef STORE
#undef SPREAD4
#undef SPREAD8

typedef struct {
  const CKGrouped *shape;
  const float *source, *filters, *bias;
  float *destination, *copy;
} Work;

/// Columns of one vector of outputs of an image.
typedef struct {
  int image, block;
  Range columns;
  /// Columns of the source that they see, and floats of the copy of one row of them.
  int reach;
  ptrdiff_t rowSize;
} Strip;

/// Copies what lies in the image of a row of the source, which begins at `from`, between zeros.
static void copy_row(const Work *work, const Strip *strip, const float *from, float *to) {
  const CKGrouped *shape = work->shape;
  const ptrdiff_t reach = strip->reach, step = reach * LANES;
  const ptrdiff_t left = strip->columns.start * shape->stride - shape->left;
  const ptrdiff_t start = left < 0 ? -left : 0;
  const ptrdiff_t end = shape->width - left < reach ? shape->width - left : reach;
  for (ptrdiff_t i = 0; i < copied_vectors(shape); i++) {
    for (ptrdiff_t j = 0; j < start && j < reach; j++) store(to + i * step + j * LANES, (Vector)0);
    for (ptrdiff_t j = end < start ? start : end; j < reach; j++)
      store(to + i * step + j * LANES, (Vector)0);
  }
  const ptrdiff_t pixel = shape->source.pixel;
  from += left * pixel;
  if (has_whole_vectors(shape)) {
    for (ptrdiff_t i = 0; i < copied_vectors(shape); i++)
      for (ptrdiff_t j = start; j < end; j++)
        store(to + i * step + j * LANES, load(from + i * shape->source.block + j * pixel));
  } else if (shape->groupChannels == 4) {
    for (ptrdiff_t j = start; j < end; j++) spread4(load(from + j * pixel), to + j * LANES, step);
  } else {
    for (ptrdiff_t j = start; j < end; j++) spread8(load(from + j * pixel), to + j * LANES, step);
  }
}

/// Some rows of a strip; the copies of rows that the next ones see too stay where they are.
static void run_strip(const Work *work, const Strip *strip, Range rows) {
  const CKGrouped *shape = work->shape;
  const int groupBlocks = has_whole_vectors(shape) ? shape->groupChannels / LANES : 1;
  const float *source = work->source + strip->image * shape->source.image
      + strip->block / groupBlocks * groupBlocks * shape->source.block;
  float *destination = work->destination + strip->image * shape->destination.image
      + strip->block * shape->destination.block + strip->columns.start * shape->destination.pixel;
  const int columns = (int)(strip->columns.end - strip->columns.start);
  GroupedTile tile = {
      .filters = work->filters
          + (ptrdiff_t)strip->block * groupedTaps * groupedTaps * shape->groupChannels * LANES,
      .bias = work->bias ? work->bias + strip->block * LANES : NULL,
      .inputs = shape->groupChannels,
      .pixel = shape->destination.pixel,
      .activation = shape->activation,
      .parameter = shape->parameter,
  };
  // Rows are counted from the first of the padding.
  ptrdiff_t copied = rows.start * shape->stride;
  for (ptrdiff_t row = rows.start; row < rows.end; row++) {
    const ptrdiff_t first = row * shape->stride;
    for (; copied < first + groupedTaps; copied++) {
      float *to = work->copy + copied % groupedTaps * strip->rowSize;
      const ptrdiff_t y = copied - shape->top;
      if (y >= 0 && y < shape->height)
        copy_row(work, strip, source + y * shape->source.row, to);
      else
        memset(to, 0, (size_t)strip->rowSize * sizeof(float));
    }
    for (int k = 0; k < groupedTaps; k++)
      tile.rows[k] = work->copy + (first + k) % groupedTaps * strip->rowSize;
    tile.destination = destination + row * shape->destination.row;
    convolutions[shape->stride - 1][has_whole_vectors(shape)][columns - 1](&tile);
  }
}

void VARIANT(grouped_run)(
    const CKGrouped *convolution, const float *source, const float *filters, const float *bias,
    float *destination, float *scratch, int thread) {
  const Work work = {
      .shape = convolution,
      .source = source,
      .filters = filters,
      .bias = bias,
      .destination = destination,
      .copy = scratch,
  };
  const ptrdiff_t height = convolution->outputHeight, width = convolution->outputWidth;
  const int blocks = convolution->channels / LANES, strips = (int)ceiling(width, strip_columns(convolution));
  Range left = part(
      (Range){0, (ptrdiff_t)convolution->images * blocks * height}, thread, convolution->threads);
  while (left.start < left.end) {
    const ptrdiff_t plane = left.start / height, first = left.start % height;
    const ptrdiff_t count =
        left.end - left.start < height - first ? left.end - left.start : height - first;
    for (int i = 0; i < strips; i++) {
      Strip strip = {
          .image = (int)(plane / blocks),
          .block = (int)(plane % blocks),
          .columns = part((Range){0, width}, i, strips),
      };
      strip.reach =
          grouped_reach(convolution, (int)(strip.columns.end - strip.columns.start));
      strip.rowSize = strip.reach * copied_vectors(convolution) * LANES;
      run_strip(&work, &strip, (Range){first, first + count});
    }
    left.start += count;
  }
}
