#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs fuzzers.
#
# In:     seconds for each, a directory for what they find, the programs.
# Out:    one line per program; what one found, in full; last, "N passed, N failed".
# Always: the seed is fixed and so is the number of runs, so that a short run is the same each time;
#         what takes longer than the seconds is ended then.  A fuzzer that ran nothing has failed.
set -u

seconds=$1
found=$2
shift 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0
# How often 8 seconds on a slow machine are enough for.
runs_of() {
    case $1 in
    fuzz_shadow) echo 300 ;;
    fuzz_bundle) echo 6000 ;;
    fuzz_config) echo 15000 ;;
    fuzz_insn)   echo 25000 ;;
    fuzz_vcpu)   echo 30000 ;;
    *)           echo 60000 ;;
    esac
}
for program in "$@"; do
    name=$(basename "$program")
    runs=$(($(runs_of "$name") * seconds / 8))
    "$program" -seed=1 -max_len=2048 -len_control=0 -timeout=10 \
        -runs="$runs" -max_total_time="$seconds" \
        -artifact_prefix="$found/$name-" >"$log" 2>&1
    status=$?
    did=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
    if [ "$status" -eq 0 ] && [ "${did:-0}" -gt 0 ]; then
        echo "  $name: $did runs"
        passed=$((passed + 1))
    else
        echo "  $name: failed"
        sed -n '/ERROR\|panic\|runtime error/,$p' "$log"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
