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
  /// `[blocks of a task][rows][columns][LANES]`
  float *ring;
  /// `[rows][input blocks][columns][LANES]`
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

/// Copies a row of the source into blocks.
static void gather_row(const Work *work, const float *source, float *to) {
  const CKExpandedDepthwise *shape = work->shape;
  for (int first = 0; first < shape->inputs; first += LANES) {
    const int left = shape->inputs - first;
    const float *from = source + first / LANES * shape->source.block;
    for (int i = 0; i < shape->width; i++, from += shape->source.pixel, to += LANES) {
      if (left >= LANES)
        store(to, load(from));
      else
        memcpy(to, from, (size_t)left * sizeof(float));
    }
  }
}

static float *gathered_row(const Work *work, ptrdiff_t row) {
  const ptrdiff_t size = (ptrdiff_t)work->plan.inputBlocks * work->shape->width * LANES;
  return work->gathered + row % work->plan.ringRows * size;
}

/// Makes a row of the 1×1 convolution's result, of the panel that is `index` blocks into the ring.
static void expand_row(const Work *work, const Task *task, ptrdiff_t row, int panel) {
  const CKExpandedDepthwise *shape = work->shape;
  const ExpandedDepthwisePlan *plan = &work->plan;
  const int first = panel * panelBlocks, left = plan->blocks - first;
  const int blocks = left < panelBlocks ? left : panelBlocks;
  const ptrdiff_t ring = ring_floats(shape, plan), line = (ptrdiff_t)shape->width * LANES;
  const float *source = plan->readsSource
      ? work->source + task->image * shape->source.image + row * shape->source.row
      : gathered_row(work, row);
  float *to = work->ring + (first - task->panels.start * panelBlocks) * ring
      + row % plan->ringRows * line;
  const float *filters = work->filters->expanding + (ptrdiff_t)first * LANES * shape->inputs;
  Product product = {
      .filters = filters,
      .next = (const char *)filters,
      .taps = 1,
      .inputs = shape->inputs,
      .sourceBlock = plan->readsSource ? shape->source.block : line,
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
  const int tiles = (int)ceiling(shape->width, COLUMNS);
  for (int i = 0; i < tiles; i++) {
    const Range columns = part((Range){0, shape->width}, i, tiles);
    product.source = source + columns.start * LANES;
    product.finish.destination = to + columns.start * LANES;
    multiplications[columns.end - columns.start - 1][blocks - 1](&product);
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
  const ptrdiff_t line = (ptrdiff_t)shape->width * LANES, ring = ring_floats(shape, plan);
  const ptrdiff_t slot = (top + rows.start) % plan->ringRows;
  const ptrdiff_t taps = (ptrdiff_t)shape->filterHeight * shape->filterWidth;
  const float *source =
      work->ring + (block - task->panels.start * panelBlocks) * ring + slot * line;
  float *destination = work->destination + task->image * shape->destination.image
      + block * shape->destination.block + row * shape->destination.row;
  DepthwiseTile tile = {
      .sourceRow = line,
      .sourcePixel = LANES,
      .wrapRow = (int)(plan->ringRows - slot),
      .wrap = ring,
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

static void run_task(const Work *work, const Task *task) {
  const CKExpandedDepthwise *shape = work->shape;
  const int blocks = work->plan.blocks;
  ptrdiff_t made = 0;
  for (ptrdiff_t row = task->rows.start; row < task->rows.end; row++) {
    const ptrdiff_t top = row * shape->verticalStride - shape->top;
    const Range seen = inside(top, shape->filterHeight, shape->height);
    const ptrdiff_t end = seen.end > seen.start ? top + seen.end : made;
    if (made < top + seen.start) made = top + seen.start;
    if (!work->plan.readsSource)
      for (ptrdiff_t y = made; y < end; y++)
        gather_row(
            work, work->source + task->image * shape->source.image + y * shape->source.row,
            gathered_row(work, y));
    for (int panel = (int)task->panels.start; panel < task->panels.end; panel++) {
      for (ptrdiff_t y = made; y < end; y++) expand_row(work, task, y, panel);
      for (int b = panel * panelBlocks; b < (panel + 1) * panelBlocks && b < blocks; b++)
        run_row(work, task, row, b);
    }
    if (made < end) made = end;
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
