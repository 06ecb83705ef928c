#!/usr/bin/env bash
# Draws every figure of a sweep into RESULTS_DIR/figures/ as SVG and PDF, each from the
# table of the same name beside it. Goes on after a figure that fails and says so at the end.
# usage: figures.sh RESULTS_DIR
set -euo pipefail
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_results "$@"
results=$1
command -v gnuplot > /dev/null || die "gnuplot is missing; apt install gnuplot-nox"
"$PLOTS/extract.sh" "$results"

failed=0

draw() { # table ext
    local base=${1%.tsv} name
    name=$(basename "$base")
    # Aside and renamed: an old picture outlives a failed drawing. A series that a sweep did not
    # run is no fault of the figure, so gnuplot's word about it is not shown.
    if gnuplot -c "$PLOTS/${name%%.*}.gp" "$1" "$base.part.$2" \
        2> >(grep -v 'Skipping data file with no valid points\|^ *$' >&2) && [ -s "$base.part.$2" ]; then
        mv "$base.part.$2" "$base.$2"
    else
        rm -f "$base.part.$2"
        echo "figures.sh: $1: not drawn as $2; its table is kept, see gnuplot's message above" >&2
        failed=1
    fi
}

for table in "$results"/figures/*.tsv; do
    for ext in svg pdf; do draw "$table" "$ext"; done
done
exit "$failed"
