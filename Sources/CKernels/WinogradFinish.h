// A row of outputs on its way to memory: bias, residual, activation, and only as many pixels and
// channels as there are.

typedef struct {
  /// The upper left output of the tile.
  float *destination;
  /// The same place in the residual, or null.
  const float *residual;
  /// Floats from row to row and from pixel to pixel.
  ptrdiff_t row, pixel;
  /// How much of the tile lies in the image, and how many channels of the block in memory.
  int rows, columns, channels;
  /// Whether outputs go past the caches.
  bool streams;
  CKActivation activation;
  float parameter;
  Vector bias;
} Finish;

/// The same outputs with rows and columns exchanged: a column is finished as a row.
static Finish transposed(const Finish *finish) {
  Finish other = *finish;
  other.row = finish->pixel;
  other.pixel = finish->row;
  other.rows = finish->columns;
  other.columns = finish->rows;
  return other;
}

/// The last columns of an image, or the last channels where these end inside a vector.
static void finish_part(
    const Finish *finish, const Vector *outputs, const float *residual, float *destination) {
  const size_t size = (size_t)finish->channels * sizeof(float);
  for (int j = 0; j < finish->columns; j++) {
    Vector x = outputs[j], added = (Vector)0;
    if (residual) memcpy(&added, residual + j * finish->pixel, size);
    x += added;
    activate(finish->activation, finish->parameter, &x, 1);
    memcpy(destination + j * finish->pixel, &x, size);
  }
}

INLINE void finish_row(const Finish *finish, int row, const Vector *outputs, const int count) {
  if (row >= finish->rows) return;
  float *destination = finish->destination + row * finish->row;
  const float *residual = finish->residual ? finish->residual + row * finish->row : NULL;
  Vector x[4];
  UNROLL for (int j = 0; j < count; j++) x[j] = outputs[j] + finish->bias;
  if (finish->columns < count || finish->channels < LANES) {
    finish_part(finish, x, residual, destination);
    return;
  }
  if (residual)
    UNROLL for (int j = 0; j < count; j++) x[j] += load(residual + j * finish->pixel);
  activate(finish->activation, finish->parameter, x, count);
  if (finish->streams)
    UNROLL for (int j = 0; j < count; j++) stream(destination + j * finish->pixel, x[j]);
  else
    UNROLL for (int j = 0; j < count; j++) store(destination + j * finish->pixel, x[j]);
}
