#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs unit-test programs.
#
# In:     the programs.
# Out:    one line per program; what failed, in full; last, "N passed, N failed".
# Always: a program that crashes or names no test has failed.
set -u

out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0
failed=0
for program in "$@"; do
    CMOCKA_MESSAGE_OUTPUT=tap timeout 120 "$program" >"$out" 2>&1
    status=$?
    ok=$(grep -c '^ok ' "$out")
    bad=$(grep -c '^not ok ' "$out")
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] || [ $((ok + bad)) -eq 0 ]; then
        bad=$((bad + 1))
    fi
    echo "  $(basename "$program"): $ok passed, $bad failed"
    # What a failed test leaves behind is no finding of its own.
    [ "$bad" -eq 0 ] || grep -v '^ok ' "$out" | if grep -q '^not ok ' "$out"; then
        sed '/^=====*$/,$d'
    else
        cat
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
