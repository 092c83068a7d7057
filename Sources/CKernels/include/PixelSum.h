#pragma once
#include "Vectors.h"
#include "Winograd.h"

/// The sum over the pixels of each channel of each image, or of its product with another:
/// `sums[n, c] = Σ a[n, c, i, j] · b[n, c, i, j]`.
typedef struct CK_SWIFT(PixelSum) CKPixelSum {
  CKVectors vectors;
  int32_t images, channels;
  /// Of an image; they lie evenly.
  ptrdiff_t pixels;
  /// Where images lie; `row` does not matter.
  CKImageStrides strides;
  /// How many threads share the work.
  int32_t threads;
} CKPixelSum;

/// Computes the share of one thread. No share waits for another, and how the work is shared changes
/// no bit.
///
/// - Parameters:
///   - factors: `b`, or null.
///   - sums: `[images, channels]`.
void ck_pixel_sum_run(
    const CKPixelSum *sum, const float *images, const float *factors, float *sums, int32_t thread)
    CK_SWIFT(CKPixelSum.run(self:images:factors:into:thread:));
