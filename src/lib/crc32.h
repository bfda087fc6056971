// SPDX-License-Identifier: MIT
// CRC-32 as FIT images carry it (IEEE 802.3, reflected, initial and final value ~0).
#pragma once

#include "lib/types.h"

u32 crc32(const void *data, size_t len);
