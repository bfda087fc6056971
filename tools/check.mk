# SPDX-License-Identifier: MIT
# `make check`: what can be said of the sources without running them.
#
# Included by the top Makefile, which says how the monitor is compiled.

.PHONY: check
check: $(B)/.deps-test $(B)/duomo.elf ## the sources: format, layers, style and more (CHECKS="...")
	@ELF=$(B)/duomo.elf MONITOR_CC='$(XCC) $(XCFLAGS) -Isrc -isystem $(CACHE)/libfdt' \
	    tools/check-all.sh $(CHECKS)
