// SPDX-License-Identifier: MIT
// Borders of the monitor in memory, from the linker script.
#pragma once

extern char _image_start[], _text_end[], _rodata_end[], _image_end[], _stacks[];
