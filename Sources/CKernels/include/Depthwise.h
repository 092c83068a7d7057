#pragma once
#include "Vectors.h"

/// A convolution of each channel by a filter of its own, of images whose channels are neighbours.
///
/// Pixels may lie further apart than their channels; what lies between is never touched. A NaN in
/// the source reaches the outputs that read it. Filters of 3×3 and 5×5 with stride 1 or 2 and at
/// least a vector of channels are the fast ones.
typedef struct CK_SWIFT(Depthwise) CKDepthwise {
  CKVectors vectors;
  int32_t images, channels;
  /// The size of a source image.
  int32_t height, width;
  int32_t filterHeight, filterWidth;
  int32_t verticalStride, horizontalStride;
  /// Rows and columns of zeros around a source image.
  int32_t top, left, bottom, right;
  CKPixelStrides source, destination;
  CKActivation activation;
  float parameter;
  /// How many threads share the work.
  int32_t threads;
} CKDepthwise;

/// Whether these fields describe a convolution that this processor can compute.
bool ck_depthwise_is_valid(const CKDepthwise *convolution)
    CK_SWIFT(getter:CKDepthwise.isValid(self:));

/// The size of a destination image.
int32_t ck_depthwise_output_height(const CKDepthwise *convolution)
    CK_SWIFT(getter:CKDepthwise.outputHeight(self:));
int32_t ck_depthwise_output_width(const CKDepthwise *convolution)
    CK_SWIFT(getter:CKDepthwise.outputWidth(self:));

/// The size of the packed filters in floats, as many as there were; they are the same for all
/// vectors.
size_t ck_depthwise_filter_count(const CKDepthwise *convolution)
    CK_SWIFT(getter:CKDepthwise.filterCount(self:));

/// Packs filters.
///
/// - Parameters:
///   - filters: `[channels, filterHeight, filterWidth]`, row-major.
///   - packed: `filterCount` floats.
void ck_depthwise_pack_filters(
    const CKDepthwise *convolution, const float *filters, float *packed)
    CK_SWIFT(CKDepthwise.pack(self:filters:into:));

/// The size of the sums of rows in floats: `[images, outputHeight, channels]`.
size_t ck_depthwise_row_sum_count(const CKDepthwise *convolution)
    CK_SWIFT(getter:CKDepthwise.rowSumCount(self:));

/// Computes the share of one thread.
///
/// No share waits for another, and how the work is shared changes no bit of the outputs.
///
/// - Parameters:
///   - filters: what `ck_depthwise_pack_filters` wrote.
///   - bias: `[channels]`, or null.
///   - destination: other memory than the source.
///   - rowSums: the sum over each row of outputs for each channel, or null.
void ck_depthwise_run(
    const CKDepthwise *convolution, const float *source, const float *filters, const float *bias,
    float *destination, float *rowSums, int32_t thread)
    CK_SWIFT(CKDepthwise.run(self:source:filters:bias:destination:rowSums:thread:));

/// Computes share `thread` of `threads` of the means over all pixels, when all shares of the
/// convolution are done. The number of shares changes no bit.
///
/// - Parameters:
///   - rowSums: what `ck_depthwise_run` wrote.
///   - means: `[images, channels]`.
void ck_depthwise_means(
    const CKDepthwise *convolution, const float *rowSums, float *means, int32_t thread,
    int32_t threads) CK_SWIFT(CKDepthwise.means(self:rowSums:into:thread:of:));
