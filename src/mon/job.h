// SPDX-License-Identifier: MIT
// What takes the monitor long is done in parts, each of them short: between two of them guests run.
#pragma once

#include "lib/out.h"

struct job {
    // Tells the n-th part of it; false: that was the last.
    bool (*part)(struct out *o, unsigned n);
    void (*done)(void); // after the last was told; may begin another job
};

// Begins one, unless another is going on.  Until it has ended nothing else is shown, and what is
// typed waits.  Boot hart, without a lock.
void job_begin(const struct job *j);
bool job_is_on(void); // on another hart: with the view's lock held
// The next part, if the line has room for it.
void job_step(void);
// May it go on at once?
bool job_has_room(void);
