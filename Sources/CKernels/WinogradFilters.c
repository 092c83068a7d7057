#include "WinogradPlan.h"
#include "WinogradPoints.h"

enum { largestSide = 6, mostLanes = panelBlocks * CKVectorsAVX512 };

/// The transform of three values to points: [1, x, x²] over the product of a point's differences
/// from the other ones, and [0, 0, 1] at infinity.
typedef struct {
  int side;
  double rows[largestSide][3];
} Matrix;

static Matrix transform_matrix(int tile) {
  static const double points2[] = {0, 1, -1};
  static const double points4[] = {0, WINOGRAD_P, -WINOGRAD_P, WINOGRAD_Q, -WINOGRAD_Q};
  const double *points = tile == 2 ? points2 : points4;
  const int finite = tile + 1;
  Matrix matrix = {.side = finite + 1};
  for (int i = 0; i < finite; i++) {
    double value = 1;
    for (int j = 0; j < finite; j++)
      if (j != i) value /= points[i] - points[j];
    for (int power = 0; power < 3; power++, value *= points[i]) matrix.rows[i][power] = value;
  }
  matrix.rows[finite][2] = 1;
  return matrix;
}

/// Filters of one input channel and `lanes` output channels.
typedef struct {
  double values[3][3][mostLanes];
} Bundle;

static void gather(const CKWinograd *c, const float *filters, int input, int output, Bundle *to) {
  for (int lane = 0; lane < mostLanes; lane++) {
    const bool exists = output + lane < c->outputs;
    const float *from = filters + ((ptrdiff_t)(output + lane) * c->inputs + input) * 9;
    for (int i = 0; i < 9; i++) to->values[i / 3][i % 3][lane] = exists ? from[i] : 0;
  }
}

/// Writes point (i, j) of a bundle to `to + (i · side + j) · stride`.
__attribute__((target("avx2,fma"))) static void transform(
    const Matrix *matrix, const Bundle *from, int lanes, float *to, ptrdiff_t stride) {
  for (int i = 0; i < matrix->side; i++) {
    double row[3][mostLanes];
    const double *a = matrix->rows[i];
    for (int j = 0; j < 3; j++)
      for (int lane = 0; lane < mostLanes; lane++)
        row[j][lane] = a[0] * from->values[0][j][lane] + a[1] * from->values[1][j][lane]
            + a[2] * from->values[2][j][lane];
    for (int j = 0; j < matrix->side; j++, to += stride) {
      const double *b = matrix->rows[j];
      for (int lane = 0; lane < lanes; lane++)
        to[lane] = (float)(b[0] * row[0][lane] + b[1] * row[1][lane] + b[2] * row[2][lane]);
    }
  }
}

void ck_winograd_transform_filters(
    const CKWinograd *c, const float *filters, float *transformed, int32_t thread,
    int32_t threads) {
  const WinogradPlan plan = winograd_plan(c);
  const Matrix matrix = transform_matrix(c->tile);
  const Range share = part((Range){0, (ptrdiff_t)plan.panels * c->inputs}, thread, threads);
  for (ptrdiff_t i = share.start; i < share.end; i++) {
    const ptrdiff_t panel = i / c->inputs, input = i % c->inputs;
    const int first = (int)panel * panelBlocks, left = plan.outputBlocks - first;
    const int lanes = (left < panelBlocks ? left : panelBlocks) * plan.lanes;
    Bundle bundle;
    gather(c, filters, (int)input, first * plan.lanes, &bundle);
    float *to = transformed + panel * panel_stride(&plan, c->inputs) + input * lanes;
    transform(&matrix, &bundle, lanes, to, (ptrdiff_t)c->inputs * lanes);
  }
}
