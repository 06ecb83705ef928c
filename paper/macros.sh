#!/usr/bin/env bash
# Prints every number of the paper as a LaTeX macro. Needs RESULTS_DIR/verdicts.tsv.
# usage: macros.sh RESULTS_DIR > numbers.tex
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/../plots/lib.sh
. "$here/../plots/lib.sh"

need_results "$@"
results=$1
manifest=$results/manifest.json
[ -s "$results/verdicts.tsv" ] || die "$results/verdicts.tsv: missing; run plots/verdicts.sh $results first"
med=$(mktemp) && trap 'rm -f "$med"' EXIT
medians "$results" > "$med"

# awk reads backslashes in -v as escapes; manifest values are data and may hold some.
field() { local v; v=$(manifest_get "$manifest" "$@"); v=${v:-not recorded}; printf '%s' "${v//\\/\\\\}"; }

awk -f "$PLOTS/lib.awk" -f "$here/tex.awk" -f "$here/macros.awk" \
    -v git="$(git_of "$results")" -v timeline="$([ -s "$results/figures/timeline.pdf" ] && echo 1)" \
    -v qemu="$(field qemu qemu_version host_qemu)" -v kernel="$(field kernel kernel_version host_kernel)" \
    -v compiler="$(field compiler cc compiler_version)" -v bpftrace="$(field bpftrace bpftrace_version host_bpftrace)" \
    -v machine="$(field machine cpu host_cpu host)" \
    "$results/summary.tsv" "$med" "$results/verdicts.tsv"
