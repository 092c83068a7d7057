// From products to the outputs of F(2×2, 5×5), whose source is transformed as that of F(4×4, 3×3).

INLINE void output_values5(const Vector x[6], Vector y[2]) {
  y[0] = x[0] + (x[1] + x[2]) + (x[3] + x[4]);
  y[1] = (x[1] - x[2]) * P1 + ((x[3] - x[4]) * Q1 + x[5]);
}

/// From 36 points to 2×2 outputs.
static void transform_products5(const float *from, const Finish *finish) {
  Vector rows[2][6];
  UNROLL for (int j = 0; j < 6; j++) {
    Vector x[6], y[2];
    UNROLL for (int i = 0; i < 6; i++) x[i] = load(from + (6 * i + j) * LANES);
    output_values5(x, y);
    rows[0][j] = y[0];
    rows[1][j] = y[1];
  }
  UNROLL for (int i = 0; i < 2; i++) {
    Vector outputs[2];
    output_values5(rows[i], outputs);
    finish_row(finish, i, outputs, 2);
  }
}
