// Compiled once for each instruction set; see MaxPoolGradientAVX512.c.
#include "Vector.h"

typedef int32_t Integers __attribute__((ext_vector_type(LANES)));

/// The part of a window that lies in the image.
typedef struct {
  int firstRow, endRow, firstColumn, endColumn;
} Inside;

INLINE Inside inside(const CKMaxPoolGradient *c, int row, int column) {
  const int top = row * c->verticalStride - c->top, left = column * c->horizontalStride - c->left;
  const int bottom = top + c->windowHeight, right = left + c->windowWidth;
  return (Inside){
      top < 0 ? 0 : top, bottom > c->height ? c->height : bottom,
      left < 0 ? 0 : left, right > c->width ? c->width : right};
}

/// Gives each lane's gradient to the first of the largest pixels.
INLINE void give(
    const CKMaxPoolGradient *c, Inside window, const float *source, Vector gradient,
    float *destination, const int count) {
  const ptrdiff_t pixel = c->images.pixel, row = pixel * c->width;
  Vector best = (Vector)-__builtin_inff();
  Integers place = (Integers)-1;
  for (int i = window.firstRow; i < window.endRow; i++)
    for (int j = window.firstColumn; j < window.endColumn; j++) {
      const Vector x = load_some(source + i * row + j * pixel, count);
      // The very first pixel is taken even where it is −∞.
      const Integers better = (x > best) | ((x != x) & (best == best)) | (place < 0);
      best = better ? x : best;
      place = better ? (Integers)(i * c->width + j) : place;
    }
  for (int i = window.firstRow; i < window.endRow; i++)
    for (int j = window.firstColumn; j < window.endColumn; j++) {
      float *to = destination + i * row + j * pixel;
      const Vector given = place == (Integers)(i * c->width + j) ? gradient : (Vector)0;
      store_some(to, load_some(to, count) + given, count);
    }
}

/// One vector of channels of one image.
INLINE void run_vector(
    const CKMaxPoolGradient *c, const float *source, const float *gradient, float *destination,
    const int count) {
  for (ptrdiff_t pixel = 0; pixel < (ptrdiff_t)c->height * c->width; pixel++)
    store_some(destination + pixel * c->images.pixel, (Vector)0, count);
  for (int i = 0; i < c->outputHeight; i++)
    for (int j = 0; j < c->outputWidth; j++) {
      const ptrdiff_t output = (ptrdiff_t)i * c->outputWidth + j;
      const Vector given = load_some(gradient + output * c->gradient.pixel, count);
      give(c, inside(c, i, j), source, given, destination, count);
    }
}

/// Where a vector of channels begins.
INLINE ptrdiff_t channel_offset(CKChannelBlocks blocks, int channel) {
  return channel / blocks.channels * blocks.block + channel % blocks.channels;
}

void VARIANT(max_pool_gradient_run)(
    const CKMaxPoolGradient *c, const float *images, const float *gradient, float *destination,
    int thread) {
  // Vectors end with the smaller of both blocks.
  const int block = c->images.channels < c->gradient.channels
      ? c->images.channels : c->gradient.channels;
  const ptrdiff_t vectors = ceiling(block, LANES), perImage = c->channels / block * vectors;
  const Range share = part((Range){0, c->count * perImage}, thread, c->threads);
  for (ptrdiff_t unit = share.start; unit < share.end; unit++) {
    const ptrdiff_t image = unit / perImage, vector = unit % perImage;
    const int first = (int)(vector % vectors) * LANES;
    const int channel = (int)(vector / vectors) * block + first;
    const int left = block - first;
    const ptrdiff_t place = image * c->images.image + channel_offset(c->images, channel);
    const float *given =
        gradient + image * c->gradient.image + channel_offset(c->gradient, channel);
    if (left >= LANES) run_vector(c, images + place, given, destination + place, LANES);
    else run_vector(c, images + place, given, destination + place, left);
  }
}
