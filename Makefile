# SPDX-License-Identifier: MIT
# Duomo: `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
# Everything that is made goes to build/ and, for what comes from Debian, to $(CACHE).

B     := build
CACHE := $(if $(DUOMO_CACHE),$(DUOMO_CACHE),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/duomo)
PY    := /usr/bin/python3
QEMU  := qemu-system-riscv64

MAKEFLAGS += --jobs=$(shell nproc)

# --- the monitor: bare-metal RISC-V, no floating point, position-independent -----------------------
XCC      := riscv64-unknown-elf-gcc
XLD      := riscv64-linux-gnu-ld
XOBJCOPY := riscv64-linux-gnu-objcopy
ARCH     := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany
WARN     := -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
XCFLAGS  := --specs=picolibc.specs $(ARCH) -std=gnu17 -O2 -g -fPIE -ffreestanding -fstack-protector-strong \
            -mstack-protector-guard=global -fno-common -ffunction-sections -fdata-sections \
            -fno-strict-aliasing -flto $(WARN) $(DEFINES)
LIBCDIR   = /usr/lib/picolibc/riscv64-unknown-elf/lib/rv64imac/lp64
LIBGCC    = $(shell $(XCC) -march=rv64imac -mabi=lp64 -print-libgcc-file-name)

SRC    := $(filter-out src/arch/host/%,$(wildcard src/*/*.c src/arch/riscv/*.c src/arch/riscv/*.S))
LIBFDT := fdt fdt_ro fdt_sw fdt_check fdt_addresses fdt_strerror fdt_rw fdt_wip
OBJ    := $(patsubst src/%,$(B)/obj/%.o,$(SRC)) $(LIBFDT:%=$(B)/obj/libfdt/%.o)

# --- the host tool ----------------------------------------------------------------------------------
HCC     := gcc
HCFLAGS := -std=c17 -O2 -g $(WARN)
TOOL    := $(wildcard tool/*.c)

.DEFAULT_GOAL := all
.PHONY: all run run-debian test bench help clean
.DELETE_ON_ERROR:

all: $(B)/duomo.elf $(B)/duomo.bin $(B)/duomo ## the monitor (build/duomo.elf, .bin) and the tool (build/duomo)

run: all $(B)/.deps-run ## several virtual machines, with a shell in Debian's Linux (MEMORY=256M)
	@tools/run.sh $(B)

run-debian: all $(B)/.deps-debian ## two whole Debians on one disk, with a network (MEMORY=512M SSH_PORT=2201)
	@tools/run-debian.sh $(B)

test: all $(B)/initrd.gz $(B)/.deps-test ## everything that can be tested (SUITES="unit guest ...": only these)
	@tools/fetch.sh cbmc
	@$(PY) tools/test.py $(SUITES)

bench: all $(B)/initrd.gz $(B)/.deps-bench ## measure the VM against the bare machine (BENCH="--quick ...")
	@bench/run.py $(BENCH)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

clean: ## remove what was built; what came from Debian stays in its cache
	@rm -rf $(B)

# What is missing is installed before anything is built.
$(B)/.deps-%: tools/deps.sh
	@mkdir -p $(B)
	@tools/deps.sh $*
	@touch $@

$(CACHE)/libfdt/libfdt.h: | $(B)/.deps-build
	@tools/fetch.sh libfdt

$(CACHE)/kernel/Image $(CACHE)/kernel/modules/modules.dep $(CACHE)/busybox/busybox &: | $(B)/.deps-run
	@tools/fetch.sh kernel busybox

$(B)/obj/libfdt/%.o: $(CACHE)/libfdt/libfdt.h | $(B)/.deps-build
	@mkdir -p $(@D)
	@echo "  cc libfdt/$*.c"
	@$(XCC) $(filter-out -Werror,$(XCFLAGS)) -w -I$(CACHE)/libfdt -c $(CACHE)/libfdt/$*.c -o $@

$(B)/obj/%.c.o: src/%.c Makefile $(CACHE)/libfdt/libfdt.h | $(B)/.deps-build
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(XCC) $(XCFLAGS) -Isrc -isystem $(CACHE)/libfdt -MMD -MP -c $< -o $@

# What the hot path of a trap need not touch, trap.S need not load again.
$(B)/obj/vm/csr.c.o: XCFLAGS += -fno-lto $(addprefix -fcall-saved-,t2 t3 t4 t5 t6)

$(B)/obj/%.S.o: src/%.S Makefile | $(B)/.deps-build
	@mkdir -p $(@D)
	@$(XCC) $(XCFLAGS) -Isrc -D__ASSEMBLER__ -MMD -MP -c $< -o $@

$(B)/duomo.ld: $(wildcard src/arch/riscv/*.ld) src/arch/riscv/layout.h | $(B)/.deps-build
	@mkdir -p $(@D)
	@$(XCC) -E -P -x c -D__LINKER__ -Isrc $< -o $@

# The bare-metal compiler optimises the whole monitor as one; the other linker makes it relocatable.
$(B)/obj/duomo.o: $(OBJ)
	@echo "  optimising the whole"
	@$(XCC) $(filter-out --specs=%,$(XCFLAGS)) -flto-partition=none -r -nostdlib -flinker-output=nolto-rel -o $@ $(OBJ)

$(B)/duomo.elf: $(B)/obj/duomo.o $(B)/duomo.ld
	@$(XLD) -pie --no-dynamic-linker -z notext -z max-page-size=4096 --gc-sections --fatal-warnings \
	    -T $(B)/duomo.ld -Map $(B)/duomo.map -o $@ $< --start-group $(LIBCDIR)/libc.a $(LIBGCC) --end-group
	@echo "  built $@"

$(B)/duomo.bin: $(B)/duomo.elf
	@$(XOBJCOPY) -O binary $< $@

$(B)/duomo: $(TOOL) $(wildcard tool/*.h) | $(B)/.deps-build
	@mkdir -p $(@D)
	@$(HCC) $(HCFLAGS) -o $@ $(TOOL) -lfdt -lyaml
	@echo "  built $@"

$(B)/initrd.gz: tools/mkinitrd.sh $(CACHE)/busybox/busybox $(CACHE)/kernel/modules/modules.dep
	@tools/mkinitrd.sh $@

include $(wildcard tools/check.mk tests/*/*.mk guests/*/*.mk)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
