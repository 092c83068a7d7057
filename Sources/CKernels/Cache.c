#include "include/Cache.h"

#include <emmintrin.h>

enum { cacheLine = 64 };

void ck_flush(const void *start, size_t size) {
  const char *bytes = start;
  for (size_t offset = 0; offset < size; offset += cacheLine) _mm_clflush(bytes + offset);
  _mm_mfence();
}
