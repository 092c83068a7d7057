// The transforms of F(t, r), which read a row or a column, with the points 0, ±p for some p, and
// infinity.

/// From 2·pairs + 2 pixels to as many points that lie `stride` apart.
INLINE void source_line(
    const WinogradLine *line, const float *from, ptrdiff_t pixel, float *to, ptrdiff_t stride,
    const int pairs) {
  Vector x[winogradMostPoints];
  UNROLL for (int i = 0; i < 2 * pairs + 2; i++) x[i] = load(from + i * pixel);
  Vector first = x[2 * pairs], last = x[2 * pairs + 1];
  UNROLL for (int i = 0; i < pairs; i++) {
    first += x[2 * i] * line->all[i];
    last += x[2 * i + 1] * line->all[i];
  }
  store(to, first);
  store(to + (2 * pairs + 1) * stride, last);
  UNROLL for (int pair = 0; pair < pairs; pair++) {
    Vector even = x[2 * pairs], odd = x[2 * pairs - 1];
    UNROLL for (int i = 0; i < pairs - 1; i++) {
      even += x[2 * i + 2] * line->others[pair][i];
      odd += x[2 * i + 1] * line->others[pair][i];
    }
    store(to + (2 * pair + 1) * stride, even + odd * line->points[pair]);
    store(to + (2 * pair + 2) * stride, even - odd * line->points[pair]);
  }
}

static void transform_source_line(
    const WinogradLine *line, const float *from, ptrdiff_t pixel, float *to, ptrdiff_t stride) {
  switch (line->pairs) {
  case 1: return source_line(line, from, pixel, to, stride, 1);
  case 2: return source_line(line, from, pixel, to, stride, 2);
  case 3: return source_line(line, from, pixel, to, stride, 3);
  default: return source_line(line, from, pixel, to, stride, 4);
  }
}

/// From 2·pairs + 2 points to a tile's outputs.
INLINE void products_line(
    const WinogradLine *line, const float *from, const Finish *finish, const int tile,
    const int pairs) {
  Vector outputs[4] = {load(from)};
  UNROLL for (int pair = 0; pair < pairs; pair++) {
    const Vector plus = load(from + (2 * pair + 1) * LANES);
    const Vector minus = load(from + (2 * pair + 2) * LANES);
    const Vector sum = plus + minus, difference = plus - minus;
    UNROLL for (int i = 0; i < tile; i++)
      outputs[i] += (i % 2 == 0 ? sum : difference) * line->powers[pair][i];
  }
  outputs[tile - 1] += load(from + (2 * pairs + 1) * LANES);
  finish_row(finish, 0, outputs, tile);
}

static void transform_products_line(
    const WinogradLine *line, const float *from, const Finish *finish, int tile) {
  if (tile == 4) {
    switch (line->pairs) {
    case 2: return products_line(line, from, finish, 4, 2);
    case 3: return products_line(line, from, finish, 4, 3);
    default: return products_line(line, from, finish, 4, 4);
    }
  }
  switch (line->pairs) {
  case 1: return products_line(line, from, finish, 2, 1);
  case 2: return products_line(line, from, finish, 2, 2);
  default: return products_line(line, from, finish, 2, 3);
  }
}
