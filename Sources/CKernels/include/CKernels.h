#pragma once
#include "Winograd.h"
