#pragma once
#include "Vectors.h"

/// The floating-point operations of one round of `ck_peak_multiply_add`.
int64_t ck_peak_round_operations(CKVectors vectors)
    CK_SWIFT(getter:CKVectors.peakRoundOperations(self:));

/// Multiplies and adds in registers alone, as fast as the processor can, and returns a number that
/// depends on all of it.
float ck_peak_multiply_add(CKVectors vectors, int64_t rounds)
    CK_SWIFT(CKVectors.peakMultiplyAdd(self:rounds:));

/// Reads numbers from one end to the other and returns their sum.
float ck_peak_read(CKVectors vectors, const float *from, size_t count)
    CK_SWIFT(CKVectors.peakRead(self:from:count:));
