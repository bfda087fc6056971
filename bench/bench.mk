# SPDX-License-Identifier: MIT
# Builds what the benchmarks run inside the machine: duobench and diskbench, Linux programs; trapcost, a small
# guest of its own over the runtime of tests/guest; company, one of several virtual machines, over
# that of tests/hostile.
#
# Used by bench/run.py: make -f bench/bench.mk bench-guests

include tests/guest/guest.mk
include tests/hostile/hostile.mk

BENCH_OUT   := $(B)/bench
LINUX_CROSS ?= riscv64-linux-gnu-

.PHONY: bench-guests
bench-guests: $(BENCH_OUT)/root/bin/duobench $(BENCH_OUT)/root/bin/diskbench $(GUEST_OUT)/trapcost.bin $(HOSTILE_OUT)/company.bin

$(BENCH_OUT)/root/bin/%: bench/guest/%.c bench/guest/program.h
	@mkdir -p $(@D)
	$(LINUX_CROSS)gcc -static -O2 -std=gnu17 -Wall -Wextra -Wshadow -Wundef -Wvla \
	    -Wstrict-prototypes -Wmissing-prototypes -Werror $< -o $@

$(GUEST_OUT)/trapcost.o: bench/guest/trapcost.c
	@mkdir -p $(@D)
	$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(HOSTILE_OUT)/company.o: bench/guest/company.c
	@mkdir -p $(@D)
	$(HOSTILE_CROSS)gcc $(HOSTILE_CFLAGS) -MMD -MP -c $< -o $@
