// One thread's share of a convolution of plain images, in bands of rows: what filters see is not
// gathered but read from a copy of the rows, with their padding, where columns that are a stride apart
// lie side by side. Included once for each instruction set.
#include <string.h>

#include "Vector.h"

#include "VectorActivation.h"
#include "VectorFinish.h"
#include "PanelFinish.h"

typedef struct {
  /// `[taps · inputs][blocks · LANES]`
  const float *filters;
  /// Of the first pixel, whose neighbours lie beside it, and where each row of the filters sees it.
  const float *source;
  const ptrdiff_t *offsets;
  ptrdiff_t rows;
  Vector bias[panelBlocks];
  Finish finish;
} Product;

INLINE void multiply(const Product *p, const int blocks, const int pixels) {
  Vector sums[panelBlocks][COLUMNS];
  UNROLL for (int b = 0; b < blocks; b++)
    UNROLL for (int j = 0; j < pixels; j++) sums[b][j] = p->bias[b];
  const float *filters = p->filters;
  for (ptrdiff_t row = 0; row < p->rows; row++, filters += blocks * LANES) {
    const float *source = p->source + p->offsets[row];
    Vector weights[panelBlocks];
    UNROLL for (int b = 0; b < blocks; b++) weights[b] = load(filters + b * LANES);
    UNROLL for (int j = 0; j < pixels; j++) {
      const float value = source[j];
      UNROLL for (int b = 0; b < blocks; b++) sums[b][j] += weights[b] * value;
    }
  }
  finish(&p->finish, sums, blocks, pixels);
}

#include "ProductTable.h"

typedef struct {
  const CKIm2col *shape;
  StemPlan plan;
  const float *source, *filters, *bias, *residual;
  float *destination;
  /// Where each row of the filters sees the first pixel of the copy.
  ptrdiff_t *offsets;
  /// `[inputs][copied rows][phases][columns]`
  float *copy;
} Work;

static void find_offsets(const Work *work) {
  const CKIm2col *shape = work->shape;
  const StemPlan *plan = &work->plan;
  ptrdiff_t *to = work->offsets;
  for (int y = 0; y < shape->filterHeight; y++)
    for (int x = 0; x < shape->filterWidth; x++) {
      const ptrdiff_t column = (ptrdiff_t)x * shape->horizontalDilation;
      const ptrdiff_t place = (ptrdiff_t)y * shape->verticalDilation * plan->row
          + column % shape->horizontalStride * plan->phase + column / shape->horizontalStride;
      for (int channel = 0; channel < shape->inputs; channel++)
        *to++ = channel * plan->copiedRows * plan->row + place;
    }
}

/// Every `stride`th float.
static void copy_strided(const float *from, ptrdiff_t stride, ptrdiff_t count, float *to) {
  if (stride == 1)
    memcpy(to, from, (size_t)count * sizeof(float));
  else if (stride == 2)
    for (ptrdiff_t i = 0; i < count; i++) to[i] = from[2 * i];
  else
    for (ptrdiff_t i = 0; i < count; i++) to[i] = from[stride * i];
}

/// Copies a row of the source, zeros around it, the columns that are a stride apart side by side.
static void copy_row(const Work *work, const float *from, float *to) {
  const CKIm2col *shape = work->shape;
  const ptrdiff_t stride = shape->horizontalStride, count = work->plan.phase;
  for (ptrdiff_t phase = 0; phase < stride; phase++, to += count) {
    // Column i of the phase is column i · stride + phase − left of the source.
    ptrdiff_t start = ceiling(shape->left > phase ? shape->left - phase : 0, stride);
    const ptrdiff_t beyond = (ptrdiff_t)shape->left + shape->width - phase;
    ptrdiff_t end = beyond > 0 ? ceiling(beyond, stride) : 0;
    if (end > count) end = count;
    if (start > end) start = end;
    memset(to, 0, (size_t)start * sizeof(float));
    if (start < end)
      copy_strided(
          from + start * stride + phase - shape->left, stride, end - start, to + start);
    memset(to + end, 0, (size_t)(count - end) * sizeof(float));
  }
}

/// Copies what `rows` rows of outputs see, from the first of them on.
static void copy_band(const Work *work, ptrdiff_t image, int first, int rows) {
  const CKIm2col *shape = work->shape;
  const StemPlan *plan = &work->plan;
  const int copied =
      (rows - 1) * shape->verticalStride + (shape->filterHeight - 1) * shape->verticalDilation + 1;
  const ptrdiff_t top = (ptrdiff_t)first * shape->verticalStride - shape->top;
  for (int channel = 0; channel < shape->inputs; channel++) {
    const float *plane =
        work->source + image * shape->source.image + channel * shape->source.block;
    float *to = work->copy + channel * plan->copiedRows * plan->row;
    for (ptrdiff_t y = top; y < top + copied; y++, to += plan->row) {
      if (y >= 0 && y < shape->height)
        copy_row(work, plane + y * shape->source.row, to);
      else
        memset(to, 0, (size_t)plan->row * sizeof(float));
    }
  }
}

/// A panel's outputs of a row, which lie from `place` on in the destination.
static void run_row(const Work *work, const float *source, ptrdiff_t place, int panel) {
  const CKIm2col *shape = work->shape;
  const int first = panel * panelBlocks * LANES, left = shape->outputs - first;
  const int width = left < panelBlocks * LANES ? left : panelBlocks * LANES;
  const ptrdiff_t offset = panel * panelBlocks * shape->destination.block;
  ptrdiff_t places[COLUMNS];
  Product product = {
      .filters = work->filters + first * work->plan.filterRows,
      .offsets = work->offsets,
      .rows = work->plan.filterRows,
      .finish = {
          .destination = work->destination + offset,
          .residual = work->residual ? work->residual + offset : NULL,
          .places = places,
          .destinationBlock = shape->destination.block,
          .outputs = shape->destination.pixel == LANES ? panelBlocks * LANES : width,
          .activation = shape->activation,
          .parameter = shape->parameter,
      },
  };
  if (work->bias) memcpy(product.bias, work->bias + first, (size_t)width * sizeof(float));
  const int blocks = (int)ceiling(width, LANES);
  const int parts = (int)ceiling(shape->outputWidth, COLUMNS);
  for (int i = 0; i < parts; i++) {
    const Range pixels = part((Range){0, shape->outputWidth}, i, parts);
    for (ptrdiff_t j = pixels.start; j < pixels.end; j++)
      places[j - pixels.start] = place + j * shape->destination.pixel;
    product.source = source + pixels.start;
    multiplications[pixels.end - pixels.start - 1][blocks - 1](&product);
  }
}

static void run_band(const Work *work, ptrdiff_t image, int first, int rows) {
  const CKImageStrides *strides = &work->shape->destination;
  copy_band(work, image, first, rows);
  for (int row = 0; row < rows; row++) {
    const float *source = work->copy + (ptrdiff_t)row * work->shape->verticalStride * work->plan.row;
    const ptrdiff_t place = image * strides->image + (first + row) * strides->row;
    for (int panel = 0; panel < work->plan.panels; panel++) run_row(work, source, place, panel);
  }
}

void VARIANT(stem_run)(
    const CKIm2col *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread) {
  Work work = {
      .shape = convolution,
      .plan = stem_plan(convolution),
      .source = source,
      .filters = filters,
      .bias = bias,
      .residual = residual,
      .destination = destination,
      .offsets = (ptrdiff_t *)scratch,
  };
  work.copy = scratch + offset_floats(&work.plan);
  find_offsets(&work);
  const ptrdiff_t height = convolution->outputHeight;
  const Range rows = part((Range){0, convolution->images * height}, thread, convolution->threads);
  for (ptrdiff_t row = rows.start; row < rows.end;) {
    const ptrdiff_t image = row / height, first = row % height;
    ptrdiff_t count = rows.end - row < height - first ? rows.end - row : height - first;
    if (count > work.plan.bandRows) count = work.plan.bandRows;
    run_band(&work, image, (int)first, (int)count);
    row += count;
  }
}
