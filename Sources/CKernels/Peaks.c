#include "include/Peaks.h"

// Two fused operations a cycle with a latency of four or five need ten sums under way at least.
#define TARGET __attribute__((target("avx512f")))
#define FUNCTION(name) name##_avx512
#define LANES 16
#define CHAINS 24
#include "PeaksLoops.h"

#define TARGET __attribute__((target("avx2,fma")))
#define FUNCTION(name) name##_avx2
#define LANES 8
#define CHAINS 12
#include "PeaksLoops.h"

#define TARGET
#define FUNCTION(name) name##_plain
#define LANES 4
#define CHAINS 12
#include "PeaksLoops.h"

int64_t ck_peak_round_operations(CKVectors vectors) {
  switch (vectors) {
    case CKVectorsAVX512: return 2 * 16 * 24;
    case CKVectorsAVX2: return 2 * 8 * 12;
    case CKVectorsNone: return 2 * 4 * 12;
  }
}

float ck_peak_multiply_add(CKVectors vectors, int64_t rounds) {
  switch (vectors) {
    case CKVectorsAVX512: return multiply_add_avx512(rounds);
    case CKVectorsAVX2: return multiply_add_avx2(rounds);
    case CKVectorsNone: return multiply_add_plain(rounds);
  }
}

float ck_peak_read(CKVectors vectors, const float *from, size_t count) {
  switch (vectors) {
    case CKVectorsAVX512: return read_avx512(from, count);
    case CKVectorsAVX2: return read_avx2(from, count);
    case CKVectorsNone: return read_plain(from, count);
  }
}
