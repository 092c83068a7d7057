#include "WinogradPoints.h"

/// Writes the coefficients of Π (x² − p²) over all points but the one left out.
static void multiply_out(const double *points, int count, int leftOut, float *coefficients) {
  double values[winogradMostPairs + 1] = {1};
  int degree = 0;
  for (int i = 0; i < count; i++) {
    if (i == leftOut) continue;
    degree++;
    for (int power = degree; power >= 0; power--)
      values[power] = (power > 0 ? values[power - 1] : 0) - points[i] * points[i] * values[power];
  }
  for (int power = 0; power <= degree; power++) coefficients[power] = (float)values[power];
}

WinogradLine winograd_line(int points) {
  WinogradLine line = {.pairs = points / 2 - 1};
  const double *positive = winograd_points[line.pairs - 1];
  multiply_out(positive, line.pairs, -1, line.all);
  for (int i = 0; i < line.pairs; i++) {
    multiply_out(positive, line.pairs, i, line.others[i]);
    line.points[i] = (float)positive[i];
    double power = 1;
    for (int j = 0; j < 4; j++, power *= positive[i]) line.powers[i][j] = (float)power;
  }
  return line;
}
