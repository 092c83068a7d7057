#pragma once
#include "Vectors.h"

/// A convolution by 1×1 filters, without groups, of images whose channels are neighbours.
///
/// Pixels may lie further apart than their channels, so that a destination can be a slice of a
/// concatenation; what lies between is never touched. With a stride, `source` has the strides
/// between the pixels that are read. A NaN in the source reaches the outputs of its pixel only.
/// Memory need not be aligned, but the kernel is fastest where all of it is to 64 bytes.
typedef struct CK_SWIFT(Pointwise) CKPointwise {
  CKVectors vectors;
  int32_t images, inputs, outputs;
  /// The size of a destination image.
  int32_t height, width;
  CKPixelStrides source, destination;
  /// Whether each input channel of each image is multiplied by a factor of its own first, as
  /// squeeze-excitation does.
  bool isScaled;
  CKActivation activation;
  float parameter;
  /// How many threads share the work.
  int32_t threads;
} CKPointwise;

/// Whether these fields describe a convolution that this processor can compute.
bool ck_pointwise_is_valid(const CKPointwise *convolution)
    CK_SWIFT(getter:CKPointwise.isValid(self:));

/// The size of the packed filters in floats.
///
/// It depends on `vectors`, `inputs` and `outputs` only, and so do the packed filters.
size_t ck_pointwise_filter_count(const CKPointwise *convolution)
    CK_SWIFT(getter:CKPointwise.filterCount(self:));

/// Packs share `thread` of `threads` of the filters.
///
/// - Parameters:
///   - filters: `[outputs, inputs]`, row-major.
///   - packed: `filterCount` floats.
void ck_pointwise_pack_filters(
    const CKPointwise *convolution, const float *filters, float *packed, int32_t thread,
    int32_t threads) CK_SWIFT(CKPointwise.pack(self:filters:into:thread:of:));

/// The size of one thread's scratch memory in bytes.
size_t ck_pointwise_scratch_size(const CKPointwise *convolution)
    CK_SWIFT(getter:CKPointwise.scratchSize(self:));

/// Computes the share of one thread.
///
/// No share waits for another, and how the work is shared changes no bit of the outputs.
///
/// - Parameters:
///   - filters: what `ck_pointwise_pack_filters` wrote.
///   - bias: `[outputs]`, or null.
///   - scale: `[images, inputs]`, read if `isScaled`.
///   - residual: what is added before the activation, or null. It lies like the destination, and
///     may be the destination.
///   - scratch: memory of `ck_pointwise_scratch_size` for this thread alone.
void ck_pointwise_run(
    const CKPointwise *convolution, const float *source, const float *filters, const float *bias,
    const float *scale, const float *residual, float *destination, void *scratch, int32_t thread)
    CK_SWIFT(
        CKPointwise.run(self:source:filters:bias:scale:residual:destination:scratch:thread:));
