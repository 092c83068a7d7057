// One thread's share: rows of all images, strip by strip of columns, so that the rows that the next
// one shares with it are still near. Included once for each instruction set.
#include <string.h>

#include "Vector.h"

#include "VectorActivation.h"
#include "VectorFinish.h"
#include "DepthwiseTile.h"

typedef struct {
  const CKDepthwise *shape;
  DepthwisePlan plan;
  const float *source, *filters, *bias;
  float *destination, *rowSums;
  /// Whether a kernel of its own exists for filters, stride and padding.
  bool isFast;
} Work;

static bool is_fast(const CKDepthwise *c) {
  const int size = c->filterWidth, stride = c->horizontalStride;
  return (size == 3 || size == 5) && (stride == 1 || stride == 2) && c->channels >= LANES
      && c->left < size && c->right < size;
}

/// The filter's rows or columns that lie in an image of some size, where the first lies at `first`.
static Range inside(ptrdiff_t first, int filter, int size) {
  const ptrdiff_t start = first < 0 ? -first : 0;
  const ptrdiff_t end = size - first < filter ? size - first : filter;
  return (Range){start, end < start ? start : end};
}

/// Columns of one row of one image's outputs, for some blocks of channels.
static void run_columns(const Work *work, int image, int row, Range columns, Range blocks) {
  const CKDepthwise *shape = work->shape;
  const int count = (int)(columns.end - columns.start);
  const ptrdiff_t top = (ptrdiff_t)row * shape->verticalStride - shape->top;
  const ptrdiff_t left = columns.start * shape->horizontalStride - shape->left;
  const int reads = (count - 1) * shape->horizontalStride + shape->filterWidth;
  const Range rows = inside(top, shape->filterHeight, shape->height);
  const Range reading = inside(left, reads, shape->width);
  const ptrdiff_t line = (ptrdiff_t)image * work->plan.outputHeight + row;
  const DepthwiseTile tile = {
      .source = work->source + image * shape->source.image
          + (top + rows.start) * shape->source.row + left * shape->source.pixel,
      .sourceRow = shape->source.row,
      .sourcePixel = shape->source.pixel,
      .filters = work->filters + rows.start * shape->filterWidth * shape->channels,
      .bias = work->bias,
      .channels = shape->channels,
      .blocks = blocks,
      .rows = (int)(rows.end - rows.start),
      .firstColumn = (int)reading.start,
      .endColumn = (int)reading.end,
      .filterWidth = shape->filterWidth,
      .destination = work->destination + image * shape->destination.image
          + row * shape->destination.row + columns.start * shape->destination.pixel,
      .destinationPixel = shape->destination.pixel,
      .sums = work->rowSums ? work->rowSums + line * shape->channels : NULL,
      .addsSums = columns.start > 0,
      .activation = shape->activation,
      .parameter = shape->parameter,
  };
  if (work->isFast)
    convolutions[shape->filterWidth / 2 - 1][shape->horizontalStride - 1][count - 1](&tile);
  else
    convolve_any(&tile);
}

/// Some rows of an image's outputs, for some blocks of channels.
static void run_rows(const Work *work, int image, Range rows, Range blocks) {
  const int width = work->plan.outputWidth, tiles = work->isFast ? work->plan.tiles : width;
  for (int i = 0; i < tiles; i++) {
    const Range columns = part((Range){0, width}, i, tiles);
    for (ptrdiff_t row = rows.start; row < rows.end; row++)
      run_columns(work, image, (int)row, columns, blocks);
  }
}

void VARIANT(depthwise_run)(
    const CKDepthwise *convolution, const float *source, const float *filters, const float *bias,
    float *destination, float *rowSums, int thread) {
  const Work work = {
      .shape = convolution,
      .plan = depthwise_plan(convolution),
      .source = source,
      .filters = filters,
      .bias = bias,
      .destination = destination,
      .rowSums = rowSums,
      .isFast = is_fast(convolution),
  };
  const DepthwisePlan *plan = &work.plan;
  if (thread >= plan->rowParts * plan->blockParts) return;
  const ptrdiff_t height = plan->outputHeight;
  Range rows =
      part((Range){0, convolution->images * height}, thread / plan->blockParts, plan->rowParts);
  const Range blocks =
      part((Range){0, plan->blocks}, thread % plan->blockParts, plan->blockParts);
  while (rows.start < rows.end) {
    const ptrdiff_t image = rows.start / height, first = rows.start % height;
    const ptrdiff_t left = rows.end - rows.start;
    const ptrdiff_t count = left < height - first ? left : height - first;
    run_rows(&work, (int)image, (Range){first, first + count}, blocks);
    rows.start += count;
  }
}
