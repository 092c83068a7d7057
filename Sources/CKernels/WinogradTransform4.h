// The transforms of F(4×4, 3×3), by columns and then by rows. Two rows at a time, so that what lies
// between fits in registers.

#define P1 ((float)WINOGRAD_P)
#define P2 ((float)(WINOGRAD_P * WINOGRAD_P))
#define P3 ((float)(WINOGRAD_P * WINOGRAD_P * WINOGRAD_P))
#define Q1 ((float)WINOGRAD_Q)
#define Q2 ((float)(WINOGRAD_Q * WINOGRAD_Q))
#define Q3 ((float)(WINOGRAD_Q * WINOGRAD_Q * WINOGRAD_Q))
#define PRODUCT ((float)(WINOGRAD_P * WINOGRAD_P * WINOGRAD_Q * WINOGRAD_Q))
#define SUM ((float)(WINOGRAD_P * WINOGRAD_P + WINOGRAD_Q * WINOGRAD_Q))

/// The polynomial (x² − p²)(x² − q²) of every second value: the point 0 from the first on, infinity
/// from the second on.
INLINE Vector at_end(Vector a, Vector c, Vector e) { return a * PRODUCT + (e - c * SUM); }

/// A point and its negative, where `other` is the square of the other pair's points.
INLINE void at_pair(
    Vector b, Vector c, Vector d, Vector e, float point, float other, Vector *plus, Vector *minus) {
  const Vector even = e - c * other, odd = d - b * other;
  *plus = even + odd * point;
  *minus = even - odd * point;
}

INLINE void source_row4(const Vector x[6], float *to, ptrdiff_t stride) {
  Vector plus, minus;
  store(to, at_end(x[0], x[2], x[4]));
  at_pair(x[1], x[2], x[3], x[4], P1, Q2, &plus, &minus);
  store(to + stride, plus);
  store(to + 2 * stride, minus);
  at_pair(x[1], x[2], x[3], x[4], Q1, P2, &plus, &minus);
  store(to + 3 * stride, plus);
  store(to + 4 * stride, minus);
  store(to + 5 * stride, at_end(x[1], x[3], x[5]));
}

INLINE void source_pair4(
    const float *from, ptrdiff_t row, ptrdiff_t pixel, float *to, ptrdiff_t stride, float point,
    float other) {
  Vector plus[6], minus[6];
  UNROLL for (int j = 0; j < 6; j++) {
    const float *x = from + j * pixel;
    at_pair(
        load(x + row), load(x + 2 * row), load(x + 3 * row), load(x + 4 * row), point, other,
        &plus[j], &minus[j]);
  }
  source_row4(plus, to, stride);
  source_row4(minus, to + 6 * stride, stride);
}

/// From 6×6 pixels to 36 points that lie `stride` apart.
static void transform_source4(
    const float *from, ptrdiff_t row, ptrdiff_t pixel, float *to, ptrdiff_t stride) {
  Vector first[6], last[6];
  UNROLL for (int j = 0; j < 6; j++) {
    const float *x = from + j * pixel;
    first[j] = at_end(load(x), load(x + 2 * row), load(x + 4 * row));
    last[j] = at_end(load(x + row), load(x + 3 * row), load(x + 5 * row));
  }
  source_row4(first, to, stride);
  source_row4(last, to + 30 * stride, stride);
  source_pair4(from, row, pixel, to + 6 * stride, stride, P1, Q2);
  source_pair4(from, row, pixel, to + 18 * stride, stride, Q1, P2);
}

INLINE void output_row4(const Vector x[6], int row, const Finish *finish) {
  const Vector sum1 = x[1] + x[2], difference1 = x[1] - x[2];
  const Vector sum2 = x[3] + x[4], difference2 = x[3] - x[4];
  const Vector outputs[4] = {
      x[0] + sum1 + sum2,
      difference1 * P1 + difference2 * Q1,
      sum1 * P2 + sum2 * Q2,
      difference1 * P3 + (difference2 * Q3 + x[5]),
  };
  finish_row(finish, row, outputs, 4);
}

/// From 36 points to 4×4 outputs.
static void transform_products4(const float *from, const Finish *finish) {
  Vector even[6], odd[6];
  UNROLL for (int j = 0; j < 6; j++) {
    const float *x = from + j * LANES;
    const Vector sum1 = load(x + 6 * LANES) + load(x + 12 * LANES);
    const Vector sum2 = load(x + 18 * LANES) + load(x + 24 * LANES);
    even[j] = load(x) + sum1 + sum2;
    odd[j] = sum1 * P2 + sum2 * Q2;
  }
  output_row4(even, 0, finish);
  output_row4(odd, 2, finish);
  UNROLL for (int j = 0; j < 6; j++) {
    const float *x = from + j * LANES;
    const Vector difference1 = load(x + 6 * LANES) - load(x + 12 * LANES);
    const Vector difference2 = load(x + 18 * LANES) - load(x + 24 * LANES);
    even[j] = difference1 * P1 + difference2 * Q1;
    odd[j] = difference1 * P3 + (difference2 * Q3 + load(x + 30 * LANES));
  }
  output_row4(even, 1, finish);
  output_row4(odd, 3, finish);
}
