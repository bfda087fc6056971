# SPDX-License-Identifier: MIT
# Fuzzers on all that reads a guest's, a bundle's or a user's bytes: each tests/fuzz/fuzz_<what>.c is
# one program, made with clang's libFuzzer over the unit tests' rig; fuzz_config over the host command.
#
# `make fuzz` has a fixed seed, and a fixed number of runs (about 8 s each) or a minute for each (run.sh).
# `make fuzz FUZZ_SECONDS=600` (or SECONDS=600) goes on longer.

FUZZ_CC      := clang
FUZZ_OUT     := $(B)/fuzz
FUZZ_CFLAGS  := -std=gnu17 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing $(WARN) \
                -Wno-unknown-attributes -Isrc -Itests/unit -Itests/fuzz -I. \
                -fsanitize=address,undefined -fno-sanitize-recover=all
include tests/unit/rig/sources.mk
FUZZ_OBJ     := $(RIG_SRC:%=$(FUZZ_OUT)/%.o)
FUZZ_TOOL    := $(patsubst %,$(FUZZ_OUT)/%.o,$(filter-out tool/duomo.c,$(wildcard tool/*.c)))
FUZZ_TEST    := $(patsubst tests/fuzz/%.c,$(FUZZ_OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= $(if $(filter command,$(firstword $(origin SECONDS))),$(SECONDS),8)

.PHONY: fuzz
fuzz: $(FUZZ_TEST) ## fuzzers, on this computer (FUZZ_SECONDS=8 each)
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_OUT) $(FUZZ_TEST)

$(FUZZ_OUT)/%.c.o: %.c | $(B)/.deps-test
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(FUZZ_OUT)/libduomo.a: $(FUZZ_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(FUZZ_OUT)/fuzz_%: $(FUZZ_OUT)/tests/fuzz/fuzz_%.c.o $(FUZZ_OUT)/libduomo.a
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OUT)/libduomo.a -lfdt

$(FUZZ_OUT)/libtool.a: $(FUZZ_TOOL)
	@rm -f $@
	@ar rcs $@ $^

$(FUZZ_OUT)/fuzz_config: $(FUZZ_OUT)/tests/fuzz/fuzz_config.c.o $(FUZZ_OUT)/libtool.a
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OUT)/libtool.a -lfdt -lyaml

-include $(shell find $(FUZZ_OUT) -name '*.d' 2>/dev/null)
