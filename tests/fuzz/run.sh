#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs fuzzers, as many at a time as there are processors, or FUZZ_JOBS.
#
# In:     seconds for each, a directory for what they find, the programs.
# Out:    one line per program; what one found, in full; last, "N passed, N failed".
# Always: the seed is fixed.  So is the number of runs, so that a short run is the same each time; but
#         what reads what a guest has in its queues, what comes from a network or stands on a disk, is
#         fuzzed for a minute at least, whatever that makes.  A fuzzer that ran nothing has failed.
set -u

# How often 8 seconds on a slow machine are enough for; -1: for a minute.
runs_of() {
    case $1 in
    fuzz_virtq | fuzz_vblk | fuzz_net | fuzz_gpt | fuzz_mbr) echo -1 ;;
    fuzz_shadow) echo 300 ;;
    fuzz_bundle) echo 6000 ;;
    fuzz_config) echo 15000 ;;
    fuzz_insn)   echo 25000 ;;
    fuzz_vcpu)   echo 30000 ;;
    *)           echo 60000 ;;
    esac
}

# one SECONDS FOUND PROGRAM: its line, or what it found.
one() {
    name=$(basename "$3")
    seconds=$1
    runs=$(runs_of "$name")
    if [ "$runs" -gt 0 ]; then
        runs=$((runs * seconds / 8))
    elif [ "$seconds" -lt 60 ]; then
        seconds=60
    fi
    out=$("$3" -seed=1 -max_len=2048 -len_control=0 -timeout=10 -runs="$runs" \
        -max_total_time="$seconds" -artifact_prefix="$2/$name-" 2>&1)
    status=$?
    did=$(echo "$out" | sed -n 's/^Done \([0-9]*\) runs.*/\1/p')
    if [ "$status" -eq 0 ] && [ "${did:-0}" -gt 0 ]; then
        echo "  $name: $did runs"
    else
        printf '%s\n%s\n' "  $name: failed" "$(echo "$out" | sed -n '/ERROR\|panic\|runtime error/,$p')"
    fi
}

if [ "$1" = --one ]; then
    shift
    one "$@"
    exit
fi

seconds=$1
found=$2
shift 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Those that take a minute first.
for program; do
    echo "$(runs_of "$(basename "$program")") $program"
done | sort -n -s -k 1,1 | sed 's/^[^ ]* //' |
    xargs -n 1 -P "${FUZZ_JOBS:-$(nproc)}" "$0" --one "$seconds" "$found" > "$log"
cat "$log"
passed=$(grep -c '^  fuzz_[a-z0-9_]*: [0-9]* runs$' "$log")
failed=$(($# - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
