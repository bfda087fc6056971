// SPDX-License-Identifier: MIT
// CRC-32 as FIT images carry it (IEEE 802.3, reflected, initial and final value ~0).
#pragma once

#include "lib/types.h"

u32 crc32(const void *data, size_t len);
// Of what came before, whose CRC is `crc` (0: nothing), and these bytes.
u32 crc32_more(u32 crc, const void *data, size_t len);
