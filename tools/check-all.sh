#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every tools/check-* and counts.
#
# In:     ELF, the monitor to look at (build/duomo.elf); names of checks, or none for all.
# Out:    what the checks that failed said, and a last line "N passed, N failed".
# Always: a check that has nothing to say prints nothing.
set -eu
cd "$(dirname "$0")/.."
elf=${ELF:-build/duomo.elf}

passed=0
failed=0

# check NAME COMMAND...
check() {
    name=$1
    shift
    case " ${wanted:-$name} " in *" $name "*) ;; *) return 0 ;; esac
    if said=$("$@" 2>&1) && [ -z "$said" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- $name"
        echo "$said"
    fi
}

wanted=$*
check format   tools/check-format.py
check layers   tools/check-layers.sh
check style    tools/check-style.py
check warnings tools/check-warnings.sh
check scripts  tools/check-scripts.sh
check panics   tools/check-panics.py
check docs     tools/check-docs.py
check no-fp    tools/check-no-fp.py "$elf"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
