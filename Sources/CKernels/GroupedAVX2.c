#include <immintrin.h>

#include "GroupedPlan.h"

// Sixteen registers: the sums of 8 columns, a row of filters, one vector of the source.
#define LANES 8
#define COLUMNS 8
#define VARIANT(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "GroupedRun.h"
#pragma clang attribute pop
