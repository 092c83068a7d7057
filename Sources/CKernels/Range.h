#pragma once
#include <stddef.h>

/// A half-open range.
typedef struct {
  ptrdiff_t start, end;
} Range;

/// Part `index` of `parts` nearly equal parts of a range.
static inline Range part(Range range, int index, int parts) {
  ptrdiff_t count = range.end - range.start;
  return (Range){range.start + count * index / parts, range.start + count * (index + 1) / parts};
}

static inline ptrdiff_t ceiling(ptrdiff_t count, ptrdiff_t unit) {
  return (count + unit - 1) / unit;
}
