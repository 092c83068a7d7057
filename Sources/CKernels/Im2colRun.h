// One thread's share, in chunks of pixels. Included once for each instruction set.
#include <string.h>

#include "Vector.h"

#include "VectorActivation.h"
#include "VectorFinish.h"
#include "Im2colProduct.h"

enum { mostChunkPixels = 256 };

typedef struct {
  const CKIm2col *shape;
  Im2colPlan plan;
  const float *source, *filters, *bias, *residual;
  float *destination;
  /// `[taps][input blocks][pixels][LANES]`
  float *rows;
} Work;

/// The pixels of a chunk: where each one's outputs lie, and which place in the source the first tap
/// of its filter sees.
typedef struct {
  ptrdiff_t count;
  /// `[taps][input blocks][pixels][LANES]`
  const float *source;
  ptrdiff_t places[mostChunkPixels];
  int image[mostChunkPixels], row[mostChunkPixels], column[mostChunkPixels];
} Chunk;

static void find_pixels(const Work *work, Range pixels, Chunk *chunk) {
  const CKIm2col *shape = work->shape;
  const CKImageStrides *strides = &shape->destination;
  chunk->count = pixels.end - pixels.start;
  int column = (int)(pixels.start % shape->outputWidth);
  const ptrdiff_t line = pixels.start / shape->outputWidth;
  int row = (int)(line % shape->outputHeight), image = (int)(line / shape->outputHeight);
  chunk->source = work->rows;
  if (work->plan.readsSource)
    chunk->source = work->source + image * shape->source.image + row * shape->source.row
        + column * shape->source.pixel;
  for (ptrdiff_t i = 0; i < chunk->count; i++) {
    chunk->places[i] = image * strides->image + row * strides->row + column * strides->pixel;
    chunk->image[i] = image;
    chunk->row[i] = row * shape->verticalStride - shape->top;
    chunk->column[i] = column * shape->horizontalStride - shape->left;
    if (++column < shape->outputWidth) continue;
    column = 0;
    if (++row < shape->outputHeight) continue;
    row = 0;
    image++;
  }
}

/// Copies one block of channels of some pixels, zeros for those that are not in the image.
static void copy_block(
    const float *const *from, ptrdiff_t offset, int channels, ptrdiff_t count, float *to) {
  for (ptrdiff_t i = 0; i < count; i++, to += LANES) {
    if (!from[i])
      store(to, (Vector)0);
    else if (channels == LANES)
      store(to, load(from[i] + offset));
    else
      memcpy(to, from[i] + offset, (size_t)channels * sizeof(float));
  }
}

/// Gathers what one tap of the filters sees.
static void gather_tap(const Work *work, const Chunk *chunk, int tap, float *to) {
  const CKIm2col *shape = work->shape;
  const CKImageStrides *strides = &shape->source;
  const ptrdiff_t row = (ptrdiff_t)(tap / shape->filterWidth) * shape->verticalDilation;
  const ptrdiff_t column = (ptrdiff_t)(tap % shape->filterWidth) * shape->horizontalDilation;
  const float *from[mostChunkPixels];
  for (ptrdiff_t i = 0; i < chunk->count; i++) {
    const ptrdiff_t y = chunk->row[i] + row, x = chunk->column[i] + column;
    const bool isInside = y >= 0 && y < shape->height && x >= 0 && x < shape->width;
    const ptrdiff_t place =
        chunk->image[i] * strides->image + y * strides->row + x * strides->pixel;
    from[i] = isInside ? work->source + place : NULL;
  }
  for (int block = 0; block < work->plan.inputBlocks; block++, to += chunk->count * LANES) {
    const int left = shape->inputs - block * LANES;
    const bool isWhole = strides->pixel == LANES || left >= LANES;
    copy_block(from, block * strides->block, isWhole ? LANES : left, chunk->count, to);
  }
}

static void gather(const Work *work, const Chunk *chunk, Range taps) {
  float *to = work->rows;
  for (int tap = (int)taps.start; tap < taps.end; tap++) {
    gather_tap(work, chunk, tap, to);
    to += work->plan.inputBlocks * chunk->count * LANES;
  }
}

/// What one pass does for all pixels of a chunk and a panel. The first one adds bias and residual,
/// the others what the one before left in the destination; the last one applies the activation.
static Product product_of_panel(const Work *work, const Chunk *chunk, Range taps, int panel) {
  const CKIm2col *shape = work->shape;
  const Im2colPlan *plan = &work->plan;
  const int first = panel * panelBlocks, left = shape->outputs - first * LANES;
  const int width = left < panelBlocks * LANES ? left : panelBlocks * LANES;
  const bool isFirst = taps.start == 0, isLast = taps.end == plan->taps;
  const float *added = isFirst ? work->residual : work->destination;
  const ptrdiff_t offset = first * shape->destination.block;
  Product product = {
      .source = chunk->source,
      .taps = (int)(taps.end - taps.start),
      .inputs = shape->inputs,
      .sourceBlock = plan->readsSource ? shape->source.block : chunk->count * LANES,
      .ahead = 2 * (plan->readsSource ? shape->source.block : chunk->count * LANES),
      .finish = {
          .destination = work->destination + offset,
          .residual = added ? added + offset : NULL,
          .destinationBlock = shape->destination.block,
          .outputs = shape->destination.pixel == LANES ? panelBlocks * LANES : width,
          .activation = isLast ? shape->activation : CKActivationNone,
          .parameter = shape->parameter,
      },
  };
  if (work->bias && isFirst)
    memcpy(product.bias, work->bias + first * LANES, (size_t)width * sizeof(float));
  return product;
}

static int blocks_of_panel(const Work *work, int panel) {
  const int left = work->plan.outputBlocks - panel * panelBlocks;
  return left < panelBlocks ? left : panelBlocks;
}

/// A panel's filters from a tap on.
static const float *filters_at(const Work *work, int panel, ptrdiff_t tap) {
  return work->filters + panel * panel_stride(&work->plan)
      + tap * work->shape->inputs * blocks_of_panel(work, panel) * LANES;
}

/// One pass over a panel. `next` is the panel that follows, whose filters are fetched meanwhile,
/// evenly over time: many of them are too large for the caches.
static void run_panel(const Work *work, const Chunk *chunk, Range taps, int panel, int next) {
  const int blocks = blocks_of_panel(work, panel);
  const int parts = (int)ceiling(chunk->count, COLUMNS);
  Product product = product_of_panel(work, chunk, taps, panel);
  product.filters = filters_at(work, panel, taps.start);
  product.nextStep = panelBlocks * LANES * (ptrdiff_t)sizeof(float) / parts;
  product.next = (const char *)filters_at(work, next, taps.start);
  for (int i = 0; i < parts; i++) {
    const Range pixels = part((Range){0, chunk->count}, i, parts);
    product.source = chunk->source + pixels.start * LANES;
    product.finish.places = chunk->places + pixels.start;
    multiplications[pixels.end - pixels.start - 1][blocks - 1](&product);
    product.next += (taps.end - taps.start) * work->shape->inputs * product.nextStep;
  }
}

static void run_chunk(const Work *work, Range pixels, Range panels) {
  const Im2colPlan *plan = &work->plan;
  Chunk chunk;
  find_pixels(work, pixels, &chunk);
  for (int pass = 0; pass < plan->passes; pass++) {
    const Range taps = part((Range){0, plan->taps}, pass, plan->passes);
    if (!plan->readsSource) gather(work, &chunk, taps);
    for (int panel = (int)panels.start; panel < panels.end; panel++) {
      const int next = panel + 1 < panels.end ? panel + 1 : (int)panels.start;
      run_panel(work, &chunk, taps, panel, next);
    }
  }
}

void VARIANT(im2col_run)(
    const CKIm2col *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread) {
  const Work work = {
      .shape = convolution,
      .plan = im2col_plan(convolution),
      .source = source,
      .filters = filters,
      .bias = bias,
      .residual = residual,
      .destination = destination,
      .rows = scratch,
  };
  const Im2colPlan *plan = &work.plan;
  if (thread >= plan->chunkParts * plan->panelParts) return;
  const Range chunks =
      part((Range){0, plan->runs * plan->runChunks}, thread / plan->panelParts, plan->chunkParts);
  const Range panels =
      part((Range){0, plan->panels}, thread % plan->panelParts, plan->panelParts);
  for (ptrdiff_t i = chunks.start; i < chunks.end; i++) {
    const ptrdiff_t start = i / plan->runChunks * plan->runPixels;
    const Range run = {start, start + plan->runPixels};
    run_chunk(&work, part(run, (int)(i % plan->runChunks), plan->runChunks), panels);
  }
}
