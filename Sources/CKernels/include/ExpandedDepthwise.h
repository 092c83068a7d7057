#pragma once
#include "Vectors.h"
#include "Winograd.h"

/// A 1×1 convolution that makes many channels of few, and the depthwise convolution of its result:
/// some rows of what lies between are kept while they are read, in the second-level cache, and never
/// written to memory.
///
/// The rows and columns of zeros lie around the 1×1 convolution's result, after its activation. A NaN
/// in the source reaches the outputs that see it only. Filters of 3×3 and 5×5 with stride 1 or 2 are
/// the fast ones. Memory need not be aligned, but the kernel is fastest where all of it is to 64
/// bytes.
typedef struct CK_SWIFT(ExpandedDepthwise) CKExpandedDepthwise {
  CKVectors vectors;
  /// Channels of the source, and of what lies between and the destination; these must fill whole
  /// vectors where the destination is not in blocks of them.
  int32_t images, inputs, channels;
  /// The size of a source image, and of the depthwise filters.
  int32_t height, width, filterHeight, filterWidth;
  int32_t verticalStride, horizontalStride;
  int32_t top, left, bottom, right;
  CKImageStrides source, destination;
  /// After the 1×1 convolution.
  CKActivation expandedActivation;
  float expandedParameter;
  /// After the depthwise one.
  CKActivation activation;
  float parameter;
  /// How many threads share the work.
  int32_t threads;
} CKExpandedDepthwise;

/// Whether these fields describe convolutions that this processor can compute.
bool ck_expanded_depthwise_is_valid(const CKExpandedDepthwise *convolutions)
    CK_SWIFT(getter:CKExpandedDepthwise.isValid(self:));

/// The size of the packed depthwise filters in floats.
///
/// It depends on `vectors`, `channels` and the size of a filter only, and so do the packed filters.
size_t ck_expanded_depthwise_filter_count(const CKExpandedDepthwise *convolutions)
    CK_SWIFT(getter:CKExpandedDepthwise.filterCount(self:));

/// Packs the depthwise filters.
///
/// - Parameters:
///   - filters: `[channels, filterHeight, filterWidth]`, row-major.
///   - packed: `filterCount` floats.
void ck_expanded_depthwise_pack_filters(
    const CKExpandedDepthwise *convolutions, const float *filters, float *packed)
    CK_SWIFT(CKExpandedDepthwise.pack(self:filters:into:));

/// The size of the sums of rows in floats: `[images, output height, channels]`.
size_t ck_expanded_depthwise_row_sum_count(const CKExpandedDepthwise *convolutions)
    CK_SWIFT(getter:CKExpandedDepthwise.rowSumCount(self:));

/// The size of one thread's scratch memory in bytes.
size_t ck_expanded_depthwise_scratch_size(const CKExpandedDepthwise *convolutions)
    CK_SWIFT(getter:CKExpandedDepthwise.scratchSize(self:));

/// Of each of the two convolutions.
typedef struct CK_SWIFT(ExpandedDepthwiseFilters) CKExpandedDepthwiseFilters {
  /// What `ck_im2col_pack_filters` wrote of the filters `[channels, inputs, 1, 1]`, and what
  /// `ck_expanded_depthwise_pack_filters` wrote.
  const float *expanding, *depthwise;
  /// `[channels]`, or null.
  const float *expandingBias, *depthwiseBias;
} CKExpandedDepthwiseFilters;

/// Computes the share of one thread.
///
/// No share waits for another, and how the work is shared changes no bit of the outputs.
///
/// - Parameters:
///   - destination: other memory than the source.
///   - rowSums: the sum over each row of outputs for each channel, or null; for whole vectors of
///     channels only.
///   - scratch: memory of `ck_expanded_depthwise_scratch_size` for this thread alone.
void ck_expanded_depthwise_run(
    const CKExpandedDepthwise *convolutions, const float *source,
    CKExpandedDepthwiseFilters filters, float *destination, float *rowSums, void *scratch,
    int32_t thread)
    CK_SWIFT(CKExpandedDepthwise.run(self:source:filters:destination:rowSums:scratch:thread:));

/// Computes share `thread` of `threads` of the means over all pixels, when all shares of the
/// convolutions are done. The number of shares changes no bit.
///
/// - Parameters:
///   - rowSums: what `ck_expanded_depthwise_run` wrote.
///   - means: `[images, channels]`.
void ck_expanded_depthwise_means(
    const CKExpandedDepthwise *convolutions, const float *rowSums, float *means, int32_t thread,
    int32_t threads) CK_SWIFT(CKExpandedDepthwise.means(self:rowSums:into:thread:of:));
