#!/bin/sh
# SPDX-License-Identifier: MIT
# Scripts: each can at least be parsed; shellcheck, where it is installed, has nothing to warn of.
#
# In:     the shell and Python scripts of the project.
# Out:    a line for each that cannot be parsed, and for each warning.
# Always: runs none of them.
set -eu
cd "$(dirname "$0")/.."

said=$(mktemp)
trap 'rm -f "$said"' EXIT
trap 'exit 1' HUP INT TERM

# parse SCRIPT, by the interpreter that its first line names
parse() {
    $(sed -n '1s/.*[ /]//p' "$1") -n "$1" 2>&1 |
        sed -E "s|^[^:]*: (line )?([0-9]+): (.*)|$1:\2: \3; correct it|"
}

shells=$(find tools tests bench -name '*.sh'; echo .ci/run)
for script in $shells; do
    parse "$script" >> "$said"
done
for script in tools/*.sh tools/check-*.py; do
    [ -x "$script" ] || echo "$script:1: is not executable; chmod +x $script" >> "$said"
done

if command -v shellcheck > /dev/null; then
    # shellcheck disable=SC2086      # a list of words
    shellcheck -S warning -f gcc $shells |
        sed -E 's/^([^:]+:[0-9]+):[0-9]+: (.*)/\1: \2; correct it/' >> "$said"
fi

find tools tests bench -name '*.py' | sort | python3 -c '
import sys
for path in sys.stdin.read().split():
    try:
        compile(open(path).read(), path, "exec")
    except SyntaxError as error:
        print(f"{path}:{error.lineno}: {error.msg}; correct it")
' >> "$said"

cat "$said"
[ ! -s "$said" ]
