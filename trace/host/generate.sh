#!/usr/bin/env bash
# Writes the probe script for one bpftrace version to stdout: generate.sh 0.17|0.23
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() {
    echo "generate.sh: $*" >&2
    exit 1
}

# events.def holds enum values, which a preprocessor cannot see: they become macros here.
event_macros() {
    cpp -P -std=c11 - <<END | sed -n 's/^EVENT \([a-z_]*\) \([0-9]*\)$/#define TRACE_EV_\1 \2/p'
#define HOST_EVENT(id, name, class, seq, a, b, text) EVENT name id
#include "$here/../events.def"
END
}

[[ $# == 1 ]] || die "usage: generate.sh 0.17|0.23"
case $1 in
0.17 | 0.23) ;;
*) die "bpftrace $1 has no script here: use 0.17 (for 0.17 to 0.19) or 0.23 (for 0.20 and later)" ;;
esac
command -v cpp >/dev/null || die "cpp is not installed: apt-get install cpp"
macros=$(mktemp)
trap 'rm -f "$macros"' EXIT
event_macros >"$macros"
sed -n 's|^#define TRACE_EV_\([a-z_]*\) \([0-9]*\)$|// event \2 \1|p' "$macros"
cpp -P -std=c11 -D BPFTRACE_MINOR="${1#0.}" -imacros "$here/../record.h" -imacros "$macros" \
    "$here/vhost.bt.in" | sed '/^ *$/d'
