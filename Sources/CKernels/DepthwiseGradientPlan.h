#pragma once
#include "Range.h"
#include "include/DepthwiseGradient.h"

/// What a thread sums for a block of channels: one vector for each tap of a filter and one for the
/// bias.
static inline ptrdiff_t depthwise_gradient_block_sums(const CKDepthwiseGradient *c) {
  return ((ptrdiff_t)c->filterHeight * c->filterWidth + 1) * c->vectors;
}

/// Where the sums of a thread begin, `[blocks][taps, bias][lanes]`.
static inline ptrdiff_t depthwise_gradient_sums_of(const CKDepthwiseGradient *c, int thread) {
  return thread * ceiling(c->channels, c->vectors) * depthwise_gradient_block_sums(c);
}

/// The widest filters.
enum { mostWidth = 7 };

typedef struct {
  int height, width;
} DepthwiseGradientSize;

/// What of an image all outputs see together.
static inline DepthwiseGradientSize depthwise_gradient_padded_size(const CKDepthwiseGradient *c) {
  return (DepthwiseGradientSize){
      (c->outputHeight - 1) * c->verticalStride + c->filterHeight,
      (c->outputWidth - 1) * c->horizontalStride + c->filterWidth};
}

/// Where a thread's padded image begins, behind the sums of all threads.
static inline ptrdiff_t depthwise_gradient_padded_of(const CKDepthwiseGradient *c, int thread) {
  const DepthwiseGradientSize size = depthwise_gradient_padded_size(c);
  return depthwise_gradient_sums_of(c, c->threads)
      + thread * (ptrdiff_t)size.height * size.width * c->vectors;
}

void depthwise_gradient_sum_avx512(
    const CKDepthwiseGradient *convolution, const float *source, const float *gradient,
    float *scratch, int thread);
void depthwise_gradient_sum_avx2(
    const CKDepthwiseGradient *convolution, const float *source, const float *gradient,
    float *scratch, int thread);
