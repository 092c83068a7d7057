#pragma once
#include "Depthwise.h"
#include "Peaks.h"
#include "Pointwise.h"
#include "Winograd.h"
