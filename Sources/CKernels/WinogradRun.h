// One thread's share, in chunks of tiles whose transforms stay in the second-level cache. Included
// once for each instruction set.
#include <string.h>

#include "Vector.h"
#include "WinogradPoints.h"

#include "VectorActivation.h"
#include "WinogradFinish.h"
#include "WinogradProduct.h"
#include "WinogradTransform2.h"
#include "WinogradTransform4.h"

typedef struct {
  const CKWinograd *shape;
  WinogradPlan plan;
  const float *source, *filters, *bias, *residual;
  float *destination;
  /// The transformed source, `[points][input blocks][tiles][LANES]`.
  float *transformed;
  /// `[panelBlocks][tiles][points][LANES]`
  float *products;
} Work;

/// A tile's image and its place there.
typedef struct {
  int image, row, column;
} Tile;

static Tile tile_at(const WinogradPlan *plan, ptrdiff_t index) {
  const ptrdiff_t line = index / plan->tileColumns;
  return (Tile){
      .image = (int)(line / plan->tileRows),
      .row = (int)(line % plan->tileRows),
      .column = (int)(index % plan->tileColumns),
  };
}

static Tile tile_after(const WinogradPlan *plan, Tile tile) {
  if (++tile.column < plan->tileColumns) return tile;
  tile.column = 0;
  if (++tile.row < plan->tileRows) return tile;
  tile.row = 0;
  tile.image++;
  return tile;
}

/// Larger destinations leave the second-level caches of a few cores.
enum { streamedBytes = 8 << 20 };

static int smallest(int a, int b) { return a < b ? a : b; }

/// How many channels of a block lie in memory.
static int channels_in_memory(ptrdiff_t pixel, int channels, int block) {
  return pixel == LANES ? LANES : smallest(channels - block * LANES, LANES);
}

/// Copies what a tile reads of the image, and zeros for the rest.
static void read_patch(
    const CKWinograd *shape, const float *image, int top, int left, int channels, int side,
    float *patch) {
  memset(patch, 0, (size_t)side * side * LANES * sizeof(float));
  const int start = left < 0 ? -left : 0, end = smallest(side, shape->width - left);
  for (int i = 0; i < side; i++) {
    if (top + i < 0 || top + i >= shape->height) continue;
    for (int j = start; j < end; j++) {
      const float *pixel =
          image + (top + i) * shape->source.row + (left + j) * shape->source.pixel;
      float *to = patch + (i * side + j) * LANES;
      if (channels == LANES)
        store(to, load(pixel));
      else
        memcpy(to, pixel, (size_t)channels * sizeof(float));
    }
  }
}

/// Fetches what the tile below will read first, into the second-level cache; the processor does not
/// foresee so many rows at once.
INLINE void fetch_below(
    const float *from, ptrdiff_t row, ptrdiff_t pixel, const int size, const int side) {
  UNROLL for (int i = side; i < side + size; i++)
    UNROLL for (int j = side - size; j < side; j++)
      __builtin_prefetch(from + i * row + j * pixel, 0, 2);
}

INLINE void transform_tile(
    const Work *work, Tile tile, int block, float *to, const int size) {
  const CKWinograd *shape = work->shape;
  const int side = size + 2;
  const int top = tile.row * size - shape->top, left = tile.column * size - shape->left;
  const int channels = channels_in_memory(shape->source.pixel, shape->inputs, block);
  const float *from =
      work->source + tile.image * shape->source.image + block * shape->source.block;
  ptrdiff_t row = shape->source.row, pixel = shape->source.pixel;
  float patch[36 * LANES];
  if (top >= 0 && left >= 0 && top + side <= shape->height && left + side <= shape->width
      && channels == LANES) {
    from += top * row + left * pixel;
    fetch_below(from, row, pixel, size, side);
  } else {
    read_patch(shape, from, top, left, channels, side, patch);
    from = patch;
    row = side * LANES;
    pixel = LANES;
  }
  if (size == 4)
    transform_source4(from, row, pixel, to, work->plan.pointStride);
  else
    transform_source2(from, row, pixel, to, work->plan.pointStride);
}

static void transform_block(const Work *work, Tile tile, int block, float *to) {
  if (work->shape->tile == 4)
    transform_tile(work, tile, block, to, 4);
  else
    transform_tile(work, tile, block, to, 2);
}

/// Reads images in the order in which they lie: all channels of a tile, or all tiles of a block.
static void transform_source(const Work *work, Range tiles) {
  const ptrdiff_t count = tiles.end - tiles.start;
  const int blocks = work->plan.inputBlocks;
  const int inner = work->shape->source.pixel == LANES ? 1 : blocks;
  for (int first = 0; first < blocks; first += inner) {
    Tile tile = tile_at(&work->plan, tiles.start);
    for (ptrdiff_t i = 0; i < count; i++) {
      for (int block = first; block < first + inner; block++)
        transform_block(work, tile, block, work->transformed + (block * count + i) * LANES);
      tile = tile_after(&work->plan, tile);
    }
  }
}

/// Multiplies `count` tiles with one panel of filters at each point.
static void multiply_panel(const Work *work, ptrdiff_t count, ptrdiff_t panel, int blocks) {
  const int points = work->plan.points, inputs = work->shape->inputs;
  const int parts = (int)ceiling(count, COLUMNS);
  const float *filters = work->filters + panel * panel_stride(&work->plan, inputs);
  for (int point = 0; point < points; point++, filters += inputs * blocks * LANES) {
    for (int i = 0; i < parts; i++) {
      const Range tiles = part((Range){0, count}, i, parts);
      const Product product = {
          .filters = filters,
          .source = work->transformed + point * work->plan.pointStride + tiles.start * LANES,
          .products = work->products + (tiles.start * points + point) * LANES,
          .inputs = inputs,
          .sourceBlock = count * LANES,
          .productBlock = count * points * LANES,
          .productTile = points * LANES,
      };
      multiplications[tiles.end - tiles.start - 1][blocks - 1](&product);
    }
  }
}

/// Whether outputs go to memory at once: the caches would have dropped them before they are read
/// again, and would fetch each line only to overwrite it.
static bool streams(const WinogradPlan *plan, const CKWinograd *shape, const float *destination) {
  const CKImageStrides *strides = &shape->destination;
  const size_t places = strides->image | strides->block | strides->row | strides->pixel;
  const size_t pixels = (size_t)shape->images * plan->outputHeight * plan->outputWidth;
  const bool isAligned = ((uintptr_t)destination | places * sizeof(float)) % sizeof(Vector) == 0;
  return isAligned && pixels * shape->outputs * sizeof(float) > streamedBytes;
}

/// What is the same for all tiles of a block of outputs.
static Finish finish_of_block(const Work *work, int block) {
  const CKWinograd *shape = work->shape;
  Finish finish = {
      .row = shape->destination.row,
      .pixel = shape->destination.pixel,
      .channels = channels_in_memory(shape->destination.pixel, shape->outputs, block),
      .activation = shape->activation,
      .parameter = shape->parameter,
      .streams = streams(&work->plan, shape, work->destination),
  };
  const int count = smallest(shape->outputs - block * LANES, LANES);
  if (work->bias)
    memcpy(&finish.bias, work->bias + block * LANES, (size_t)count * sizeof(float));
  return finish;
}

static void transform_products(const Work *work, Range tiles, int block, const float *from) {
  const WinogradPlan *plan = &work->plan;
  const CKImageStrides *strides = &work->shape->destination;
  const int size = work->shape->tile;
  Finish finish = finish_of_block(work, block);
  Tile tile = tile_at(plan, tiles.start);
  for (ptrdiff_t i = tiles.start; i < tiles.end; i++, from += plan->points * LANES) {
    const int top = tile.row * size, left = tile.column * size;
    const ptrdiff_t offset = tile.image * strides->image + block * strides->block
        + top * strides->row + left * strides->pixel;
    finish.destination = work->destination + offset;
    finish.residual = work->residual ? work->residual + offset : NULL;
    finish.rows = smallest(plan->outputHeight - top, size);
    finish.columns = smallest(plan->outputWidth - left, size);
    if (size == 4)
      transform_products4(from, &finish);
    else
      transform_products2(from, &finish);
    tile = tile_after(plan, tile);
  }
}

static void run_chunk(const Work *work, Range tiles, Range panels) {
  const ptrdiff_t count = tiles.end - tiles.start;
  transform_source(work, tiles);
  for (ptrdiff_t panel = panels.start; panel < panels.end; panel++) {
    const int first = (int)panel * panelBlocks;
    const int blocks = smallest(work->plan.outputBlocks - first, panelBlocks);
    multiply_panel(work, count, panel, blocks);
    for (int i = 0; i < blocks; i++)
      transform_products(
          work, tiles, first + i, work->products + i * count * work->plan.points * LANES);
  }
}

void VARIANT(winograd_run)(
    const CKWinograd *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread) {
  Work work = {
      .shape = convolution,
      .plan = winograd_plan(convolution),
      .source = source,
      .filters = filters,
      .bias = bias,
      .residual = residual,
      .destination = destination,
      .transformed = scratch,
  };
  const WinogradPlan *plan = &work.plan;
  if (thread >= plan->tileParts * plan->panelParts) return;
  work.products = scratch + plan->pointStride * plan->points;
  const Range tiles =
      part((Range){0, plan->tiles}, thread / plan->panelParts, plan->tileParts);
  const Range panels =
      part((Range){0, plan->panels}, thread % plan->panelParts, plan->panelParts);
  const int chunks = (int)ceiling(tiles.end - tiles.start, plan->chunk);
  for (int i = 0; i < chunks; i++) run_chunk(&work, part(tiles, i, chunks), panels);
  // Other threads may read what was streamed once this one says that it is done.
  __builtin_ia32_sfence();
}
