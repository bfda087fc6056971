# SPDX-License-Identifier: MIT
# The sources that unit tests and fuzzers are made of: all that is no assembly, no chip and not the
# boot order; src/dev/machine.c is part of rig/machine.c.

RIG_SRC := $(wildcard src/lib/*.c src/isa/*.c src/arch/host/*.c src/vm/*.c src/vdev/*.c) \
           $(wildcard tests/unit/rig/*.c) \
           src/dev/dt.c \
           $(filter-out src/mon/main.c src/mon/panic.c src/mon/self_harm.c,$(wildcard src/mon/*.c))
