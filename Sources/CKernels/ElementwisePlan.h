#pragma once
#include "Range.h"
#include "include/Elementwise.h"

enum {
  /// Elements that go through all instructions together.
  chunkElements = 512,
  mostValues = 32,
};

void elementwise_run_avx512(
    const CKElementwise *elementwise, const void *const *operands, void *const *results,
    int thread);
void elementwise_run_avx2(
    const CKElementwise *elementwise, const void *const *operands, void *const *results,
    int thread);
