# SPDX-License-Identifier: MIT
# Builds the guests of the equivalence suite: each tests/guest/<name>.c becomes
# $(B)/guest/<name>.bin, a flat image with Linux's header, for the bare board and for a VM alike.
# <name>.verbose.bin is the same guest printing every case that it otherwise only hashes.
#
# Included by the top Makefile; alone: make -f tests/guest/guest.mk guests

B         ?= build
GUEST_DIR := tests/guest
GUEST_OUT := $(B)/guest

GUEST_CROSS  ?= riscv64-unknown-elf-
GUEST_CFLAGS := --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany \
                -std=gnu17 -O2 -g -ffreestanding -fno-pic -ffunction-sections \
                -DPICOLIBC_INTEGER_PRINTF_SCANF -I$(GUEST_DIR)/rt \
                -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes \
                -Werror
# The name under which the C library has been built for these instructions.
GUEST_LDFLAGS := --specs=picolibc.specs -march=rv64imac -mabi=lp64 -mcmodel=medany \
                 -nostartfiles -static -Wl,--gc-sections -Wl,--build-id=none \
                 -Wl,--no-warn-rwx-segments -T $(GUEST_DIR)/rt/link.ld

GUEST_NAMES := $(patsubst $(GUEST_DIR)/%.c,%,$(wildcard $(GUEST_DIR)/*.c))
GUEST_BINS  := $(GUEST_NAMES:%=$(GUEST_OUT)/%.bin)
GUEST_RT    := $(patsubst $(GUEST_DIR)/rt/%,$(GUEST_OUT)/rt/%.o, \
                 $(wildcard $(GUEST_DIR)/rt/*.c $(GUEST_DIR)/rt/*.S))

.PHONY: guests
guests: $(GUEST_BINS)

.PRECIOUS: $(GUEST_OUT)/%.o $(GUEST_OUT)/%.elf

$(GUEST_OUT)/rt/%.o: $(GUEST_DIR)/rt/%
	@mkdir -p $(@D)
	@$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(GUEST_OUT)/%.verbose.o: $(GUEST_DIR)/%.c
	@mkdir -p $(@D)
	@$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -DVERBOSE=1 -MMD -MP -c $< -o $@

$(GUEST_OUT)/%.o: $(GUEST_DIR)/%.c
	@mkdir -p $(@D)
	@$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(GUEST_OUT)/%.elf: $(GUEST_OUT)/%.o $(GUEST_RT) $(GUEST_DIR)/rt/link.ld
	@$(GUEST_CROSS)gcc $(GUEST_LDFLAGS) $(filter %.o,$^) -o $@

$(GUEST_OUT)/%.bin: $(GUEST_OUT)/%.elf
	@$(GUEST_CROSS)objcopy -O binary $< $@

-include $(wildcard $(GUEST_OUT)/*.d $(GUEST_OUT)/rt/*.d)
