#pragma once
#include "Vectors.h"
#include "Winograd.h"

/// The gradient of the filters of a convolution of each channel by a filter of its own:
/// `dw[c, k, l] = Σ x[n, c, i·stride + k − top, j·stride + l − left] · dy[n, c, i, j]`.
typedef struct CK_SWIFT(DepthwiseGradient) CKDepthwiseGradient {
  CKVectors vectors;
  int32_t images, channels;
  /// The size of an image, of its gradient, and of a filter.
  int32_t height, width, outputHeight, outputWidth, filterHeight, filterWidth;
  int32_t verticalStride, horizontalStride;
  /// Rows and columns of zeros before an image.
  int32_t top, left;
  /// Where the images and the gradient of the outputs lie.
  CKImageStrides source, gradient;
  /// How many threads share the work.
  int32_t threads;
} CKDepthwiseGradient;

/// Whether these fields describe a gradient that this processor can compute: filters are at most 7
/// wide.
bool ck_depthwise_gradient_is_valid(const CKDepthwiseGradient *convolution)
    CK_SWIFT(getter:CKDepthwiseGradient.isValid(self:));

/// The size of the scratch memory that all threads share in floats.
size_t ck_depthwise_gradient_scratch_count(const CKDepthwiseGradient *convolution)
    CK_SWIFT(getter:CKDepthwiseGradient.scratchCount(self:));

/// Sums the products of a thread's share of the images. The number of threads changes the last bits.
void ck_depthwise_gradient_sum(
    const CKDepthwiseGradient *convolution, const float *source, const float *gradient,
    float *scratch, int32_t thread)
    CK_SWIFT(CKDepthwiseGradient.sum(self:source:gradient:scratch:thread:));

/// Writes the gradient of a thread's share of the filters, `[channels, filterHeight, filterWidth]`,
/// when all sums are there; and that of their biases, `[channels]`, unless it is null.
void ck_depthwise_gradient_finish(
    const CKDepthwiseGradient *convolution, const float *scratch, float *filters, float *bias,
    int32_t thread) CK_SWIFT(CKDepthwiseGradient.finish(self:scratch:filters:bias:thread:));
