#pragma once
#include "Vectors.h"
#include "Winograd.h"

/// A convolution by filters of any size, stride and dilation, without groups: what the filters see
/// of some pixels is gathered in a row each (im2col), then multiplied with the filters while it stays
/// in the second-level cache. Filters of one pixel read images in blocks of channels as they lie.
///
/// Plain images, those whose pixels are one float apart, are for few channels, as at the start of a
/// network: their rows are copied with the columns that are a stride apart side by side, and the
/// product reads what filters see from there. Blocks of such a source are its channels.
///
/// A NaN in the source reaches the outputs that see it only. Memory need not be aligned, but the
/// kernel is fastest where all of it is to 64 bytes.
typedef struct CK_SWIFT(Im2col) CKIm2col {
  CKVectors vectors;
  int32_t images, inputs, outputs;
  /// The size of a source image, of a destination image, and of a filter.
  int32_t height, width, outputHeight, outputWidth, filterHeight, filterWidth;
  int32_t verticalStride, horizontalStride, verticalDilation, horizontalDilation;
  /// Rows and columns of zeros before a source image; behind it as many as the filters reach.
  int32_t top, left;
  CKImageStrides source, destination;
  CKActivation activation;
  float parameter;
  /// How many threads share the work.
  int32_t threads;
} CKIm2col;

/// Whether these fields describe a convolution that this processor can compute.
bool ck_im2col_is_valid(const CKIm2col *convolution) CK_SWIFT(getter:CKIm2col.isValid(self:));

/// The size of the packed filters in floats.
///
/// It depends on `vectors`, `inputs`, `outputs` and the size of a filter only, and so do the packed
/// filters.
size_t ck_im2col_filter_count(const CKIm2col *convolution)
    CK_SWIFT(getter:CKIm2col.filterCount(self:));

/// Packs share `thread` of `threads` of the filters.
///
/// - Parameters:
///   - filters: `[outputs, inputs, filterHeight, filterWidth]`, row-major.
///   - packed: `filterCount` floats.
void ck_im2col_pack_filters(
    const CKIm2col *convolution, const float *filters, float *packed, int32_t thread,
    int32_t threads) CK_SWIFT(CKIm2col.pack(self:filters:into:thread:of:));

/// The size of one thread's scratch memory in bytes.
size_t ck_im2col_scratch_size(const CKIm2col *convolution)
    CK_SWIFT(getter:CKIm2col.scratchSize(self:));

/// Computes the share of one thread.
///
/// No share waits for another, and how the work is shared changes no bit of the outputs.
///
/// - Parameters:
///   - filters: what `ck_im2col_pack_filters` wrote.
///   - bias: `[outputs]`, or null.
///   - residual: what is added before the activation, or null. It lies like the destination, and
///     may be the destination.
///   - scratch: memory of `ck_im2col_scratch_size` for this thread alone.
void ck_im2col_run(
    const CKIm2col *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, void *scratch, int32_t thread)
    CK_SWIFT(CKIm2col.run(self:source:filters:bias:residual:destination:scratch:thread:));
