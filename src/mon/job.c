// SPDX-License-Identifier: MIT
// The job that is going on.
//
// In:     a job; the tick's alarm.
// Out:    its parts, one at a time, on the operator's line.
// Always: there is one at most.  A part is told whole, and stays on the hart for less than the
//         longest stay in the monitor (G4); the next one comes a moment later, when the line has
//         room.  What others say meanwhile comes after the job: to hand that on, and what the job
//         was for, is a stay of its own.
// Locks:  boot hart only, but for job_is_on(); view.lock for what is sent and for which job it is,
//         and none while a part is made.
#include "mon/job.h"

#include "lib/bits.h"
#include "mon/console.h"
#include "mon/sender.h"
#include "mon/tick.h"
#include "mon/view.h"

#include <string.h>

#define WAITING_MOST 4096 // on the line, before the next part is made
#define TOLD_SIZE    1024

static const struct job *now; // NULL: none is going on
static unsigned          part;
static bool              is_told; // its last part was; what comes after it is not begun yet

// What a part has told so far: it is handed on in few pieces.
static char   told[TOLD_SIZE];
static size_t n_told;

static void told_send(void)
{
    lock_take(&view.lock);
    sender_piece.write(&sender_piece, told, n_told);
    lock_drop(&view.lock);
    n_told = 0;
}

static void told_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    for (size_t n; len; text += n, len -= n) {
        if (n_told == TOLD_SIZE)
            told_send();
        n = min_u64(len, TOLD_SIZE - n_told);
        memcpy(told + n_told, text, n);
        n_told += n;
    }
}

bool job_is_on(void)
{
    return now;
}

void job_begin(const struct job *j)
{
    if (now)
        return;
    lock_take(&view.lock);
    now     = j;
    part    = 0;
    is_told = false;
    sender_open();
    console_hold_update();
    lock_drop(&view.lock);
    tick_soon();
}

bool job_has_room(void)
{
    lock_take(&view.lock);
    bool has = now && sender_waiting() <= WAITING_MOST;

    lock_drop(&view.lock);
    return has;
}

static void end(void)
{
    const struct job *j = now;

    lock_take(&view.lock);
    now = NULL;
    sender_close();
    lock_drop(&view.lock);
    j->done();
    lock_take(&view.lock);
    console_hold_update();
    lock_drop(&view.lock);
}

void job_step(void)
{
    static struct out out = { told_write };

    if (!job_has_room())
        return;
    if (is_told) {
        end();
        return;
    }
    is_told = !now->part(&out, part++);
    told_send();
}
