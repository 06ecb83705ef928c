#!/usr/bin/env bash
# Builds the paper of a sweep: results/<sweep>/paper.pdf.
# usage: build.sh SWEEP    (a name under results/, or a results directory)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/../plots/lib.sh
. "$here/../plots/lib.sh"

root=$(dirname "$here")
if [ $# -ne 1 ] || [ -z "$1" ]; then echo "usage: build.sh SWEEP (a name under results/, or a results directory)" >&2; exit 1; fi
results=$1
[ -d "$results" ] || results=$root/results/$1
need_results "$results"
results=$(cd "$results" && pwd)
out=${BUILD:-$root/build}/paper/$(basename "$results")

need_tex() {
    local missing='' f
    for f in latexmk pdflatex; do command -v "$f" > /dev/null || missing+=" $f"; done
    if [ -z "$missing" ]; then
        for f in article.cls lmodern.sty booktabs.sty microtype.sty graphicx.sty hyperref.sty; do
            kpsewhich "$f" > /dev/null || missing+=" $f"
        done
    fi
    [ -z "$missing" ] || die "the paper needs$missing; apt install latexmk texlive-latex-base texlive-latex-recommended texlive-fonts-recommended lmodern"
}

tables() {
    medians "$results" | awk -f "$PLOTS/lib.awk" -f "$here/tex.awk" -f "$here/tables.awk" -v what=medians > "$out/medians.tex"
    awk -f "$PLOTS/lib.awk" -f "$here/tex.awk" -f "$here/tables.awk" -v what=verdicts "$results/verdicts.tsv" > "$out/verdicts.tex"
}

# LaTeX buries its reason in the log; the first line that starts with ! is it.
latex() {
    (cd "$out" && SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} FORCE_SOURCE_DATE=1 TEXINPUTS="$here:$out:" \
        latexmk -pdf -interaction=nonstopmode -halt-on-error -silent "$here/ringscope.tex" > build.out 2>&1) && return 0
    die "$out/ringscope.log: $(grep -m1 '^!' "$out/ringscope.log" 2> /dev/null || echo 'latexmk failed, see build.out there'); the previous paper is kept"
}

need_tex
mkdir -p "$out/figures"
"$PLOTS/figures.sh" "$results"
# A failed check belongs into the paper, as a row of its table; it does not stop the build.
"$PLOTS/verdicts.sh" "$results" > /dev/null || [ -s "$results/verdicts.tsv" ] || exit 1
cp "$results"/figures/*.pdf "$out/figures/"
write_to "$out/numbers.tex" "$here/macros.sh" "$results"
tables
latex
cp "$out/ringscope.pdf" "$results/paper.pdf"
echo "$results/paper.pdf"
