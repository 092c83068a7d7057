// The activations that kernels apply on the way to memory.

typedef uint32_t Bits __attribute__((ext_vector_type(LANES)));

/// e to the power of `sign` · x, to 2 units in the last place, for x within ±87.
INLINE Vector exponential_within(Vector x, const float sign) {
  const float log2e = sign * 0x1.715476p0f, rest = sign * 0x1.4ae0cp-26f;
  // Adding 1.5 · 2²³ rounds to an integer, which is then found in the lowest bits.
  const Vector shifted = x * log2e + 0x1.8p23f;
  const Vector whole = shifted - 0x1.8p23f;
  const Vector f = x * rest + (x * log2e - whole);
  // 2ᶠ by the polynomial of least relative error among those that are 1 at 0: 9.2e-8 within ±1/2.
  Vector sum = f * 0x1.5bb9fep-10f + 0x1.3cea88p-7f;
  sum = sum * f + 0x1.c6b754p-5f;
  sum = sum * f + 0x1.ebf9bcp-3f;
  sum = sum * f + 0x1.62e42ap-1f;
  sum = sum * f + 1;
  const Bits power = __builtin_bit_cast(Bits, shifted) << 23;
  return __builtin_bit_cast(Vector, __builtin_bit_cast(Bits, sum) + power);
}

/// eˣ; beyond ±87 that of ±87.
INLINE Vector exponential(Vector x) {
  return exponential_within(smaller((Vector)87, larger((Vector)-87, x)), 1);
}

/// 1 + e⁻ˣ for x from −87 on.
INLINE Vector sigmoid_divisor(Vector x) {
  return exponential_within(smaller((Vector)87, x), -1) + 1;
}

INLINE Vector sigmoid(Vector x) {
  return 1 / sigmoid_divisor(larger((Vector)-87, x));
}

/// What lies below −87 is taken for that, so that −∞ gives nearly zero. The division runs beside the
/// multiplications: an estimate with a step of Newton's takes longer.
INLINE Vector swish(Vector x) {
  const Vector bounded = larger((Vector)-87, x);
  return bounded / sigmoid_divisor(bounded);
}

INLINE Vector mish(Vector x) {
  // tanh(log(1 + e)) = (e² + 2e) / (e² + 2e + 2), which is 1 to the last bit long before e = e²⁰.
  const Vector e = exponential(smaller((Vector)20, x)), n = e * (e + 2);
  return x * (n / (n + 2));
}

INLINE Vector hard_sigmoid(Vector x) {
  return smaller((Vector)1, larger((Vector)0, x * (1.0f / 6) + 0.5f));
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
    UNROLL for (int j = 0; j < count; j++) x[j] = swish(x[j]);
    break;
  case CKActivationHardSwish:
    UNROLL for (int j = 0; j < count; j++) x[j] *= hard_sigmoid(x[j]);
    break;
  case CKActivationMish:
    UNROLL for (int j = 0; j < count; j++) x[j] = mish(x[j]);
    break;
  case CKActivationSigmoid:
    UNROLL for (int j = 0; j < count; j++) x[j] = sigmoid(x[j]);
    break;
  case CKActivationHardSigmoid:
    UNROLL for (int j = 0; j < count; j++) x[j] = hard_sigmoid(x[j]);
    break;
  }
}
