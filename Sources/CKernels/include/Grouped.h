#pragma once
#include "Vectors.h"
#include "Winograd.h"

/// A convolution by 3×3 filters in groups of as many outputs as inputs, as in ResNeXt (Xie et al.
/// 2017, arXiv 1611.05431).
///
/// A group is 4 or 8 channels, or whole vectors of them. A NaN in the source reaches the outputs of
/// its group that see it only. Memory need not be aligned, but the kernel is fastest where all of it
/// is to 64 bytes.
typedef struct CK_SWIFT(Grouped) CKGrouped {
  CKVectors vectors;
  int32_t images;
  /// Of images and results: whole vectors of them.
  int32_t channels;
  /// Channels of a group.
  int32_t groupChannels;
  /// The size of a source image and of a destination image.
  int32_t height, width, outputHeight, outputWidth;
  /// 1 or 2, in both directions.
  int32_t stride;
  /// Rows and columns of zeros before a source image; behind it as many as the filters reach.
  int32_t top, left;
  CKImageStrides source, destination;
  CKActivation activation;
  float parameter;
  /// How many threads share the work.
  int32_t threads;
} CKGrouped;

/// Whether these fields describe a convolution that this processor can compute.
bool ck_grouped_is_valid(const CKGrouped *convolution) CK_SWIFT(getter:CKGrouped.isValid(self:));

/// The size of the packed filters in floats; they depend on `vectors`, `channels` and
/// `groupChannels` only.
size_t ck_grouped_filter_count(const CKGrouped *convolution)
    CK_SWIFT(getter:CKGrouped.filterCount(self:));

/// Packs filters.
///
/// - Parameters:
///   - filters: `[channels, groupChannels, 3, 3]`, row-major.
///   - packed: `filterCount` floats.
void ck_grouped_pack_filters(const CKGrouped *convolution, const float *filters, float *packed)
    CK_SWIFT(CKGrouped.pack(self:filters:into:));

/// The size of one thread's scratch memory in bytes.
size_t ck_grouped_scratch_size(const CKGrouped *convolution)
    CK_SWIFT(getter:CKGrouped.scratchSize(self:));

/// Computes the share of one thread.
///
/// No share waits for another, and how the work is shared changes no bit of the outputs.
///
/// - Parameters:
///   - filters: what `ck_grouped_pack_filters` wrote.
///   - bias: `[channels]`, or null.
///   - destination: other memory than the source.
///   - scratch: memory of `ck_grouped_scratch_size` for this thread alone.
void ck_grouped_run(
    const CKGrouped *convolution, const float *source, const float *filters, const float *bias,
    float *destination, void *scratch, int32_t thread)
    CK_SWIFT(CKGrouped.run(self:source:filters:bias:destination:scratch:thread:));
