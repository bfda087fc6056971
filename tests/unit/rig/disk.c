// SPDX-License-Identifier: MIT
// The list of disks as it is, with a way to forget it between tests.
//
// In:     nothing.
// Out:    no disk and no user of one.
// Always: the code under test is the source file itself.
// Locks:  none.
#include "dev/disk.c"
#include "rig/disk.h"

void disk_forget(void)
{
    memset(list, 0, sizeof list);
    memset(clients, 0, sizeof clients);
    n_disks = n_clients = 0;
}
