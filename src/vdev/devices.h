// SPDX-License-Identifier: MIT
// The virtual devices by name.
#pragma once

#include "vm/vdev.h"

extern const struct vdev_ops vfinisher_ops, vrtc_ops, vclint_ops, vplic_ops, vuart_ops, vslots_ops;
