# SPDX-License-Identifier: MIT
# The sources that unit tests and fuzzers are made of: all that is no assembly, no chip and not the
# boot order; src/dev/machine.c is part of rig/machine.c.

RIG_SRC := $(wildcard src/lib/*.c src/isa/*.c src/arch/host/*.c src/vm/*.c src/vdev/*.c) \
           $(wildcard tests/unit/rig/*.c) \
           src/dev/dt.c src/mon/bundle.c src/mon/build.c src/mon/console.c src/mon/guest_dt.c src/mon/life.c
