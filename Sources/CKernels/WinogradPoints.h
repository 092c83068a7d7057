#pragma once

// F(4×4, 3×3) interpolates at 0, ±p, ±q and infinity. All products of p and q used are exact in
// float32, and the error is a third of that of the usual ±1, ±2 (Barabasz et al. 2020,
// arXiv 1803.10986, on choosing points).
#define WINOGRAD_P 0.6875
#define WINOGRAD_Q 1.5
