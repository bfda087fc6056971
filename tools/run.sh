#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts the machine: QEMU's `virt` board without the hypervisor extension, Duomo as its firmware.
#
# In:     the monitor and the directory of what was built (`make run` gives both), a terminal or none.
# Out:    a shell in a virtual machine; without a terminal a few commands in it, and the end.
# Always: QEMU's exit code: 0 after the last VM was powered off.
set -eu

monitor=$1 tool=$2 kernel=$3 initrd=$4
memory=${MEMORY:-256M}
bundle=$(dirname "$tool")/run.itb
line="console=ttyS0 quiet"

if [ -t 0 ]; then
    echo "run: a shell in a virtual machine; 'exit' powers it off, Ctrl-a x ends QEMU at once"
    line="$line TERM=${TERM:-vt100}"
else
    echo "run: no terminal: some commands in a virtual machine, then power-off"
    line="$line TERM=dumb duomo.run=\"uname -a; cat /proc/cpuinfo; free; dmesg | tail -n 3\""
fi
"$tool" pack --name debian --kernel "$kernel" --initrd "$initrd" --memory "$memory" --cmdline "$line" -o "$bundle"
exec qemu-system-riscv64 -M virt -cpu rv64,h=false -m 1G -nographic -no-reboot -bios "$monitor" -kernel "$bundle"
