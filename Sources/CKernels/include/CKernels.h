#pragma once
#include "Peaks.h"
#include "Winograd.h"
