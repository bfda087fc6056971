#!/bin/sh
# SPDX-License-Identifier: MIT
# The layers of src/: what a file may include.
#
# In:     the sources; MONITOR_CC, the compiler with the monitor's options (optional).
# Out:    a line for each include that points up, names no layer or leads nowhere; for a cycle of
#         includes; for a header that does not compile alone.
# Always: lib < isa < arch < dev < vm < vdev < mon.  A file includes its own layer and those to the
#         left of it.
set -eu
cd "$(dirname "$0")/.."

layers="lib isa arch dev vm vdev mon"
compiler=${MONITOR_CC:-riscv64-unknown-elf-gcc --specs=picolibc.specs -march=rv64imac_zicsr_zifencei
    -mabi=lp64 -mcmodel=medany -std=gnu17 -ffreestanding -Wall -Wextra -Werror -Isrc
    -isystem ${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}/libfdt}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

find src -name '*.[chS]' -o -name '*.def' -o -name '*.ld' | sort > "$work/files"

# FILE LINE INCLUDED, for each include of one of ours.
# shellcheck disable=SC2016      # awk's $0
xargs awk 'match($0, /^#[ \t]*include[ \t]*"[^"]*"/) {
    split($0, part, "\""); print FILENAME, FNR, part[2] }' < "$work/files" > "$work/includes"

command -v "${compiler%% *}" > /dev/null ||
    { echo "tools/check-layers.sh:1: no ${compiler%% *}; run tools/deps.sh build"; exit 1; }

# Upward, and into no layer.
awk -v layers="$layers" '
    BEGIN { n = split(layers, name, " "); for (i = 1; i <= n; i++) rank[name[i]] = i }
    {
        split($1, from, "/"); split($3, to, "/")
        if (!(to[1] in rank) || $3 !~ /\//)
            print $1 ":" $2 ": \"" $3 "\" names no layer; write \"LAYER/" $3 "\": " layers
        else if (rank[to[1]] > rank[from[2]])
            print $1 ":" $2 ": " from[2] " includes " to[1] ", which is above it; " \
                "let " to[1] " hand a function pointer down instead"
    }' "$work/includes" > "$work/wrong"

while read -r file line included; do
    [ -e "src/$included" ] ||
        echo "$file:$line: there is no src/$included; name the header that is meant"
done < "$work/includes" >> "$work/wrong"

# tsort names the files of each cycle on stderr.
awk '{ print "src/" $3, $1 }' "$work/includes" | tsort 2>&1 >/dev/null |
    sed -n 's/^tsort: \(src.*\)/\1:1: part of a cycle; declare what you only point to/p' \
    >> "$work/wrong"

# A header that includes what it needs compiles alone.
grep '\.h$' "$work/files" | while read -r header; do
    # shellcheck disable=SC2086      # a command and its words
    echo "#include \"${header#src/}\"" | $compiler -fsyntax-only -x c - 2> "$work/said" ||
        echo "$header:1: does not compile alone ($(grep -m 1 -o 'error: .*' "$work/said"));" \
            "include what it needs"
done >> "$work/wrong"

cat "$work/wrong"
[ ! -s "$work/wrong" ]
