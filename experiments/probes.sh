#!/usr/bin/env bash
# The probe self-test (trace/host/selftest.sh) on the host that cells run on, with a guest's traffic.
#   probes.sh [--also FUNCTION]...     HOST chooses the host, LAB_RELEASE the lab's Debian
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$(dirname "$here")/build}
# shellcheck source=experiments/host.sh
. "$here/host.sh"

host_open
host_deploy ringscope-kit
# Where guests run on KVM there is one more probe, which only such a guest's interrupts reach.
accel=$(host_run "cd ringscope-kit && ./accel.sh 2>/dev/null")
probes=full traffic='./selftest_traffic.sh ringscope-intr.elf'
[[ $accel != kvm ]] || probes=full-kvm traffic+=' kvm'
host_run "cd ringscope-kit && ./selftest.sh --probes $probes \
    --traffic '$traffic' $*"
