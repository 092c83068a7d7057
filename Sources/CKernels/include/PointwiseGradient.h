#pragma once
#include "Vectors.h"
#include "Winograd.h"

/// The gradient of the filters of a 1×1 convolution of stride 1, without groups:
/// `dw[o, c] = Σ x[n, c, i, j] · dy[n, o, i, j]`.
typedef struct CK_SWIFT(PointwiseGradient) CKPointwiseGradient {
  CKVectors vectors;
  int32_t images, inputs, outputs;
  /// Of an image; they lie evenly.
  ptrdiff_t pixels;
  /// Where the images and the gradient of the outputs lie, in blocks of channels; `row` does not
  /// matter.
  CKImageStrides source, gradient;
  /// How many threads share the work.
  int32_t threads;
} CKPointwiseGradient;

/// Whether these fields describe a gradient that this processor can compute.
bool ck_pointwise_gradient_is_valid(const CKPointwiseGradient *convolution)
    CK_SWIFT(getter:CKPointwiseGradient.isValid(self:));

/// The size of the scratch memory that all threads share in bytes.
size_t ck_pointwise_gradient_scratch_size(const CKPointwiseGradient *convolution)
    CK_SWIFT(getter:CKPointwiseGradient.scratchSize(self:));

/// Computes the share of one thread. No share waits for another, and how the work is shared changes
/// no bit.
///
/// - Parameter filters: the result, `[outputs, inputs]`, row-major.
void ck_pointwise_gradient_run(
    const CKPointwiseGradient *convolution, const float *source, const float *gradient,
    float *filters, void *scratch, int32_t thread)
    CK_SWIFT(CKPointwiseGradient.run(self:source:gradient:filters:scratch:thread:));
