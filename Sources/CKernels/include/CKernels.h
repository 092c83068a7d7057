#pragma once
#include "Cache.h"
#include "Depthwise.h"
#include "Peaks.h"
#include "Pointwise.h"
#include "Winograd.h"
