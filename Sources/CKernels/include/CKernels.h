#pragma once
#include "Cache.h"
#include "Depthwise.h"
#include "Im2col.h"
#include "Peaks.h"
#include "Pointwise.h"
#include "Winograd.h"
