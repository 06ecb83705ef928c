#!/usr/bin/env bats
# Tests of paper/: that no number is typed by hand, and that the numbers are right.

setup() {
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    TEX=$ROOT/paper/ringscope.tex
    D=$BATS_TEST_TMPDIR/sweep
    export BUILD=$BATS_TEST_TMPDIR/build
    "$ROOT/plots/test/make_summary.sh" "$D"
}

body() { sed -n '/^\\begin{document}/,/\\begin{thebibliography}/p' "$1" | sed '$d' | sed -E 's/(^|[^\\])%.*/\1/'; }
# A digit, or a number written out that is a result rather than an idiom.
typed_numbers() { body "$1" | grep -nE '[0-9]' || true; }
macro() { sed -n "s/^\\\\newcommand{\\\\rs$1}{\(.*\)}$/\1/p" "$BATS_TEST_TMPDIR/numbers.tex"; }
numbers() {
    "$ROOT/plots/verdicts.sh" "$D" > /dev/null || true
    "$ROOT/paper/macros.sh" "$D" > "$BATS_TEST_TMPDIR/numbers.tex"
}
one_line() { [ "$(printf '%s\n' "$output" | wc -l)" -eq 1 ]; }

@test "no digit is typed between begin{document} and the bibliography" {
    [ -n "$(body "$TEX")" ]
    [ -z "$(typed_numbers "$TEX")" ]
}

@test "that check sees a number typed into the results" {
    sed 's/^\\section{Results}/&\nHybrid took 0.3 interrupts per packet./' "$TEX" > "$BATS_TEST_TMPDIR/bad.tex"
    [[ $(typed_numbers "$BATS_TEST_TMPDIR/bad.tex") == *'0.3 interrupts'* ]]
}

@test "every macro the text uses is generated, whichever branch is taken" {
    numbers
    grep -oE '\\rs[A-Z][A-Za-z]*' "$TEX" | sort -u > "$BATS_TEST_TMPDIR/used"
    grep -oE '\\rs[A-Z][A-Za-z]*' "$BATS_TEST_TMPDIR/numbers.tex" | sort -u > "$BATS_TEST_TMPDIR/made"
    [ -s "$BATS_TEST_TMPDIR/used" ]
    [ -z "$(comm -23 "$BATS_TEST_TMPDIR/used" "$BATS_TEST_TMPDIR/made")" ]
}

@test "every figure the text includes is one that plots/ draws" {
    "$ROOT/plots/figures.sh" "$D"
    for f in $(grep -oE 'figures/[a-z_]+' "$TEX"); do [ -s "$D/$f.pdf" ]; done
}

@test "the macros carry the sweep's numbers" {
    numbers
    [ "$(macro Cells)" = 48 ]
    [ "$(macro Sent)" = '1\,020\,000' ]
    [ "$(macro PollIrqs)" = 0 ]
    [ "$(macro Git)" = 0123456789ab ]
    [ "$(macro IrqsHybridOnHigh)" = 0.0303 ]
    [ "$(macro TrendIrqsHybridOn)" = 'fall from 0.667 to 0.0303' ]
    [ "$(macro TrendIrqsIntrOn)" = 'stay at 1' ]
    [ "$(macro TailIntrOnHigh)" = n/a ]
    [ "$(macro ChecksPass)" = 10 ]
    grep -q 'rsemulatedtrue' "$BATS_TEST_TMPDIR/numbers.tex"
}

@test "the macros follow the data" {
    awk -F '\t' -v OFS='\t' 'NR == 1 { for (i = 1; i <= NF; i++) h[$i] = i } NR > 1 && $h["mode"] == "hybrid" && $h["offered_pps"] == 32000 { $h["irqs_per_rx"] = 0.00001234 }
        NR > 1 && $h["mode"] == "poll" && $h["rep"] == 1 { $h["irqs_rx"] = 3 } NR == 9 { $h["chains"] = "" } { print }' "$D/summary.tsv" > "$D/new"
    mv "$D/new" "$D/summary.tsv"
    numbers
    [ "$(macro TrendIrqsHybridOn)" = 'fall from 0.667 to $1.23\times 10^{-5}$' ]
    [ "$(macro PollIrqs)" = 24 ]
    [ "$(macro ChecksFail)" = 1 ]
    # A total of some cells would look like one of all.
    [ "$(macro Chains)" = n/a ]
}

@test "manifest text is escaped for LaTeX" {
    numbers
    [ "$(macro Qemu)" = 'synthetic \textless{}1.0\textgreater{} \& none' ]
    sed -i 's/"kernel": "none"/"kernel": "a_b 50% \\\\x {#1} ~^"/' "$D/manifest.json"
    numbers
    [ "$(macro Kernel)" = 'a\_b 50\% \textbackslash{}x \{\#1\} \textasciitilde{}\textasciicircum{}' ]
}

need_latex() { command -v latexmk > /dev/null || skip "latexmk is not installed"; }

@test "the paper builds, without an undefined reference or macro, emulated" {
    need_latex
    sed -i 's/"kernel": "none"/"kernel": "a_b 50% \\\\x {#1} ~^"/' "$D/manifest.json"
    run "$ROOT/paper/build.sh" "$D"
    [ "$status" -eq 0 ]
    [ -s "$D/paper.pdf" ]
    ! grep -qiE 'undefined|^!' "$BUILD/paper/sweep/ringscope.log"
    if command -v pdftotext > /dev/null; then
        pdftotext "$D/paper.pdf" - | tr '\n' ' ' | grep -q 'Emulated: counts only'
    fi
}

@test "the paper builds for a measured sweep without timeline, and drops the tag" {
    need_latex
    "$ROOT/plots/test/make_summary.sh" "$D" 0
    rm "$D"/cells/*/timeline.tsv
    run "$ROOT/paper/build.sh" "$D"
    [ "$status" -eq 0 ]
    ! grep -qiE 'undefined|^!' "$BUILD/paper/sweep/ringscope.log"
    if command -v pdftotext > /dev/null; then
        pdftotext "$D/paper.pdf" - | tr '\n' ' ' > "$D/text"
        ! grep -qi 'emulated: counts only' "$D/text"
        grep -q 'At the lowest load the median latency is' "$D/text"
    fi
}

@test "a sweep that fails a check still gets its paper, with the failure in it" {
    need_latex
    awk -F '\t' -v OFS='\t' 'NR == 1 { for (i = 1; i <= NF; i++) h[$i] = i } NR == 5 { $h["stalls"] = 1 } { print }' "$D/summary.tsv" > "$D/new"
    mv "$D/new" "$D/summary.tsv"
    run "$ROOT/paper/build.sh" "$D"
    [ "$status" -eq 0 ]
    grep -q 'stalls = 0 & 48 & \\textbf{fail}' "$BUILD/paper/sweep/verdicts.tex"
}

@test "no such sweep, no argument, missing LaTeX: one clear line each" {
    run "$ROOT/paper/build.sh" no-such-sweep
    [ "$status" -ne 0 ]; one_line; [[ $output == *"no such directory"* ]]
    run "$ROOT/paper/build.sh"
    [ "$status" -ne 0 ]; one_line; [[ $output == *usage* ]]
    # A path with everything but LaTeX.
    mkdir "$BATS_TEST_TMPDIR/bin"
    for t in bash awk sed sort cut dirname basename mktemp rm mv cp cat mkdir grep tr; do ln -s "$(command -v $t)" "$BATS_TEST_TMPDIR/bin/$t"; done
    PATH=$BATS_TEST_TMPDIR/bin run "$ROOT/paper/build.sh" "$D"
    [ "$status" -ne 0 ]; one_line; [[ $output == *"apt install latexmk"* ]]
}

@test "the scripts are shellcheck clean" {
    shellcheck -x "$ROOT"/paper/*.sh
}
