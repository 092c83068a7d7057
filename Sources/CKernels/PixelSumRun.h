// Compiled once for each instruction set; see PixelSumAVX512.c.
#include "Vector.h"

/// Sums side by side, as one addition takes several times as long as the next one has to wait.
enum { sumsAtOnce = 4 };

INLINE Vector sum_pixels(
    const float *a, const float *b, ptrdiff_t pixel, ptrdiff_t pixels, const int count) {
  Vector sum[sumsAtOnce];
  UNROLL for (int j = 0; j < sumsAtOnce; j++) sum[j] = (Vector)0;
  for (ptrdiff_t p = 0; p < pixels; p += sumsAtOnce)
    UNROLL for (int j = 0; j < sumsAtOnce; j++) {
      if (p + j >= pixels) break;
      const ptrdiff_t place = (p + j) * pixel;
      const Vector x = load_some(a + place, count);
      sum[j] += b ? x * load_some(b + place, count) : x;
    }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void VARIANT(pixel_sum_run)(
    const CKPixelSum *c, const float *images, const float *factors, float *sums, int thread) {
  const ptrdiff_t blocks = ceiling(c->channels, LANES);
  const Range share = part((Range){0, blocks * c->images}, thread, c->threads);
  for (ptrdiff_t i = share.start; i < share.end; i++) {
    const ptrdiff_t image = i / blocks, block = i % blocks;
    const ptrdiff_t place = image * c->strides.image + block * c->strides.block;
    const ptrdiff_t left = c->channels - block * LANES;
    const int count = left < LANES ? (int)left : LANES;
    const float *b = factors ? factors + place : (const float *)0;
    // Whole blocks are padded with zeros.
    const Vector sum = count == LANES || c->strides.pixel == LANES
        ? sum_pixels(images + place, b, c->strides.pixel, c->pixels, LANES)
        : sum_pixels(images + place, b, c->strides.pixel, c->pixels, count);
    store_some(sums + image * c->channels + block * LANES, sum, count);
  }
}
