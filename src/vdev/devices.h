// SPDX-License-Identifier: MIT
// The virtual devices by name.
#pragma once

#include "vm/vdev.h"

extern const struct vdev_ops vfinisher_ops, vrtc_ops, vclint_ops, vplic_ops, vuart_ops, vblk_ops,
    vnet_ops, vcons_ops, vrng_ops, vslots_ops;
