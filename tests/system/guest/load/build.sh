#!/bin/sh
# SPDX-License-Identifier: MIT
# A load like that of a build: many short processes, pipes and files.
#
# In:     the number of "sources" to make, "compile" and "link".
# Out:    one line: the checksum of the "program".  test_linux.py computes the same with other means.
set -e

count=$1
work=$(mktemp -d)
cd "$work"

for i in $(seq 1 "$count"); do
    seq "$i" "$((i + 40))" > "$i.src"
done
for source in *.src; do
    object=${source%.src}.obj
    sed 's/1/one /g' "$source" | awk '{ sum += NF; print NR ": " $0 } END { print "sum " sum }' |
        tr '[:lower:]' '[:upper:]' | gzip > "$object.gz" &&
        gunzip -c "$object.gz" > "$object"
    test -s "$object"
done
tar cf - ./*.obj | tar xOf - | sort | uniq -c | sort -k1,1n -k2 > program
awk '{ $1 = $1; print }' program | sha256sum | cut -d ' ' -f 1
cd /
rm -r "$work"
