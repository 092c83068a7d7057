#pragma once
#include "Vectors.h"

/// Batch normalisation by the batch's statistics and an activation that can be inverted, and its
/// gradients from the result alone, so that this may be written over the images:
/// `y = f((x − mean) / √(variance + ε) · (|scale| + ε) + offset)`
/// (Rota Bulò, Porzi and Kontschieder 2018, arXiv 1712.02616, section 3).
///
/// Statistics and gradients of scale and offset are sums over stretches of pixels in `float`, added
/// up in `double`; the number of threads changes their last bits. The three functions of a pass are
/// called one after the other, each when all shares of the one before are done.
typedef struct CK_SWIFT(ActivatedNorm) CKActivatedNorm {
  CKVectors vectors;
  int32_t images, channels;
  /// Of an image.
  ptrdiff_t pixels;
  /// Where images, results and gradients lie; blocks divide the channels.
  CKChannelBlocks strides;
  /// None, leaky ReLU or ELU with a positive parameter.
  CKActivation activation;
  float parameter;
  double epsilon;
  /// How many threads share the work.
  int32_t threads;
} CKActivatedNorm;

/// The size of the sums of all threads in doubles.
size_t ck_activated_norm_sum_count(const CKActivatedNorm *norm)
    CK_SWIFT(getter:CKActivatedNorm.sumCount(self:));

/// Each thread's mean of its pixels, and the sum of their squared distances from it.
void ck_activated_norm_measure(
    const CKActivatedNorm *norm, const float *images, double *sums, int32_t thread)
    CK_SWIFT(CKActivatedNorm.measure(self:images:into:thread:));

/// The mean and biased variance of a thread's share of the channels.
void ck_activated_norm_finish(
    const CKActivatedNorm *norm, const double *sums, float *mean, float *variance, int32_t thread)
    CK_SWIFT(CKActivatedNorm.finish(self:sums:mean:variance:thread:));

/// - Parameter results: may be the images.
void ck_activated_norm_run(
    const CKActivatedNorm *norm, const float *images, const float *scale, const float *offset,
    const float *mean, const float *variance, float *results, int32_t thread)
    CK_SWIFT(CKActivatedNorm.run(self:images:scale:offset:mean:variance:into:thread:));

/// Each thread's sums of `dz` and `dz · x̂` over its pixels, where `dz = dy · f′`.
void ck_activated_norm_sum_gradients(
    const CKActivatedNorm *norm, const float *y, const float *scale, const float *offset,
    const float *dy, double *sums, int32_t thread)
    CK_SWIFT(CKActivatedNorm.sumGradients(self:y:scale:offset:dy:into:thread:));

/// The gradients of a thread's share of scales and offsets.
void ck_activated_norm_finish_gradients(
    const CKActivatedNorm *norm, const double *sums, const float *scale, float *dscale,
    float *doffset, int32_t thread)
    CK_SWIFT(CKActivatedNorm.finishGradients(self:sums:scale:dscale:doffset:thread:));

/// - Parameter results: the gradient of the images; may be `y` or `dy`.
void ck_activated_norm_run_gradient(
    const CKActivatedNorm *norm, const float *y, const float *scale, const float *offset,
    const float *variance, const float *dy, const float *dscale,
    const float *doffset, float *results, int32_t thread)
    CK_SWIFT(CKActivatedNorm.gradient(self:y:scale:offset:variance:dy:dscale:doffset:dx:thread:));
