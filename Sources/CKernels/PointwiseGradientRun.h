// Compiled once for each instruction set; see PointwiseGradientAVX512.c.
#include "Vector.h"

enum {
  halfLanes = LANES / 2,
  /// Pixels that are summed in registers: more would leave the first-level cache.
  mostPixels = 224,
};

/// Some images, and some pixels of each.
typedef struct {
  Range images, pixels;
  /// Floats from here to where the next chunk begins, in the source and in the gradient: what is
  /// fetched meanwhile.
  ptrdiff_t sourceAhead, gradientAhead;
} Chunk;

/// Adds the products of half a block of inputs with `blocks` blocks of outputs, over all pixels of a
/// chunk, to their sums, or starts these.
INLINE void add_products(
    const CKPointwiseGradient *c, Chunk chunk, const float *source, const float *gradient,
    float *sums, bool isFirst, const int blocks) {
  Vector s[halfLanes][panelBlocks];
  UNROLL for (int i = 0; i < halfLanes; i++)
    UNROLL for (int b = 0; b < blocks; b++)
      s[i][b] = isFirst ? (Vector)0 : load(sums + (i * blocks + b) * LANES);
  const ptrdiff_t count = chunk.pixels.end - chunk.pixels.start;
  for (ptrdiff_t image = chunk.images.start; image < chunk.images.end; image++) {
    const float *x = source + image * c->source.image + chunk.pixels.start * LANES;
    const float *g = gradient + image * c->gradient.image + chunk.pixels.start * LANES;
    for (ptrdiff_t p = 0; p < count; p++, x += LANES, g += LANES) {
      Vector dy[panelBlocks];
      __builtin_prefetch(x + chunk.sourceAhead, 0, 2);
      UNROLL for (int b = 0; b < blocks; b++) {
        __builtin_prefetch(g + chunk.gradientAhead + b * c->gradient.block, 0, 2);
        dy[b] = load(g + b * c->gradient.block);
      }
      UNROLL for (int i = 0; i < halfLanes; i++)
        UNROLL for (int b = 0; b < blocks; b++) s[i][b] += dy[b] * x[i];
    }
  }
  UNROLL for (int i = 0; i < halfLanes; i++)
    UNROLL for (int b = 0; b < blocks; b++) store(sums + (i * blocks + b) * LANES, s[i][b]);
}

static void add_products1(
    const CKPointwiseGradient *c, Chunk chunk, const float *source, const float *gradient,
    float *sums, bool isFirst) {
  add_products(c, chunk, source, gradient, sums, isFirst, 1);
}

static void add_products2(
    const CKPointwiseGradient *c, Chunk chunk, const float *source, const float *gradient,
    float *sums, bool isFirst) {
  add_products(c, chunk, source, gradient, sums, isFirst, 2);
}

/// A thread's part of the filters: blocks of inputs, and panels of outputs.
typedef struct {
  Range blocks, panels;
} Share;

/// The larger side is cut, so that threads read little twice.
static Share share_of(const CKPointwiseGradient *c, int thread) {
  const Range blocks = {0, ceiling(c->inputs, LANES)};
  const Range panels = {0, ceiling(c->outputs, panelBlocks * LANES)};
  if (blocks.end > panels.end) return (Share){part(blocks, thread, c->threads), panels};
  return (Share){blocks, part(panels, thread, c->threads)};
}

static int blocks_of(const CKPointwiseGradient *c, ptrdiff_t panel) {
  const ptrdiff_t left = ceiling(c->outputs, LANES) - panel * panelBlocks;
  return left < panelBlocks ? (int)left : panelBlocks;
}

/// Where the sums of a panel begin, `[inputs, whole blocks][blocks of the panel][LANES]`.
static ptrdiff_t sums_of(const CKPointwiseGradient *c, ptrdiff_t panel) {
  return panel * panelBlocks * LANES * ceiling(c->inputs, LANES) * LANES;
}

static void add_chunk(
    const CKPointwiseGradient *c, Share share, Chunk chunk, const float *source,
    const float *gradient, float *sums, bool isFirst) {
  for (ptrdiff_t panel = share.panels.start; panel < share.panels.end; panel++) {
    const int blocks = blocks_of(c, panel);
    const float *dy = gradient + panel * panelBlocks * c->gradient.block;
    for (ptrdiff_t block = share.blocks.start; block < share.blocks.end; block++)
      for (int half = 0; half < LANES; half += halfLanes) {
        Chunk now = chunk;
        // Once for each line.
        if (panel > share.panels.start || half > 0) now.sourceAhead = 0;
        if (block > share.blocks.start || half > 0) now.gradientAhead = 0;
        (blocks == 1 ? add_products1 : add_products2)(
            c, now, source + block * c->source.block + half, dy,
            sums + sums_of(c, panel) + (block * LANES + half) * blocks * LANES, isFirst);
      }
  }
}

/// Writes the sums of some inputs of one block of outputs as filters.
static void write_filters(
    const CKPointwiseGradient *c, const float *sums, int blocks, ptrdiff_t firstOutput,
    Range inputs, float *filters) {
  for (int lane = 0; lane < LANES && firstOutput + lane < c->outputs; lane++) {
    float *to = filters + (firstOutput + lane) * c->inputs;
    for (ptrdiff_t input = inputs.start; input < inputs.end; input++)
      to[input] = sums[input * blocks * LANES + lane];
  }
}

/// Chunk `index` of all, in the order of images.
static Chunk chunk_at(const CKPointwiseGradient *c, int index) {
  const ptrdiff_t together = c->pixels < mostPixels ? mostPixels / c->pixels : 1;
  const int groups = (int)ceiling(c->images, together);
  const int parts = (int)ceiling(c->pixels, mostPixels);
  return (Chunk){
      .images = part((Range){0, c->images}, index / parts, groups),
      .pixels = part((Range){0, c->pixels}, index % parts, parts)};
}

void VARIANT(pointwise_gradient_run)(
    const CKPointwiseGradient *c, const float *source, const float *gradient, float *filters,
    float *scratch, int thread) {
  const Share share = share_of(c, thread);
  Chunk chunk = chunk_at(c, 0);
  for (int i = 0; chunk.images.start < c->images; i++) {
    const Chunk next = chunk_at(c, i + 1);
    const ptrdiff_t images = next.images.start - chunk.images.start;
    const ptrdiff_t pixels = (next.pixels.start - chunk.pixels.start) * LANES;
    chunk.sourceAhead = images * c->source.image + pixels;
    chunk.gradientAhead = images * c->gradient.image + pixels;
    add_chunk(c, share, chunk, source, gradient, scratch, i == 0);
    chunk = next;
  }
  for (ptrdiff_t panel = share.panels.start; panel < share.panels.end; panel++)
    for (int b = 0; b < blocks_of(c, panel); b++)
      for (ptrdiff_t block = share.blocks.start; block < share.blocks.end; block++) {
        Range inputs = {block * LANES, (block + 1) * LANES};
        if (inputs.end > c->inputs) inputs.end = c->inputs;
        write_filters(
            c, scratch + sums_of(c, panel) + b * LANES, blocks_of(c, panel),
            (panel * panelBlocks + b) * LANES, inputs, filters);
      }
}
