# SPDX-License-Identifier: MIT
# The unit tests: the monitor's own source, compiled for this computer over a fake hart, under
# AddressSanitizer and UndefinedBehaviorSanitizer.  Each tests/unit/test_<what>.c is one program.
#
# Included by the top Makefile, which sets B, HCC and WARN.

UNIT_DIR    := tests/unit
UNIT_OUT    := $(B)/unit
UNIT_CFLAGS := -std=gnu17 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing $(WARN) \
               -Isrc -I$(UNIT_DIR) -fsanitize=address,undefined -fno-sanitize-recover=all

include $(UNIT_DIR)/rig/sources.mk
UNIT_OBJ  := $(RIG_SRC:%=$(UNIT_OUT)/%.o)
UNIT_LIB  := $(UNIT_OUT)/libduomo.a
UNIT_TEST := $(patsubst $(UNIT_DIR)/%.c,$(UNIT_OUT)/%,$(wildcard $(UNIT_DIR)/test_*.c))

.PHONY: unit
unit: $(UNIT_TEST) ## the unit tests, on this computer
	@$(UNIT_DIR)/run.sh $(UNIT_TEST)

$(UNIT_OUT)/%.c.o: %.c | $(B)/.deps-test
	@mkdir -p $(@D)
	@$(HCC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

$(UNIT_LIB): $(UNIT_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(UNIT_OUT)/test_%: $(UNIT_OUT)/$(UNIT_DIR)/test_%.c.o $(UNIT_LIB)
	@$(HCC) $(UNIT_CFLAGS) -o $@ $< $(UNIT_LIB) -lcmocka -lfdt

-include $(shell find $(UNIT_OUT) -name '*.d' 2>/dev/null)
