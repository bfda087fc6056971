#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the proofs with CBMC.
#
# In:     the program cbmc; the files, each with functions prove_*().
# Out:    one line per proof; what is not so, with a counterexample; last, "N passed, N failed".
# Always: loops are looked at up to 40 turns, or as many as a line `// cbmc: --unwind N` of the file
#         says, and that there are no more is proved.  A proof without a claim has failed: a misspelt
#         name proves anything.
set -u

cbmc=$1
shift
if [ ! -x "$cbmc" ]; then
    echo "cbmc: $cbmc is not there; get it with: tools/fetch.sh cbmc" >&2
    exit 1
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0
failed=0
for file in "$@"; do
    unwind=$(sed -n 's|^// cbmc: --unwind \([0-9]*\)$|\1|p' "$file")
    for proof in $(sed -n 's/^void \(prove_[a-z0-9_]*\)(void);$/\1/p' "$file"); do
        "$cbmc" "$file" tests/unit/rig/reference_walk.c --function "$proof" \
            -I src -I tests/cbmc -I tests/unit --drop-unused-functions --trace \
            --bounds-check --pointer-check --div-by-zero-check --undefined-shift-check \
            --signed-overflow-check --unwind "${unwind:-40}" --unwinding-assertions >"$out" 2>&1
        if grep -q '^VERIFICATION SUCCESSFUL' "$out" &&
            grep -q '\.assertion\..*SUCCESS' "$out"; then
            echo "  $proof: holds"
            passed=$((passed + 1))
        else
            echo "  $proof: does not hold"
            grep -E 'FAILURE|error:|^(PARSING|CONVERSION) ERROR' "$out"
            sed -n '/^Trace for/,/^Violated/p' "$out" | grep -E '^  [a-z_.>-]+=|Violated' |
                head -n 60
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
