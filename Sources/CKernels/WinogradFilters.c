#include "WinogradPlan.h"
#include "WinogradPoints.h"

WinogradMatrix winograd_matrix(int tile) {
  static const double points2[] = {0, 1, -1};
  static const double points4[] = {0, WINOGRAD_P, -WINOGRAD_P, WINOGRAD_Q, -WINOGRAD_Q};
  const double *points = tile == 2 ? points2 : points4;
  const int finite = tile + 1;
  WinogradMatrix matrix = {0};
  matrix.rows[finite][2] = 1;
  for (int i = 0; i < finite; i++) {
    double value = 1;
    for (int j = 0; j < finite; j++)
      if (j != i) value /= points[i] - points[j];
    for (int power = 0; power < 3; power++, value *= points[i])
      matrix.rows[i][power] = (float)value;
  }
  return matrix;
}

void ck_winograd_transform_filters(
    const CKWinograd *c, const float *filters, float *transformed, int32_t thread,
    int32_t threads) {
  if (c->vectors == CKVectorsAVX512)
    winograd_transform_filters_avx512(c, filters, transformed, thread, threads);
  else
    winograd_transform_filters_avx2(c, filters, transformed, thread, threads);
}
