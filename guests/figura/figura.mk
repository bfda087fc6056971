# SPDX-License-Identifier: MIT
# Builds figura: $(B)/figura.elf, which QEMU starts as a kernel, and $(B)/figura.bin, the same as a
# flat Linux Image.  The processes' program, $(B)/figura/user.elf, is inside both as bytes.
#
# Included by the top Makefile.

B          ?= build
FIGURA_DIR := guests/figura
FIGURA_OUT := $(B)/figura

FIGURA_CROSS   ?= riscv64-unknown-elf-
FIGURA_CFLAGS  := --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany \
                  -std=gnu17 -O2 -g -ffreestanding -fno-pic -fno-common -ffunction-sections \
                  -fdata-sections -fno-omit-frame-pointer -fno-inline \
                  -DPICOLIBC_INTEGER_PRINTF_SCANF \
                  -isystem $(CACHE)/libfdt -Wa,-I$(FIGURA_OUT) \
                  -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes \
                  -Wno-unused-parameter -Wno-missing-field-initializers -Werror
# The name under which the C library has been built for these instructions.
FIGURA_LDFLAGS := --specs=picolibc.specs -march=rv64imac -mabi=lp64 -mcmodel=medany -nostartfiles -e _start \
                  -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096

FIGURA_OBJECTS = $(patsubst $(FIGURA_DIR)/%,$(FIGURA_OUT)/%.o, \
                   $(wildcard $(FIGURA_DIR)/$(1)/*.c $(FIGURA_DIR)/$(1)/*.S))

.PHONY: figura
all: figura
figura: $(B)/figura.elf $(B)/figura.bin ## a tiny operating system to read and to try (guests/figura/)

$(FIGURA_OUT)/%.o: $(FIGURA_DIR)/% $(FIGURA_DIR)/figura.mk $(CACHE)/libfdt/libfdt.h | $(B)/.deps-build
	@mkdir -p $(@D)
	@$(FIGURA_CROSS)gcc $(FIGURA_CFLAGS) -MMD -MP -c $< -o $@

$(FIGURA_OUT)/libfdt/%.o: $(CACHE)/libfdt/libfdt.h
	@mkdir -p $(@D)
	@$(FIGURA_CROSS)gcc $(FIGURA_CFLAGS) -w -c $(CACHE)/libfdt/$*.c -o $@

# Where each begins: the kernel where the board's firmware looks for it, a process at kernel.h's USER.
$(FIGURA_OUT)/user.elf: FIGURA_TEXT := 0x40000000
$(B)/figura.elf: FIGURA_TEXT := 0x80200000

$(FIGURA_OUT)/user.elf: $(call FIGURA_OBJECTS,user)
$(B)/figura.elf: $(call FIGURA_OBJECTS,kernel) $(FIGURA_OUT)/libfdt/fdt.o $(FIGURA_OUT)/libfdt/fdt_ro.o
$(FIGURA_OUT)/user.elf $(B)/figura.elf: $(FIGURA_DIR)/figura.ld
	@$(FIGURA_CROSS)gcc $(FIGURA_LDFLAGS) -Wl,-Ttext=$(FIGURA_TEXT) -T $(filter %.ld,$^) $(filter %.o,$^) -o $@

$(FIGURA_OUT)/kernel/boot.S.o: $(FIGURA_OUT)/user.bin

$(B)/figura.bin $(FIGURA_OUT)/user.bin: %.bin: %.elf
	@$(FIGURA_CROSS)objcopy -O binary $< $@

-include $(wildcard $(FIGURA_OUT)/*/*.d)
