// Compiled once for each instruction set; see ElementwiseAVX512.c.
#include <string.h>

#include "Vector.h"

/// Larger results leave the caches before they are read again.
enum { streamedElements = 1 << 20 };

INLINE Vector apply(const CKElementFunction function, Vector a, Vector b) {
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
  }
}

/// Applies a function to `count` elements; whole vectors go past the caches if they stream.
INLINE void apply_all(
    const CKElementFunction function, const float *left, const float *right, float *to,
    ptrdiff_t count, bool streams) {
  ptrdiff_t i = 0;
  if (streams)
    for (; i + LANES <= count; i += LANES)
      stream(to + i, apply(function, load(left + i), load(right + i)));
  else
    for (; i + LANES <= count; i += LANES)
      store(to + i, apply(function, load(left + i), load(right + i)));
  const int rest = (int)(count - i);
  if (rest == 0) return;
  const Vector a = load_some(left + i, rest), b = load_some(right + i, rest);
  store_some(to + i, apply(function, a, b), rest);
}

static void apply_instruction(
    CKElementFunction function, const float *left, const float *right, float *to, ptrdiff_t count,
    bool streams) {
#define CASE(name) \
  case CKElementFunction##name: \
    return apply_all(CKElementFunction##name, left, right, to, count, streams);
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
  }
#undef CASE
}

/// Whether nothing reads what an instruction writes but later runs.
static bool is_last(const CKElementwise *c, int instruction) {
  for (int i = instruction + 1; i < c->instructionCount; i++) {
    const CKElementInstruction *other = &c->instructions[i];
    const int value = c->operandCount + instruction;
    if (other->left == value || other->right == value) return false;
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
      const float number = *(const float *)operands[i];
      for (int j = 0; j < chunkElements; j++) memory[i][j] = number;
      values[i] = memory[i];
    }
  for (int i = 0; i < c->instructionCount; i++) {
    const int result = c->instructions[i].result;
    streams[i] = result >= 0 && streams_result(c, i, operands, results[result]);
  }
  // Whole vectors, so that all shares are aligned alike.
  const Range units = part((Range){0, ceiling(c->count, LANES)}, thread, c->threads);
  const ptrdiff_t end = units.end * LANES < c->count ? units.end * LANES : c->count;
  for (ptrdiff_t first = units.start * LANES; first < end; first += chunkElements) {
    const ptrdiff_t count = end - first < chunkElements ? end - first : chunkElements;
    for (int i = 0; i < c->operandCount; i++)
      if (!c->isNumber[i]) values[i] = (const float *)operands[i] + first;
    for (int i = 0; i < c->instructionCount; i++) {
      const CKElementInstruction *instruction = &c->instructions[i];
      float *to = instruction->result < 0 ? memory[c->operandCount + i]
                                          : (float *)results[instruction->result] + first;
      apply_instruction(
          instruction->function, values[instruction->left], values[instruction->right], to, count,
          streams[i]);
      values[c->operandCount + i] = to;
    }
  }
  __builtin_ia32_sfence();
}
