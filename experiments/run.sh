#!/usr/bin/env bash
# An echoing guest on this terminal, on QEMU's user network: what its kernel prints as it boots, and
# what a panic looks like.   run.sh poll|intr|hybrid     Ctrl-a x leaves QEMU.
set -euo pipefail
mode=${1:?usage: run.sh poll|intr|hybrid}
kernel=${BUILD:-build}/kernel/ringscope-$mode.elf
[[ -f $kernel ]] || {
    echo "run.sh: no kernel for mode '$mode'; use poll, intr or hybrid" >&2
    exit 1
}
echo "guest in mode $mode on a user network; Ctrl-a x ends it (APPEND='name=value …' adds parameters)"
exec qemu-system-x86_64 -accel tcg -cpu max -m 96 -nographic -nodefaults -serial mon:stdio \
    -no-reboot -kernel "$kernel" -append "workload=echo ${APPEND:-}" \
    -netdev user,id=net -device virtio-net-pci,netdev=net,romfile= -device isa-debug-exit,iobase=0xf4,iosize=4
