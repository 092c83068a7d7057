// Compiled once for each instruction set; see ElementwiseAVX512.c.
#include <string.h>

#include "Vector.h"

typedef int32_t Flags __attribute__((ext_vector_type(LANES)));
typedef uint32_t Words __attribute__((ext_vector_type(LANES)));
typedef uint16_t HalfWords __attribute__((ext_vector_type(LANES)));
typedef uint8_t Bytes __attribute__((ext_vector_type(LANES)));
typedef _Float16 Halves __attribute__((ext_vector_type(LANES)));

/// Larger results leave the caches before they are read again.
enum { streamedElements = 1 << 20 };

/// The sum carries into the upper half of the word where that is the nearest number; a NaN could
/// lose all that makes it one.
INLINE Vector round_to_bfloat16(Vector x) {
  const Words bits = (Words)x;
  const Words sum = x != x ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1);
  return (Vector)(sum & 0xffff0000);
}

INLINE Vector round_to_float16(Vector x) {
  return __builtin_convertvector(__builtin_convertvector(x, Halves), Vector);
}

INLINE Vector truth(Flags condition) { return condition ? (Vector)1 : (Vector)0; }

INLINE Vector apply(const CKElementFunction function, Vector a, Vector b, Vector c) {
  switch (function) {
  case CKElementFunctionAdd: return a + b;
  case CKElementFunctionSubtract: return a - b;
  case CKElementFunctionMultiply: return a * b;
  case CKElementFunctionDivide: return a / b;
  // NaN stays NaN, whichever it is.
  case CKElementFunctionMaximum: return (b != b | b > a) ? b : a;
  case CKElementFunctionMinimum: return (b != b | b < a) ? b : a;
  case CKElementFunctionNegate: return -a;
  case CKElementFunctionMagnitude: return __builtin_elementwise_abs(a);
  case CKElementFunctionSquareRoot: return __builtin_elementwise_sqrt(a);
  case CKElementFunctionInverseSquareRoot: return 1 / __builtin_elementwise_sqrt(a);
  case CKElementFunctionRectify: return a > 0 ? b : (Vector)0;
  case CKElementFunctionEqual: return truth(a == b);
  case CKElementFunctionNotEqual: return truth(a != b);
  case CKElementFunctionLess: return truth(a < b);
  case CKElementFunctionLessOrEqual: return truth(a <= b);
  case CKElementFunctionGreater: return truth(a > b);
  case CKElementFunctionGreaterOrEqual: return truth(a >= b);
  case CKElementFunctionSelect: return c != 0 ? a : b;
  case CKElementFunctionCopy: return a;
  case CKElementFunctionRoundToFloat16: return round_to_float16(a);
  case CKElementFunctionRoundToBFloat16: return round_to_bfloat16(a);
  case CKElementFunctionTruth: return truth(a != 0);
  }
}

/// Applies a function to `count` elements; whole vectors go past the caches if they stream.
INLINE void apply_all(
    const CKElementFunction function, const float *const sources[3], float *to, ptrdiff_t count,
    bool streams) {
  const float *left = sources[0], *right = sources[1], *third = sources[2];
  ptrdiff_t i = 0;
  if (streams)
    for (; i + LANES <= count; i += LANES)
      stream(to + i, apply(function, load(left + i), load(right + i), load(third + i)));
  else
    for (; i + LANES <= count; i += LANES)
      store(to + i, apply(function, load(left + i), load(right + i), load(third + i)));
  const int rest = (int)(count - i);
  if (rest == 0) return;
  const Vector a = load_some(left + i, rest), b = load_some(right + i, rest);
  store_some(to + i, apply(function, a, b, load_some(third + i, rest)), rest);
}

static void apply_instruction(
    CKElementFunction function, const float *const sources[3], float *to, ptrdiff_t count,
    bool streams) {
#define CASE(name) \
  case CKElementFunction##name: \
    return apply_all(CKElementFunction##name, sources, to, count, streams);
  switch (function) {
    CASE(Add)
    CASE(Subtract)
    CASE(Multiply)
    CASE(Divide)
    CASE(Maximum)
    CASE(Minimum)
    CASE(Negate)
    CASE(Magnitude)
    CASE(SquareRoot)
    CASE(InverseSquareRoot)
    CASE(Rectify)
    CASE(Equal)
    CASE(NotEqual)
    CASE(Less)
    CASE(LessOrEqual)
    CASE(Greater)
    CASE(GreaterOrEqual)
    CASE(Select)
    CASE(Copy)
    CASE(RoundToFloat16)
    CASE(RoundToBFloat16)
    CASE(Truth)
  }
#undef CASE
}

INLINE ptrdiff_t size_of(const CKElementType type) {
  switch (type) {
  case CKElementTypeFloat32: return 4;
  case CKElementTypeFloat16:
  case CKElementTypeBFloat16: return 2;
  case CKElementTypeBool: return 1;
  }
}

INLINE Vector widened(const CKElementType type, const char *from) {
  Halves halves;
  HalfWords words;
  Bytes bytes;
  switch (type) {
  case CKElementTypeFloat32: return load((const float *)from);
  case CKElementTypeFloat16:
    memcpy(&halves, from, sizeof halves);
    return __builtin_convertvector(halves, Vector);
  case CKElementTypeBFloat16:
    memcpy(&words, from, sizeof words);
    return (Vector)(__builtin_convertvector(words, Words) << 16);
  case CKElementTypeBool:
    memcpy(&bytes, from, sizeof bytes);
    return __builtin_convertvector(bytes, Vector);
  }
}

INLINE void narrowed(const CKElementType type, Vector x, char *to) {
  const Halves halves = __builtin_convertvector(x, Halves);
  const HalfWords words = __builtin_convertvector((Words)x >> 16, HalfWords);
  const Bytes bytes = __builtin_convertvector((Words)(x != 0) & 1, Bytes);
  switch (type) {
  case CKElementTypeFloat32: return store((float *)to, x);
  case CKElementTypeFloat16: memcpy(to, &halves, sizeof halves); return;
  case CKElementTypeBFloat16: memcpy(to, &words, sizeof words); return;
  case CKElementTypeBool: memcpy(to, &bytes, sizeof bytes); return;
  }
}

/// Reads `count` elements, and zeros up to whole vectors.
INLINE void widen_all(const CKElementType type, const char *from, float *to, ptrdiff_t count) {
  const ptrdiff_t size = size_of(type);
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) store(to + i, widened(type, from + i * size));
  if (i == count) return;
  _Alignas(Vector) char rest[sizeof(Vector)] = {0};
  memcpy(rest, from + i * size, (size_t)((count - i) * size));
  store(to + i, widened(type, rest));
}

/// Writes `count` elements, of which whole vectors can be read.
INLINE void narrow_all(const CKElementType type, const float *from, char *to, ptrdiff_t count) {
  const ptrdiff_t size = size_of(type);
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) narrowed(type, load(from + i), to + i * size);
  if (i == count) return;
  _Alignas(Vector) char rest[sizeof(Vector)];
  narrowed(type, load(from + i), rest);
  memcpy(to + i * size, rest, (size_t)((count - i) * size));
}

#define FOR_EACH_TYPE(CASE) \
  switch (type) { \
    CASE(CKElementTypeFloat32) \
    CASE(CKElementTypeFloat16) \
    CASE(CKElementTypeBFloat16) \
    CASE(CKElementTypeBool) \
  }

/// Reads `count` elements from the first one on.
static void widen(
    CKElementType type, const void *from, ptrdiff_t first, float *to, ptrdiff_t count) {
#define CASE(type) \
  case type: return widen_all(type, (const char *)from + first * size_of(type), to, count);
  FOR_EACH_TYPE(CASE)
#undef CASE
}

/// Writes `count` elements from the first one on.
static void narrow(
    CKElementType type, const float *from, void *to, ptrdiff_t first, ptrdiff_t count) {
#define CASE(type) \
  case type: return narrow_all(type, from, (char *)to + first * size_of(type), count);
  FOR_EACH_TYPE(CASE)
#undef CASE
}

/// Whether nothing reads what an instruction writes but later runs.
static bool is_last(const CKElementwise *c, int instruction) {
  for (int i = instruction + 1; i < c->instructionCount; i++) {
    const CKElementInstruction *other = &c->instructions[i];
    const int value = c->operandCount + instruction;
    if (other->left == value || other->right == value || other->third == value) return false;
  }
  return true;
}

/// Whether a result goes to memory at once.
static bool streams_result(
    const CKElementwise *c, int instruction, const void *const *operands, const void *to) {
  if (c->count < streamedElements || (uintptr_t)to % sizeof(Vector) != 0) return false;
  for (int i = 0; i < c->operandCount; i++)
    if (operands[i] == to) return false;
  return is_last(c, instruction);
}

void VARIANT(elementwise_run)(
    const CKElementwise *c, const void *const *operands, void *const *results, int thread) {
  _Alignas(64) float memory[mostValues][chunkElements];
  const float *values[mostValues];
  bool streams[mostValues];
  for (int i = 0; i < c->operandCount; i++)
    if (c->isNumber[i]) {
      widen(c->operandTypes[i], operands[i], 0, memory[i], 1);
      const float number = memory[i][0];
      for (int j = 0; j < chunkElements; j++) memory[i][j] = number;
      values[i] = memory[i];
    }
  for (int i = 0; i < c->instructionCount; i++) {
    const int result = c->instructions[i].result;
    streams[i] = result >= 0 && c->resultTypes[result] == CKElementTypeFloat32
        && streams_result(c, i, operands, results[result]);
  }
  // Whole vectors, so that all shares are aligned alike.
  const Range units = part((Range){0, ceiling(c->count, LANES)}, thread, c->threads);
  const ptrdiff_t end = units.end * LANES < c->count ? units.end * LANES : c->count;
  for (ptrdiff_t first = units.start * LANES; first < end; first += chunkElements) {
    const ptrdiff_t count = end - first < chunkElements ? end - first : chunkElements;
    for (int i = 0; i < c->operandCount; i++) {
      if (c->isNumber[i]) continue;
      if (c->operandTypes[i] == CKElementTypeFloat32) {
        values[i] = (const float *)operands[i] + first;
      } else {
        widen(c->operandTypes[i], operands[i], first, memory[i], count);
        values[i] = memory[i];
      }
    }
    for (int i = 0; i < c->instructionCount; i++) {
      const CKElementInstruction *instruction = &c->instructions[i];
      const int result = instruction->result;
      const bool isInPlace = result >= 0 && c->resultTypes[result] == CKElementTypeFloat32;
      float *own = memory[c->operandCount + i];
      float *to = isInPlace ? (float *)results[result] + first : own;
      const float *sources[3] = {
          values[instruction->left], values[instruction->right], values[instruction->third]};
      apply_instruction(instruction->function, sources, to, count, streams[i]);
      if (result >= 0 && !isInPlace)
        narrow(c->resultTypes[result], own, results[result], first, count);
      values[c->operandCount + i] = to;
    }
  }
  __builtin_ia32_sfence();
}
