# SPDX-License-Identifier: MIT
# The scheduler with real threads as harts, under ThreadSanitizer.
#
# Included by the top Makefile, which sets B, HCC and WARN; RIG_SRC comes from the unit tests.

# (Fences that gcc does not model are beside loads and stores that it does: no warning of them.)
TSAN_OUT     := $(B)/tsan
TSAN_CFLAGS  := -std=gnu17 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing $(WARN) -Isrc -Itests/unit \
                -fsanitize=thread -Wno-tsan
TSAN_SECONDS ?= 8
include tests/unit/rig/sources.mk
TSAN_SRC     := $(filter src/lib/% src/isa/% src/arch/host/% src/vm/% src/vdev/%,$(RIG_SRC)) \
                tests/unit/rig/rig.c tests/unit/rig/machine.c tests/unit/rig/trees.c tests/unit/rig/seed.c \
                tests/unit/rig/net.c $(addprefix src/dev/,dt.c entropy.c mailbox.c learnt.c deliver.c offload.c) \
                $(wildcard tests/tsan/*.c)
TSAN_OBJ     := $(TSAN_SRC:%=$(TSAN_OUT)/%.o)

.PHONY: tsan
tsan: $(TSAN_OUT)/harts ## the scheduler on several threads, on this computer (TSAN_SECONDS=8)
	@timeout $$(($(TSAN_SECONDS) * 10 + 60)) $< $(TSAN_SECONDS)

$(TSAN_OUT)/%.c.o: %.c | $(B)/.deps-test
	@mkdir -p $(@D)
	@$(HCC) $(TSAN_CFLAGS) -MMD -MP -c $< -o $@

$(TSAN_OUT)/harts: $(TSAN_OBJ)
	@$(HCC) $(TSAN_CFLAGS) -o $@ $^ -lfdt -lpthread

-include $(TSAN_OBJ:.o=.d)
