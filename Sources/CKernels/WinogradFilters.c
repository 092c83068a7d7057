#include "WinogradPlan.h"

WinogradMatrix winograd_matrix(int count, int taps) {
  const int finite = count - 1;
  double points[winogradMostPoints - 1] = {0};
  for (int i = 1; i < finite; i++)
    points[i] = winograd_points[count / 2 - 2][(i - 1) / 2] * (i % 2 == 1 ? 1 : -1);
  WinogradMatrix matrix = {.points = count, .taps = taps};
  matrix.rows[finite][taps - 1] = 1;
  for (int i = 0; i < finite; i++) {
    double value = 1;
    for (int j = 0; j < finite; j++)
      if (j != i) value /= points[i] - points[j];
    for (int power = 0; power < taps; power++, value *= points[i])
      matrix.rows[i][power] = value;
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
