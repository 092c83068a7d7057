#pragma once

// Tiles interpolate at 0, some points and their negatives, and infinity. The points are those whose
// estimated error is least among numbers of few bits (Barabasz et al. 2020, arXiv 1803.10986, on
// choosing points).
enum {
  winogradMostPairs = 4,
  winogradMostPoints = 2 * winogradMostPairs + 2,
  winogradMostTaps = 7,
};

// For 6 points, all products of p and q used are exact in float32, and the error of F(4×4, 3×3) is
// a third of that of the usual ±1, ±2.
#define WINOGRAD_P 0.6875
#define WINOGRAD_Q 1.5

/// The positive points, by the number of them less one.
static const double winograd_points[winogradMostPairs][winogradMostPairs] = {
    {1},
    {WINOGRAD_P, WINOGRAD_Q},
    {0.5, 1, 2},
    {0.4375, 0.8125, 1.25, 2.25},
};

/// The transforms of a row or a column of pixels and of products.
typedef struct {
  /// How many points are used with their negatives.
  int pairs;
  float points[winogradMostPairs];
  /// The coefficients of Π (x² − p²) over all points, that of the lowest power first.
  float all[winogradMostPairs + 1];
  /// The same over all points but one.
  float others[winogradMostPairs][winogradMostPairs];
  /// The powers of each point.
  float powers[winogradMostPairs][4];
} WinogradLine;

/// - Parameter points: 4, 6, 8 or 10.
WinogradLine winograd_line(int points);
