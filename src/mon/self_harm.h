// SPDX-License-Identifier: MIT
// Only in the build that shows what catches the monitor's own mistakes (-DTEST_SELF_HARM).
#pragma once

#ifdef TEST_SELF_HARM
// Makes the mistake that the last character of `name` says; returns if it is none of them.
void self_harm(const char *name);
// The same on the harts that did not boot, all at once.
void self_harm_elsewhere(const char *name);
#else
#define self_harm(name)           (void)(name)
#define self_harm_elsewhere(name) (void)(name)
#endif
