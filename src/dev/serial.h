// SPDX-License-Identifier: MIT
// The machine's serial line.  Output is taken into a ring and leaves it as the chip has room:
// nobody waits for the line, except the monitor's last words.  From any hart, unless it says more.
#pragma once

#include "lib/types.h"

#define SERIAL_ROOM 16384 // bytes, when nothing waits; a power of two

// Room for n more bytes?  What serial_write() gets beyond that is lost.
bool serial_has_room(size_t n);
void serial_write(const char *text, size_t len);
// Waits, a bounded time, until all has left.  For the monitor's last words.
void serial_drain(void);

// Takes the line from whoever holds it.  For the same; nobody else goes on after this.
void serial_seize(void);

// While held, received bytes stay in the chip, and so with the sender; nothing is lost.
void serial_hold(bool hold);

// Calls input(arg, byte) for each byte that comes, on the boot hart, and room(arg) when a full ring
// has emptied.  Boot only.
void serial_attach(void (*input)(void *arg, u8 byte), void (*room)(void *arg), void *arg);
