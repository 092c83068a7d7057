// The activations that kernels apply on the way to memory.

typedef uint32_t Bits __attribute__((ext_vector_type(LANES)));

/// eˣ to 2 units in the last place; beyond ±87 that of ±87.
INLINE Vector exponential(Vector x) {
  const Vector bounded = smaller((Vector)87, larger((Vector)-87, x));
  // Adding 1.5 · 2²³ rounds to an integer, which is then found in the lowest bits.
  const Vector shifted = bounded * 0x1.715476p0f + 0x1.8p23f;
  const Vector exponent = shifted - 0x1.8p23f;
  const Vector r = (bounded - exponent * 0x1.62e4p-1f) - exponent * 0x1.7f7d1cp-20f;
  Vector sum = r * (1.0f / 5040) + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1;
  sum = sum * r + 1;
  const Bits power = (__builtin_bit_cast(Bits, shifted) + 127) << 23;
  return sum * __builtin_bit_cast(Vector, power);
}

INLINE Vector mish(Vector x) {
  // tanh(log(1 + e)) = (e² + 2e) / (e² + 2e + 2), which is 1 to the last bit long before e = e²⁰.
  const Vector e = exponential(smaller((Vector)20, x)), n = e * (e + 2);
  return x * (n / (n + 2));
}

INLINE Vector hard_swish(Vector x) {
  return x * smaller((Vector)1, larger((Vector)0, x * (1.0f / 6) + 0.5f));
}

INLINE void activate(CKActivation activation, float parameter, Vector *x, const int count) {
  const Vector zero = (Vector)0;
  switch (activation) {
  case CKActivationNone:
    break;
  case CKActivationRelu:
    UNROLL for (int j = 0; j < count; j++) x[j] = larger(zero, x[j]);
    break;
  case CKActivationClippedRelu:
    UNROLL for (int j = 0; j < count; j++)
      x[j] = smaller((Vector)parameter, larger(zero, x[j]));
    break;
  case CKActivationLeakyRelu:
    UNROLL for (int j = 0; j < count; j++) x[j] = x[j] > zero ? x[j] : x[j] * parameter;
    break;
  case CKActivationElu:
    UNROLL for (int j = 0; j < count; j++)
      x[j] = x[j] > zero ? x[j] : (exponential(x[j]) - 1) * parameter;
    break;
  case CKActivationSwish:
    UNROLL for (int j = 0; j < count; j++) x[j] = x[j] / (exponential(-x[j]) + 1);
    break;
  case CKActivationHardSwish:
    UNROLL for (int j = 0; j < count; j++) x[j] = hard_swish(x[j]);
    break;
  case CKActivationMish:
    UNROLL for (int j = 0; j < count; j++) x[j] = mish(x[j]);
    break;
  }
}
