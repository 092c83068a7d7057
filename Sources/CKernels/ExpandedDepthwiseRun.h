// One thread's share, row by row of outputs: the rows of the 1×1 convolution's result that it needs
// and that are not there yet are made in a ring of as many as filters have, then read. Included once
// for each instruction set.
#include <string.h>

#include "Vector.h"

#include "VectorActivation.h"
#include "VectorFinish.h"
#include "DepthwiseTile.h"
#include "Im2colProduct.h"

typedef struct {
  const CKExpandedDepthwise *shape;
  ExpandedDepthwisePlan plan;
  const float *source;
  const CKExpandedDepthwiseFilters *filters;
  float *destination, *rowSums;
  /// `[blocks][LANES]`
  float *expandingBias, *depthwiseBias;
  /// `[blocks of a task, or of a panel][rows][columns][LANES]`
  float *ring;
  /// `[input blocks][rows][columns][LANES]`
  float *gathered;
  /// Where each column of a row lies in the ring.
  ptrdiff_t places[COLUMNS];
  bool isFast;
} Work;

/// What of an image a thread computes at a time.
typedef struct {
  ptrdiff_t image;
  /// Of outputs.
  Range rows;
  Range panels;
} Task;

static void copy_bias(const Work *work, const float *bias, float *to) {
  const size_t count = bias ? (size_t)work->shape->channels : 0;
  if (bias) memcpy(to, bias, count * sizeof(float));
  memset(to + count, 0, ((size_t)work->plan.blocks * LANES - count) * sizeof(float));
}

/// Where a row lies in a ring.
static ptrdiff_t slot(const Work *work, ptrdiff_t row) {
  return row % work->plan.ringRows * work->shape->width * LANES;
}

/// The rows that are kept of a block.
static float *ring_of(const Work *work, const Task *task, int block) {
  const ptrdiff_t first = work->plan.isSmall ? block / panelBlocks : task->panels.start;
  return work->ring + (block - first * panelBlocks) * ring_floats(work->shape, &work->plan);
}

/// Copies a row of the source into blocks.
static void gather_row(const Work *work, ptrdiff_t image, ptrdiff_t row) {
  const CKExpandedDepthwise *shape = work->shape;
  const CKImageStrides *strides = &shape->source;
  const float *source = work->source + image * strides->image + row * strides->row;
  float *gathered = work->gathered + slot(work, row);
  for (int first = 0; first < shape->inputs; first += LANES) {
    const int left = shape->inputs - first;
    const float *from = source + first / LANES * strides->block;
    float *to = gathered + first / LANES * ring_floats(shape, &work->plan);
    for (int i = 0; i < shape->width; i++, from += strides->pixel, to += LANES) {
      if (left >= LANES)
        store(to, load(from));
      else
        memcpy(to, from, (size_t)left * sizeof(float));
    }
  }
}

/// Makes some rows of the 1×1 convolution's result, which lie one after the other in the ring.
static void expand(const Work *work, const Task *task, Range rows, int panel) {
  const CKExpandedDepthwise *shape = work->shape;
  const ExpandedDepthwisePlan *plan = &work->plan;
  const int first = panel * panelBlocks, left = plan->blocks - first;
  const int blocks = left < panelBlocks ? left : panelBlocks;
  const ptrdiff_t ring = ring_floats(shape, plan);
  const CKImageStrides *strides = &shape->source;
  const float *source = plan->readsSource
      ? work->source + task->image * strides->image + rows.start * strides->row
      : work->gathered + slot(work, rows.start);
  float *to = ring_of(work, task, first) + slot(work, rows.start);
  const float *filters = work->filters->expanding + (ptrdiff_t)first * LANES * shape->inputs;
  const ptrdiff_t pixels = (rows.end - rows.start) * shape->width;
  Product product = {
      .filters = filters,
      .next = (const char *)filters,
      .taps = 1,
      .inputs = shape->inputs,
      .sourceBlock = plan->readsSource ? strides->block : ring,
      // What comes next.
      .ahead = plan->readsSource ? pixels * LANES : 0,
      .finish = {
          .places = work->places,
          .destinationBlock = ring,
          .outputs = blocks * LANES,
          .activation = shape->expandedActivation,
          .parameter = shape->expandedParameter,
      },
  };
  for (int b = 0; b < blocks; b++)
    product.bias[b] = load(work->expandingBias + (first + b) * LANES);
  const int tiles = (int)ceiling(pixels, COLUMNS);
  for (int i = 0; i < tiles; i++) {
    const Range tile = part((Range){0, pixels}, i, tiles);
    product.source = source + tile.start * LANES;
    product.finish.destination = to + tile.start * LANES;
    multiplications[tile.end - tile.start - 1][blocks - 1](&product);
  }
}

/// What of `count` rows or columns from `first` on lies in an image of some size.
static Range inside(ptrdiff_t first, ptrdiff_t count, ptrdiff_t size) {
  const ptrdiff_t start = first < 0 ? -first : 0;
  const ptrdiff_t end = size - first < count ? size - first : count;
  return (Range){start, end < start ? start : end};
}

/// A block of a row of outputs, from the rows in the ring.
static void run_row(const Work *work, const Task *task, ptrdiff_t row, int block) {
  const CKExpandedDepthwise *shape = work->shape;
  const ExpandedDepthwisePlan *plan = &work->plan;
  const ptrdiff_t top = row * shape->verticalStride - shape->top;
  const Range rows = inside(top, shape->filterHeight, shape->height);
  const ptrdiff_t first = top + rows.start;
  const ptrdiff_t taps = (ptrdiff_t)shape->filterHeight * shape->filterWidth;
  const float *source = ring_of(work, task, block) + slot(work, first);
  float *destination = work->destination + task->image * shape->destination.image
      + block * shape->destination.block + row * shape->destination.row;
  DepthwiseTile tile = {
      .sourceRow = (ptrdiff_t)shape->width * LANES,
      .sourcePixel = LANES,
      .wrapRow = (int)(plan->ringRows - first % plan->ringRows),
      .wrap = ring_floats(shape, plan),
      .filters = work->filters->depthwise
          + (block * taps + rows.start * shape->filterWidth) * LANES,
      .bias = work->depthwiseBias + block * LANES,
      .channels = LANES,
      .blocks = {0, 1},
      .rows = (int)(rows.end - rows.start),
      .filterWidth = shape->filterWidth,
      .destinationPixel = shape->destination.pixel,
      .activation = shape->activation,
      .parameter = shape->parameter,
  };
  if (work->rowSums)
    tile.sums = work->rowSums
        + (task->image * plan->outputHeight + row) * shape->channels + block * LANES;
  const int tiles = work->isFast ? (int)ceiling(plan->outputWidth, mostColumns) : plan->outputWidth;
  for (int i = 0; i < tiles; i++) {
    const Range columns = part((Range){0, plan->outputWidth}, i, tiles);
    const ptrdiff_t count = columns.end - columns.start;
    const ptrdiff_t left = columns.start * shape->horizontalStride - shape->left;
    const Range reading = inside(
        left, (count - 1) * shape->horizontalStride + shape->filterWidth, shape->width);
    tile.source = source + left * LANES;
    tile.firstColumn = (int)reading.start;
    tile.endColumn = (int)reading.end;
    tile.destination = destination + columns.start * shape->destination.pixel;
    tile.addsSums = i > 0;
    if (work->isFast)
      convolutions[shape->filterWidth / 2 - 1][shape->horizontalStride - 1][count - 1](&tile);
    else
      convolve_any(&tile);
  }
}

/// Makes the rows that are not in the ring yet, then some rows of outputs from them.
static void run_rows(const Work *work, const Task *task, Range rows, Range made) {
  const int blocks = work->plan.blocks;
  if (!work->plan.readsSource)
    for (ptrdiff_t y = made.start; y < made.end; y++) gather_row(work, task->image, y);
  for (int panel = (int)task->panels.start; panel < task->panels.end; panel++) {
    for (ptrdiff_t y = made.start; y < made.end;) {
      const ptrdiff_t whole = work->plan.ringRows - y % work->plan.ringRows;
      const ptrdiff_t end = y + whole < made.end ? y + whole : made.end;
      expand(work, task, (Range){y, end}, panel);
      y = end;
    }
    for (ptrdiff_t row = rows.start; row < rows.end; row++)
      for (int b = panel * panelBlocks; b < (panel + 1) * panelBlocks && b < blocks; b++)
        run_row(work, task, row, b);
  }
}

static void run_task(const Work *work, const Task *task) {
  const CKExpandedDepthwise *shape = work->shape;
  const ptrdiff_t height = shape->height, stride = shape->verticalStride;
  ptrdiff_t made = 0;
  for (ptrdiff_t row = task->rows.start; row < task->rows.end;) {
    const ptrdiff_t end = work->plan.isSmall ? task->rows.end : row + 1;
    const ptrdiff_t top = row * stride - shape->top;
    const ptrdiff_t bottom = (end - 1) * stride - shape->top + shape->filterHeight;
    if (made < top) made = top < height ? top : height;
    const ptrdiff_t needed = bottom < height ? bottom : height;
    run_rows(work, task, (Range){row, end}, (Range){made, needed});
    if (made < needed) made = needed;
    row = end;
  }
}

static bool is_fast(const CKExpandedDepthwise *c) {
  const int size = c->filterWidth, stride = c->horizontalStride;
  return (size == 3 || size == 5) && (stride == 1 || stride == 2) && c->left < size
      && c->right < size;
}

void VARIANT(expanded_depthwise_run)(
    const CKExpandedDepthwise *convolutions, const float *source,
    const CKExpandedDepthwiseFilters *filters, float *destination, float *rowSums, float *scratch,
    int thread) {
  Work work = {
      .shape = convolutions,
      .plan = expanded_depthwise_plan(convolutions),
      .source = source,
      .filters = filters,
      .destination = destination,
      .rowSums = rowSums,
      .expandingBias = scratch,
      .isFast = is_fast(convolutions),
  };
  const ExpandedDepthwisePlan *plan = &work.plan;
  work.depthwiseBias = work.expandingBias + plan->blocks * LANES;
  work.ring = work.depthwiseBias + plan->blocks * LANES;
  work.gathered = work.ring + task_blocks(plan) * ring_floats(convolutions, plan);
  for (int j = 0; j < COLUMNS; j++) work.places[j] = j * LANES;
  copy_bias(&work, filters->expandingBias, work.expandingBias);
  copy_bias(&work, filters->depthwiseBias, work.depthwiseBias);
  const ptrdiff_t imageTasks = (ptrdiff_t)plan->parts * plan->bands;
  const Range tasks =
      part((Range){0, convolutions->images * imageTasks}, thread, convolutions->threads);
  for (ptrdiff_t i = tasks.start; i < tasks.end; i++) {
    const int index = (int)(i % imageTasks);
    const Task task = {
        .image = i / imageTasks,
        .rows = part((Range){0, plan->outputHeight}, index / plan->parts, plan->bands),
        .panels = part((Range){0, plan->panels}, index % plan->parts, plan->parts),
    };
    run_task(&work, &task);
  }
}
