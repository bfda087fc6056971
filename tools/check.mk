# SPDX-License-Identifier: MIT
# `make check`: what can be said of the sources without running them.
#
# Included by the top Makefile, which says how the monitor is compiled.

.PHONY: check
check: $(B)/.deps-test $(B)/duomo.elf ## the sources: format, layers, style and more (CHECKS="...")
	@ELF=$(B)/duomo.elf MONITOR_CC='$(XCC) $(XCFLAGS) -Isrc -isystem $(CACHE)/libfdt' \
	    tools/check-all.sh $(CHECKS)

.PHONY: mutants
mutants: all unit guests hostile-guests ## small changes of the monitor: does a test notice each? (MUTANTS=200)
	@nice -n 19 tools/mutants.py --count $(or $(MUTANTS),200)
