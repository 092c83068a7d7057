// The transforms of F(2×2, 3×3) with the points 0, 1, −1 and infinity.

INLINE void source_values2(const Vector x[4], Vector y[4]) {
  y[0] = x[2] - x[0];
  y[1] = x[2] + x[1];
  y[2] = x[2] - x[1];
  y[3] = x[3] - x[1];
}

/// From 4×4 pixels to 16 points that lie `stride` apart.
static void transform_source2(
    const float *from, ptrdiff_t row, ptrdiff_t pixel, float *to, ptrdiff_t stride) {
  Vector columns[4][4];
  UNROLL for (int j = 0; j < 4; j++) {
    const float *x = from + j * pixel;
    const Vector values[4] = {load(x), load(x + row), load(x + 2 * row), load(x + 3 * row)};
    source_values2(values, columns[j]);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    const Vector values[4] = {columns[0][i], columns[1][i], columns[2][i], columns[3][i]};
    Vector points[4];
    source_values2(values, points);
    UNROLL for (int j = 0; j < 4; j++) store(to + (4 * i + j) * stride, points[j]);
  }
}

/// From 16 points to 2×2 outputs.
static void transform_products2(const float *from, const Finish *finish) {
  Vector rows[2][4];
  UNROLL for (int j = 0; j < 4; j++) {
    const float *x = from + j * LANES;
    const Vector second = load(x + 4 * LANES), third = load(x + 8 * LANES);
    rows[0][j] = load(x) + second + third;
    rows[1][j] = second - third + load(x + 12 * LANES);
  }
  UNROLL for (int i = 0; i < 2; i++) {
    const Vector *x = rows[i];
    const Vector outputs[2] = {x[0] + x[1] + x[2], x[1] - x[2] + x[3]};
    finish_row(finish, i, outputs, 2);
  }
}
