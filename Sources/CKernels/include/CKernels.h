#pragma once
#include "Cache.h"
#include "Peaks.h"
#include "Winograd.h"
