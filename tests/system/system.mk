# SPDX-License-Identifier: MIT
# What the system tests can do longer than `make test` does it.
#
# Included by the top Makefile.

.PHONY: powercut
powercut: all $(B)/.deps-test ## the power goes while two VMs write to their disks (CUTS=50)
	@DUOMO_CUTS=$(or $(CUTS),50) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/system/test_power_cut.py
