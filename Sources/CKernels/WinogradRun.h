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
#include "WinogradTransform5.h"
#include "WinogradTransformLine.h"

typedef struct {
  const CKWinograd *shape;
  WinogradPlan plan;
  /// What transforms tiles that are a row or a column.
  WinogradLine line;
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

enum { cacheLine = 64 };

/// Larger destinations leave the second-level caches of a few cores.
enum { streamedBytes = 8 << 20 };

static int smallest(int a, int b) { return a < b ? a : b; }

/// How many channels of a block lie in memory.
static int channels_in_memory(ptrdiff_t pixel, int channels, int block) {
  return pixel == LANES ? LANES : smallest(channels - block * LANES, LANES);
}

/// Copies what a tile reads of the image, and zeros for the rest.
static void read_patch(
    const Work *work, const float *image, int top, int left, int channels, float *patch) {
  const CKWinograd *shape = work->shape;
  const int height = work->plan.patchHeight, width = work->plan.patchWidth;
  memset(patch, 0, (size_t)height * width * LANES * sizeof(float));
  const int start = left < 0 ? -left : 0, end = smallest(width, shape->width - left);
  for (int i = 0; i < height; i++) {
    if (top + i < 0 || top + i >= shape->height) continue;
    for (int j = start; j < end; j++) {
      const float *pixel =
          image + (top + i) * shape->source.row + (left + j) * shape->source.pixel;
      float *to = patch + (i * width + j) * LANES;
      if (channels == LANES)
        store(to, load(pixel));
      else
        memcpy(to, pixel, (size_t)channels * sizeof(float));
    }
  }
}

/// Fetches what the tile below will read first, into the second-level cache; the processor does not
/// foresee so many rows at once.
static void fetch_below(
    const WinogradPlan *plan, const CKImageStrides *strides, const float *from) {
  from += plan->patchHeight * strides->row;
  for (int i = 0; i < plan->tileHeight; i++, from += strides->row)
    for (int j = plan->patchWidth - plan->tileWidth; j < plan->patchWidth; j++)
      __builtin_prefetch(from + j * strides->pixel, 0, 2);
}

/// Transforms a tile's patch, which is whole in memory.
static void transform_patch(
    const Work *work, const float *from, ptrdiff_t row, ptrdiff_t pixel, float *to) {
  const WinogradPlan *plan = &work->plan;
  if (plan->patchHeight == 1)
    transform_source_line(&work->line, from, pixel, to, plan->pointStride);
  else if (plan->patchWidth == 1)
    transform_source_line(&work->line, from, row, to, plan->pointStride);
  else if (plan->patchWidth == 6)
    transform_source4(from, row, pixel, to, plan->pointStride);
  else
    transform_source2(from, row, pixel, to, plan->pointStride);
}

static void transform_block(const Work *work, Tile tile, int block, float *to) {
  const CKWinograd *shape = work->shape;
  const WinogradPlan *plan = &work->plan;
  const int top = tile.row * plan->tileHeight - shape->top;
  const int left = tile.column * plan->tileWidth - shape->left;
  const int channels = channels_in_memory(shape->source.pixel, shape->inputs, block);
  const float *image =
      work->source + tile.image * shape->source.image + block * shape->source.block;
  const ptrdiff_t row = shape->source.row, pixel = shape->source.pixel;
  if (top >= 0 && left >= 0 && top + plan->patchHeight <= shape->height
      && left + plan->patchWidth <= shape->width && channels == LANES) {
    const float *from = image + top * row + left * pixel;
    fetch_below(plan, &shape->source, from);
    transform_patch(work, from, row, pixel, to);
  } else {
    float patch[36 * LANES];
    read_patch(work, image, top, left, channels, patch);
    transform_patch(work, patch, plan->patchWidth * LANES, LANES, to);
  }
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

/// Multiplies some tiles with one panel of filters at one point, in stretches of the inputs.
static void multiply_stretches(const WinogradPlan *plan, Product product, int tiles, int blocks) {
  for (int left = product.inputs; left > 0; left -= plan->stretch) {
    product.inputs = smallest(left, plan->stretch);
    multiplications[tiles - 1][blocks - 1](&product);
    product.adds = true;
    product.filters += (ptrdiff_t)plan->stretch * blocks * LANES;
    product.source += plan->stretch / LANES * product.sourceBlock;
    product.next += plan->stretch * product.nextStep;
  }
}

/// Multiplies `count` tiles with one panel of filters at each point.
static void multiply_panel(const Work *work, ptrdiff_t count, ptrdiff_t panel, int blocks) {
  const int points = work->plan.points, inputs = work->shape->inputs;
  const int parts = (int)ceiling(count, COLUMNS);
  const ptrdiff_t pointFilters = (ptrdiff_t)inputs * blocks * LANES;
  Product product = {
      .filters = work->filters + panel * panel_stride(&work->plan, inputs),
      .nextStep = blocks * LANES * (ptrdiff_t)sizeof(float) / parts,
      .nextLine = parts == 1 ? cacheLine : 0,
      .inputs = inputs,
      .sourceBlock = count * LANES,
      .productBlock = count * points * LANES,
      .productTile = points * LANES,
  };
  for (int point = 0; point < points; point++, product.filters += pointFilters) {
    // The filters of the next point, or of the next panel, lie behind these.
    product.next = (const char *)(product.filters + pointFilters);
    for (int i = 0; i < parts; i++) {
      const Range tiles = part((Range){0, count}, i, parts);
      product.source = work->transformed + point * work->plan.pointStride + tiles.start * LANES;
      product.products = work->products + (tiles.start * points + point) * LANES;
      multiply_stretches(&work->plan, product, (int)(tiles.end - tiles.start), blocks);
      product.next += inputs * product.nextStep;
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

/// Transforms one tile's products, whose destination is the finish's.
static void transform_tile_products(const Work *work, const float *from, const Finish *finish) {
  const WinogradPlan *plan = &work->plan;
  if (plan->tileHeight == 1)
    transform_products_line(&work->line, from, finish, plan->tileWidth);
  else if (plan->tileWidth == 1) {
    const Finish column = transposed(finish);
    transform_products_line(&work->line, from, &column, plan->tileHeight);
  } else if (plan->tileWidth == 4)
    transform_products4(from, finish);
  else if (plan->patchWidth == 6)
    transform_products5(from, finish);
  else
    transform_products2(from, finish);
}

static void transform_products(const Work *work, Range tiles, int block, const float *from) {
  const WinogradPlan *plan = &work->plan;
  const CKImageStrides *strides = &work->shape->destination;
  Finish finish = finish_of_block(work, block);
  Tile tile = tile_at(plan, tiles.start);
  for (ptrdiff_t i = tiles.start; i < tiles.end; i++, from += plan->points * LANES) {
    const int top = tile.row * plan->tileHeight, left = tile.column * plan->tileWidth;
    const ptrdiff_t offset = tile.image * strides->image + block * strides->block
        + top * strides->row + left * strides->pixel;
    finish.destination = work->destination + offset;
    finish.residual = work->residual ? work->residual + offset : NULL;
    finish.rows = smallest(plan->outputHeight - top, plan->tileHeight);
    finish.columns = smallest(plan->outputWidth - left, plan->tileWidth);
    transform_tile_products(work, from, &finish);
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
  const bool isHigh = plan->patchHeight > plan->patchWidth;
  work.line = winograd_line(isHigh ? plan->patchHeight : plan->patchWidth);
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
