#!/usr/bin/env bash
# Writes a probe script to stdout: generate.sh 0.17|0.23 basic|full|full-kvm|summary
# full-kvm is full on a kernel that has the kvm module; bpftrace refuses what is not there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage="usage: generate.sh 0.17|0.23 basic|full|full-kvm|summary"

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

# The events that the script prints, by number: what its reader may expect.
list_events() {
    local name id
    sed -n 's/^#define TRACE_EV_\([a-z_]*\) \([0-9]*\)$/\1 \2/p' "$work/macros" |
        while read -r name id; do
            ! grep -qF "printf(\"R %d %llu %llu $id " "$work/script" || echo "// event $id $name"
        done
}

[[ $# == 2 ]] || die "$usage"
case $1 in
0.17 | 0.23) ;;
*) die "bpftrace $1 has no script here: use 0.17 (for 0.17 to 0.19) or 0.23 (for 0.20 and later)" ;;
esac
template=vhost.bt.in full=0 kvm=0
case $2 in
basic) ;;
full) full=1 ;;
full-kvm) full=1 kvm=1 ;;
summary) template=summary.bt.in ;;
*) die "no set of probes is called $2; $usage" ;;
esac
command -v cpp >/dev/null || die "cpp is not installed: apt-get install cpp"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
event_macros >"$work/macros"
cpp -P -std=c11 -D BPFTRACE_MINOR="${1#0.}" -D FULL=$full -D KVM=$kvm -imacros "$here/../record.h" \
    -imacros "$work/macros" "$here/$template" | sed '/^ *$/d' >"$work/script"
list_events
cat "$work/script"
