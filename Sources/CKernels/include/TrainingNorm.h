#pragma once
#include "Vectors.h"
#include "Winograd.h"

/// Batch normalisation by the batch's statistics with what follows it, and its gradients:
/// `y = f(z + residual)`, `z = (x − mean) · scale / √(variance + ε) + offset`
/// (Ioffe and Szegedy 2015, arXiv 1502.03167, algorithm 1).
///
/// The gradients are those of `f(z)` without residual; z is made again from x, with the same bits.
/// Statistics and gradients of scale and offset are sums over stretches of pixels in `float`, added
/// up in `double`; the number of threads may change their last bits.
typedef struct CK_SWIFT(TrainingNorm) CKTrainingNorm {
  CKVectors vectors;
  int32_t images, channels;
  /// Of an image; they lie evenly.
  ptrdiff_t pixels;
  /// Where images, results, residuals and gradients lie; `row` does not matter.
  CKImageStrides strides;
  double epsilon;
  /// None, ReLU, clipped ReLU or Swish.
  CKActivation activation;
  float parameter;
  /// How many threads share the work.
  int32_t threads;
} CKTrainingNorm;

/// What a norm reads of each channel, `[channels]` each.
typedef struct CK_SWIFT(TrainingNormChannels) CKTrainingNormChannels {
  const float *scale, *offset;
  /// Written by the norm itself, read for its gradients; the variance is the biased one.
  float *mean, *variance;
} CKTrainingNormChannels;

/// Whether these fields describe a norm that this processor can compute.
bool ck_training_norm_is_valid(const CKTrainingNorm *norm)
    CK_SWIFT(getter:CKTrainingNorm.isValid(self:));

/// How many phases a pass has; one starts when all shares of the one before are done.
int32_t ck_training_norm_phases(const CKTrainingNorm *norm)
    CK_SWIFT(getter:CKTrainingNorm.phases(self:));

/// The size of the sums that all threads share in doubles.
size_t ck_training_norm_sum_count(const CKTrainingNorm *norm)
    CK_SWIFT(getter:CKTrainingNorm.sumCount(self:));

/// Computes the share of one thread in one phase.
///
/// - Parameters:
///   - residual: what is added before the activation, or null.
///   - results: may be the images or the residual.
void ck_training_norm_run(
    const CKTrainingNorm *norm, const float *images, const CKTrainingNormChannels *channels,
    const float *residual, float *results, double *sums, int32_t phase, int32_t thread)
    CK_SWIFT(CKTrainingNorm.run(self:images:channels:residual:into:sums:phase:thread:));

/// Computes the share of one thread of the gradients in one phase.
///
/// - Parameters:
///   - channels: without offset where there is no activation.
///   - gradient: of `y`.
///   - dscale, doffset: written, `[channels]`.
///   - results: the gradient of the images; may be `gradient`.
void ck_training_norm_run_gradient(
    const CKTrainingNorm *norm, const float *images, const CKTrainingNormChannels *channels,
    const float *gradient, float *dscale, float *doffset, float *results, double *sums,
    int32_t phase, int32_t thread)
    CK_SWIFT(
        CKTrainingNorm.gradient(self:images:channels:dy:dscale:doffset:dx:sums:phase:thread:));
