# SPDX-License-Identifier: MIT
# The sources that unit tests and fuzzers are made of: all that is no assembly, no chip and not the
# boot order; some of src/dev are part of a file of rig/ that includes them.

RIG_SRC := $(filter-out src/lib/seed.c,$(wildcard src/lib/*.c)) \
           $(wildcard src/isa/*.c src/arch/host/*.c src/vm/*.c src/vdev/*.c tests/unit/rig/*.c) \
           $(filter-out src/dev/virtio_rng.c src/dev/virtio_net.c,$(wildcard src/dev/virtio_*.c)) \
           $(addprefix src/dev/,vring.c disk_queue.c part.c gpt.c mbr.c dt.c entropy.c mailbox.c learnt.c deliver.c offload.c) \
           $(filter-out src/mon/main.c src/mon/panic.c src/mon/self_harm.c,$(wildcard src/mon/*.c))
