#include <immintrin.h>

#include "PointwisePlan.h"

// Sixteen registers: 2 × 6 or 3 × 3 sums, the filters of two or three, one of the source.
#define LANES 8
#define VARIANT(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "PointwiseRun.h"
#pragma clang attribute pop
