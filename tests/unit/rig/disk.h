// SPDX-License-Identifier: MIT
// The machine's disks, virtio devices and entropy device, as after power-on.
#pragma once

void disk_forget(void);
void virtio_forget(void);
void seed_forget(void); // what the generator of unpredictable bytes has seen
