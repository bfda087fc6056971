// SPDX-License-Identifier: MIT
// The CRC-32 of IEEE 802.3, as FIT images use it.

#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *data, size_t size);
