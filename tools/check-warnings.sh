#!/bin/sh
# SPDX-License-Identifier: MIT
# What compilers and checkers say beyond the warnings that stop every build.
#
# In:     src/, tool/ and guests/; MONITOR_CC, the compiler with the monitor's options (optional).
# Out:    a line for each finding.
# Always: a kind of finding is left out below only with its reason.
set -eu
cd "$(dirname "$0")/.."

compiler=${MONITOR_CC:-riscv64-unknown-elf-gcc --specs=picolibc.specs -march=rv64imac_zicsr_zifencei
    -mabi=lp64 -mcmodel=medany -std=gnu17 -O2 -ffreestanding -fno-strict-aliasing -Isrc
    -isystem ${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}/libfdt}

# No frame above 1 KiB: a hart's stack has 16 KiB, and below it is a guard.
more="-Wformat=2 -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wnull-dereference
    -Wpointer-arith -Wredundant-decls -Wswitch-enum -Wwrite-strings -Wjump-misses-init
    -Wsign-conversion -Wstack-usage=1024 -fno-lto -fdiagnostics-plain-output"

said=$(mktemp)
trap 'rm -f "$said"' EXIT
trap 'exit 1' HUP INT TERM

command -v "${compiler%% *}" > /dev/null ||
    { echo "tools/check-warnings.sh:1: no ${compiler%% *}; run tools/deps.sh build"; exit 1; }

compile=$(echo "$compiler $more -c" | tr '\n' ' ')
find src -name '*.c' -not -path '*/host/*' -print0 |
    xargs -0 -P 2 -I '{}' sh -c "$compile '{}' -o /dev/null" 2>&1 |
    sed -nE 's/^([^:]+:[0-9]+):[0-9]+: (warning|error): (.*)/\1: \3; rewrite it/p' > "$said"

suppressions=
suppress() { for id in "$@"; do suppressions="$suppressions --suppress=$id"; done; }
# It needs no headers of the C library or of libfdt to find what is looked for here.
suppress missingInclude missingIncludeSystem
# Layouts of file formats and chips are complete.
suppress unusedStructMember
# "word & FLAG ? a : b" reads as it binds.
suppress clarifyCalculation
# Declarations stand together at the head of a block.
suppress variableScope
# A callback has the type that its table says.
suppress constParameter constParameterPointer constParameterCallback
# It cannot see that assembly writes a variable.
suppress knownConditionTrueFalse:src/arch/riscv/hart.c
# The linker's symbols are borders of one image.
suppress comparePointers:src/mon/main.c subtractPointers:src/mon/main.c
# Only newer versions look for it, so the older ones' users would hear of it from others.
suppress constVariablePointer
# It says that it could think longer.
suppress normalCheckLevelMaxBranches

# shellcheck disable=SC2086          # lists of words
cppcheck -q -j 2 --std=c11 --platform=unix64 --enable=warning,style,performance,portability \
    $suppressions -D__riscv -D__riscv_xlen=64 -Isrc -Itool -i src/arch/host \
    --template='{file}:{line}: {message} ({id}); correct it' --template-location='' \
    src tool guests >> "$said" 2>&1 ||
    echo "tools/check-warnings.sh:1: cppcheck does not run; correct its options" >> "$said"

sort -u "$said"
[ ! -s "$said" ]
