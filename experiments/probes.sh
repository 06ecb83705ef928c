#!/usr/bin/env bash
# The probe self-test (trace/host/selftest.sh) on the host that cells run on, with a guest's traffic.
#   probes.sh [--also FUNCTION]...     HOST chooses the host
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$(dirname "$here")/build}
# shellcheck source=experiments/host.sh
. "$here/host.sh"

host_open
host_deploy ringscope-kit
host_run "cd ringscope-kit && ./selftest.sh --traffic './selftest_traffic.sh ringscope-intr.elf' $*"
