#pragma once
#include "ActivatedNorm.h"
#include "Cache.h"
#include "Depthwise.h"
#include "DepthwiseGradient.h"
#include "Elementwise.h"
#include "ExpandedDepthwise.h"
