#pragma once
#include "Winograd.h"

// The gradient of the filters of a convolution in tiles of 4×4 outputs: of `CKWinograd`, where
// `source` are the images and `destination` is how the gradient of the outputs lies. Tiles of both
// are transformed, multiplied at each point, summed over all tiles and transformed back: the
// transpose of the convolution (Lavin and Gray 2015, arXiv 1509.09308, section 4). Activation,
// parameter and chunk do not matter.

/// Whether these fields describe a gradient that this processor can compute.
bool ck_winograd_gradient_is_valid(const CKWinograd *convolution)
    CK_SWIFT(getter:CKWinograd.isValidGradient(self:));

/// How many phases the work has; one starts when all shares of the one before are done.
int32_t ck_winograd_gradient_phases(const CKWinograd *convolution)
    CK_SWIFT(getter:CKWinograd.gradientPhases(self:));

/// The size of the scratch memory that all threads share in bytes.
size_t ck_winograd_gradient_scratch_size(const CKWinograd *convolution)
    CK_SWIFT(getter:CKWinograd.gradientScratchSize(self:));

/// Computes the share of one thread in one phase. The number of threads changes the last bits.
///
/// - Parameters:
///   - gradient: of the outputs.
///   - filters: the result, `[outputs, inputs, 3, 3]`, row-major.
///   - bias: the sum of the gradient over all pixels, `[outputs]`, or null.
///   - scratch: memory of `ck_winograd_gradient_scratch_size`.
void ck_winograd_gradient_run(
    const CKWinograd *convolution, const float *source, const float *gradient, float *filters,
    float *bias, void *scratch, int32_t phase, int32_t thread)
    CK_SWIFT(
        CKWinograd.gradient(self:source:gradient:filters:bias:scratch:phase:thread:));
