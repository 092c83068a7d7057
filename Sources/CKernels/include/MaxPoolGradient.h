#pragma once
#include "Vectors.h"

/// The gradient of the maximum over windows of images: what comes to a window goes to the first of
/// its largest pixels, row by row; NaN counts as the largest. Every window touches the image.
typedef struct CK_SWIFT(MaxPoolGradient) CKMaxPoolGradient {
  CKVectors vectors;
  /// How many images.
  int32_t count;
  int32_t channels;
  /// The size of an image.
  int32_t height, width;
  /// The number of windows.
  int32_t outputHeight, outputWidth;
  int32_t windowHeight, windowWidth;
  int32_t verticalStride, horizontalStride;
  /// Rows and columns of padding before the first of an image.
  int32_t top, left;
  /// Where the images and their gradient lie.
  CKChannelBlocks images;
  /// Where the gradient of the maxima lies.
  CKChannelBlocks gradient;
  /// How many threads share the work.
  int32_t threads;
} CKMaxPoolGradient;

/// Computes the share of one thread.
///
/// No share waits for another, and how the work is shared changes no bit of the result.
///
/// - Parameters:
///   - destination: other memory than the images.
void ck_max_pool_gradient_run(
    const CKMaxPoolGradient *pool, const float *images, const float *gradient, float *destination,
    int32_t thread) CK_SWIFT(CKMaxPoolGradient.run(self:images:gradient:into:thread:));
