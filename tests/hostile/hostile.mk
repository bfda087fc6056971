# SPDX-License-Identifier: MIT
# Builds the hostile guests and their witness: each tests/hostile/<name>.c becomes
# $(B)/hostile/<name>.bin, a flat image with Linux's header, on the runtime of the equivalence suite
# and what rt/ here adds to it.  hostile-builds makes the two monitors with a deliberate mistake.
#
# Included by the top Makefile; alone: make -f tests/hostile/hostile.mk hostile-guests

B           ?= build
HOSTILE_DIR := tests/hostile
HOSTILE_RT  := tests/guest/rt
HOSTILE_OUT := $(B)/hostile

HOSTILE_CROSS  ?= riscv64-unknown-elf-
HOSTILE_CFLAGS := --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany \
                  -std=gnu17 -O2 -g -ffreestanding -fno-pic -ffunction-sections -fdata-sections \
                  -DPICOLIBC_INTEGER_PRINTF_SCANF -I$(HOSTILE_DIR)/rt -I$(HOSTILE_RT) \
                  -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes \
                  -Werror
# The name under which the C library has been built for these instructions.
HOSTILE_LDFLAGS := --specs=picolibc.specs -march=rv64imac -mabi=lp64 -mcmodel=medany \
                   -nostartfiles -static -Wl,--gc-sections -Wl,--build-id=none \
                   -Wl,--no-warn-rwx-segments -T $(HOSTILE_RT)/link.ld

HOSTILE_NAMES := $(patsubst $(HOSTILE_DIR)/%.c,%,$(wildcard $(HOSTILE_DIR)/*.c))
HOSTILE_BINS  := $(HOSTILE_NAMES:%=$(HOSTILE_OUT)/%.bin)
HOSTILE_OBJS  := $(patsubst $(HOSTILE_RT)/%,$(HOSTILE_OUT)/rt/%.o, \
                   $(wildcard $(HOSTILE_RT)/*.c $(HOSTILE_RT)/*.S)) \
                 $(patsubst $(HOSTILE_DIR)/rt/%,$(HOSTILE_OUT)/rt/%.o, \
                   $(wildcard $(HOSTILE_DIR)/rt/*.c $(HOSTILE_DIR)/rt/*.S))

# The monitor with a hole in its shadow pager, and the one that harms itself.
HOSTILE_BUILDS := $(B)/hole/duomo.elf $(B)/self_harm/duomo.elf

.PHONY: hostile-guests hostile-builds
hostile-guests: $(HOSTILE_BINS)

hostile-builds:
	@$(MAKE) --no-print-directory B=$(B)/hole DEFINES=-DTEST_SHADOW_HOLE=0x40000000 $(B)/hole/duomo.elf
	@$(MAKE) --no-print-directory B=$(B)/self_harm DEFINES=-DTEST_SELF_HARM $(B)/self_harm/duomo.elf

.PHONY: soak
soak: all hostile-guests ## the fuzzing guest for 10^8 steps (STEPS=...) or for hours (HOURS=...)
	@/usr/bin/python3 $(HOSTILE_DIR)/soak.py $(if $(HOURS),--hours $(HOURS),--steps $(or $(STEPS),1e8))

.SECONDARY:

$(HOSTILE_OUT)/rt/%.o: $(HOSTILE_RT)/%
	@mkdir -p $(@D)
	@$(HOSTILE_CROSS)gcc $(HOSTILE_CFLAGS) -MMD -MP -c $< -o $@

$(HOSTILE_OUT)/rt/%.o: $(HOSTILE_DIR)/rt/%
	@mkdir -p $(@D)
	@$(HOSTILE_CROSS)gcc $(HOSTILE_CFLAGS) -MMD -MP -c $< -o $@

$(HOSTILE_OUT)/%.o: $(HOSTILE_DIR)/%.c
	@mkdir -p $(@D)
	@$(HOSTILE_CROSS)gcc $(HOSTILE_CFLAGS) -MMD -MP -c $< -o $@

$(HOSTILE_OUT)/%.elf: $(HOSTILE_OUT)/%.o $(HOSTILE_OBJS) $(HOSTILE_RT)/link.ld
	@$(HOSTILE_CROSS)gcc $(HOSTILE_LDFLAGS) $(filter %.o,$^) -o $@

$(HOSTILE_OUT)/%.bin: $(HOSTILE_OUT)/%.elf
	@$(HOSTILE_CROSS)objcopy -O binary $< $@

-include $(wildcard $(HOSTILE_OUT)/*.d $(HOSTILE_OUT)/rt/*.d)
