// Compiled once for each instruction set; see DepthwiseGradientAVX512.c.
#include <string.h>

#include "Vector.h"

/// A row of outputs' gradients, and the row of the image that one row of the filters sees of it.
typedef struct {
  const float *source, *gradient;
  /// Floats from one output to the next: in the image, and in the gradient.
  ptrdiff_t step, pixel;
  /// Outputs.
  int count;
} Row;

/// Adds the products of a row to the sums of each of `width` taps. Two outputs at a time: one
/// addition takes several times as long as the next one has to wait.
INLINE void add_row(const Row *row, float *sums, const int width, const int channels) {
  Vector even[mostWidth], odd[mostWidth];
  UNROLL for (int k = 0; k < width; k++) {
    even[k] = load(sums + k * LANES);
    odd[k] = (Vector)0;
  }
  const float *x = row->source, *g = row->gradient;
  int left = row->count;
  for (; left >= 2; left -= 2, x += 2 * row->step, g += 2 * row->pixel) {
    const Vector first = load_some(g, channels), second = load_some(g + row->pixel, channels);
    UNROLL for (int k = 0; k < width; k++) {
      even[k] += load(x + k * LANES) * first;
      odd[k] += load(x + row->step + k * LANES) * second;
    }
  }
  if (left > 0)
    UNROLL for (int k = 0; k < width; k++)
      even[k] += load(x + k * LANES) * load_some(g, channels);
  UNROLL for (int k = 0; k < width; k++) store(sums + k * LANES, even[k] + odd[k]);
}

static void add_any_row(const Row *row, float *sums, int width, int channels) {
  if (channels == LANES && width == 3) return add_row(row, sums, 3, LANES);
  if (channels == LANES && width == 5) return add_row(row, sums, 5, LANES);
  if (channels == LANES && width == 7) return add_row(row, sums, 7, LANES);
  // Others tap by tap.
  Row one = *row;
  for (int k = 0; k < width; k++, one.source += LANES)
    if (channels == LANES) add_row(&one, sums + k * LANES, 1, LANES);
    else add_row(&one, sums + k * LANES, 1, channels);
}

/// Copies a block of an image between the zeros that surround it, so that all outputs are alike.
static void pad_image(
    const CKDepthwiseGradient *c, const float *source, int channels, float *padded) {
  const DepthwiseGradientSize size = depthwise_gradient_padded_size(c);
  for (int i = 0; i < size.height; i++) {
    float *to = padded + (ptrdiff_t)i * size.width * LANES;
    const int row = i - c->top;
    const bool isInside = row >= 0 && row < c->height;
    int start = isInside ? c->left : size.width, end = c->left + c->width;
    if (start > size.width) start = size.width;
    if (end > size.width) end = size.width;
    if (end < start) end = start;
    memset(to, 0, (size_t)start * LANES * sizeof(float));
    const float *from = source + row * c->source.row - (ptrdiff_t)c->left * c->source.pixel;
    for (int j = start; j < end; j++)
      store(to + j * LANES, load_some(from + j * c->source.pixel, channels));
    memset(to + (ptrdiff_t)end * LANES, 0, (size_t)(size.width - end) * LANES * sizeof(float));
  }
}

/// The sum of all gradients of an image.
static void add_bias(
    const CKDepthwiseGradient *c, const float *gradient, float *sums, int channels) {
  Vector sum = load(sums);
  for (int i = 0; i < c->outputHeight; i++)
    for (int j = 0; j < c->outputWidth; j++)
      sum += load_some(gradient + i * c->gradient.row + j * c->gradient.pixel, channels);
  store(sums, sum);
}

static void add_image(
    const CKDepthwiseGradient *c, const float *padded, const float *gradient, float *sums,
    int channels) {
  const ptrdiff_t width = depthwise_gradient_padded_size(c).width;
  for (int i = 0; i < c->outputHeight; i++)
    for (int k = 0; k < c->filterHeight; k++) {
      const Row row = {
          .source = padded + (i * c->verticalStride + k) * width * LANES,
          .gradient = gradient + i * c->gradient.row,
          .step = (ptrdiff_t)c->horizontalStride * LANES,
          .pixel = c->gradient.pixel,
          .count = c->outputWidth,
      };
      add_any_row(&row, sums + k * c->filterWidth * LANES, c->filterWidth, channels);
    }
}

void VARIANT(depthwise_gradient_sum)(
    const CKDepthwiseGradient *c, const float *source, const float *gradient, float *scratch,
    int thread) {
  const ptrdiff_t blocks = ceiling(c->channels, LANES), size = depthwise_gradient_block_sums(c);
  float *sums = scratch + depthwise_gradient_sums_of(c, thread);
  float *padded = scratch + depthwise_gradient_padded_of(c, thread);
  memset(sums, 0, (size_t)(blocks * size) * sizeof(float));
  const Range share = part((Range){0, blocks * c->images}, thread, c->threads);
  for (ptrdiff_t i = share.start; i < share.end; i++) {
    const ptrdiff_t block = i / c->images, image = i % c->images;
    const ptrdiff_t left = c->channels - block * LANES;
    const int channels = c->source.pixel == LANES || left > LANES ? LANES : (int)left;
    const float *x = source + image * c->source.image + block * c->source.block;
    const float *g = gradient + image * c->gradient.image + block * c->gradient.block;
    pad_image(c, x, channels, padded);
    add_image(c, padded, g, sums + block * size, channels);
    add_bias(c, g, sums + (block + 1) * size - LANES, channels);
  }
}
