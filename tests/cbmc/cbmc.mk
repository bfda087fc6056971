# SPDX-License-Identifier: MIT
# Proofs with CBMC: tests/cbmc/proof_<what>.c.  Debian 13 has the program; elsewhere tools/fetch.sh
# cbmc brings it.

CBMC := $(firstword $(wildcard /usr/bin/cbmc) $(CACHE)/cbmc/bin/cbmc)

.PHONY: cbmc
cbmc: | $(B)/.deps-test ## proofs of address checks, page walk and traps
	@tests/cbmc/run.sh $(CBMC) $(sort $(wildcard tests/cbmc/proof_*.c))
