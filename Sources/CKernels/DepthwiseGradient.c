#include "DepthwiseGradientPlan.h"

bool ck_depthwise_gradient_is_valid(const CKDepthwiseGradient *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  if (c->images < 1 || c->channels < 1 || c->threads < 1 || c->height < 1 || c->width < 1)
    return false;
  if (c->outputHeight < 1 || c->outputWidth < 1 || c->top < 0 || c->left < 0) return false;
  if (c->verticalStride < 1 || c->horizontalStride < 1) return false;
  return c->filterHeight >= 1 && c->filterWidth >= 1 && c->filterWidth <= mostWidth;
}

size_t ck_depthwise_gradient_scratch_count(const CKDepthwiseGradient *c) {
  return (size_t)depthwise_gradient_padded_of(c, c->threads);
}

void ck_depthwise_gradient_sum(
    const CKDepthwiseGradient *c, const float *source, const float *gradient, float *scratch,
    int32_t thread) {
  if (c->vectors == CKVectorsAVX512)
    depthwise_gradient_sum_avx512(c, source, gradient, scratch, thread);
  else depthwise_gradient_sum_avx2(c, source, gradient, scratch, thread);
}

/// What all threads have summed at a place of their sums.
static float total(const CKDepthwiseGradient *c, const float *sums, ptrdiff_t place) {
  float sum = 0;
  for (int thread = 0; thread < c->threads; thread++)
    sum += sums[depthwise_gradient_sums_of(c, thread) + place];
  return sum;
}

void ck_depthwise_gradient_finish(
    const CKDepthwiseGradient *c, const float *scratch, float *filters, float *bias,
    int32_t thread) {
  const int taps = c->filterHeight * c->filterWidth;
  const Range share = part((Range){0, c->channels}, thread, c->threads);
  for (ptrdiff_t channel = share.start; channel < share.end; channel++) {
    const ptrdiff_t first = channel / c->vectors * depthwise_gradient_block_sums(c)
        + channel % c->vectors;
    for (int tap = 0; tap < taps; tap++)
      filters[channel * taps + tap] = total(c, scratch, first + tap * c->vectors);
    if (bias) bias[channel] = total(c, scratch, first + taps * c->vectors);
  }
}
