#!/usr/bin/env bats
# Tests of plots/ on a small synthetic sweep. No simulator, no root, no network.

setup() {
    PLOTS=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    D=$BATS_TEST_TMPDIR/sweep
    "$BATS_TEST_DIRNAME/make_summary.sh" "$D"
}

# Sets column COL to VALUE in the rows where CONDITION (an awk expression on v["name"]) holds.
change() {
    awk -F '\t' -v OFS='\t' -v col="$1" -v value="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) { h[$i] = i; name[i] = $i }; print; next }
        { for (i = 1; i <= NF; i++) v[name[i]] = $i; if ('"$3"') $h[col] = value; print }' \
        "$D/summary.tsv" > "$D/new" && mv "$D/new" "$D/summary.tsv"
}
drop_column() {
    awk -F '\t' -v drop="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == drop) d = i }
        { s = ""; for (i = 1; i <= NF; i++) if (i != d) s = s (s == "" ? "" : "\t") $i; print s }' \
        "$D/summary.tsv" > "$D/new" && mv "$D/new" "$D/summary.tsv"
}
# The whole line of one check.
verdict() { awk -F '\t' -v c="$1" '$1 == c { print $3 ": " $4 }' "$D/verdicts.tsv"; }
one_line() { [ "$(printf '%s\n' "$output" | wc -l)" -eq 1 ]; }
broken() { # check: fails, and names the cell
    run "$PLOTS/verdicts.sh" "$D"
    [ "$status" -eq 1 ]
    [[ $(verdict "$1") == fail:* ]]
    [[ $(verdict "$1") == *"$2"* ]]
}
open_question() { # check: no failure, but not decided either
    run "$PLOTS/verdicts.sh" "$D"
    [ "$status" -eq 0 ]
    [[ $(verdict "$1") == undecidable:* ]]
}

@test "every figure comes out as table, SVG and PDF" {
    run "$PLOTS/figures.sh" "$D"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    for f in irqs_per_rx kicks_per_tx latency delivered timeline; do
        for e in tsv svg pdf; do [ -s "$D/figures/$f.$e" ]; done
        grep -q '^# tag emulated: counts only$' "$D/figures/$f.tsv"
        grep -q 'emulated: counts only' "$D/figures/$f.svg"
        grep -q 'git 0123456789ab' "$D/figures/$f.svg"
    done
}

@test "the same sweep gives the same tables and pictures" {
    # PDFs left out: cairo puts the time of day into them, compressed in newer versions.
    "$PLOTS/figures.sh" "$D"; cp -r "$D/figures" "$D/first"
    "$PLOTS/figures.sh" "$D"
    diff -r -x "*.pdf" "$D/first" "$D/figures"
}

@test "a measured sweep does not carry the emulated tag" {
    "$BATS_TEST_DIRNAME/make_summary.sh" "$D" 0
    "$PLOTS/report.sh" "$D"
    ! grep -q 'emulated: counts only' "$D/figures/latency.svg" "$D/report.html"
    grep -q 'ran with hardware virtualisation' "$D/report.html"
}

@test "the median over repetitions is right, with minimum, maximum and n" {
    change irqs_per_rx 0.25 'v["mode"] == "intr" && v["event_idx"] == 1 && v["offered_pps"] == 500 && v["rep"] == 1'
    change irqs_per_rx 0.75 'v["mode"] == "intr" && v["event_idx"] == 1 && v["offered_pps"] == 500 && v["rep"] == 2'
    # A third repetition makes the count odd, and its value is out of order.
    awk -F '\t' -v OFS='\t' '{ print } $2 == "ie1005001" { $3 = 3; $2 = "extra"; row = $0 } END { print row }' \
        "$D/summary.tsv" > "$D/new" && mv "$D/new" "$D/summary.tsv"
    change irqs_per_rx 0.9 'v["cell"] == "extra"'
    "$PLOTS/extract.sh" "$D"
    grep -qP '^intr\t1\t500\t3\t0.75\t0.25\t0.9$' "$D/figures/irqs_per_rx.tsv"
    grep -q 'n = 2-3' "$D/figures/irqs_per_rx.tsv"
    change irqs_per_rx '' 'v["cell"] == "extra"'
    "$PLOTS/extract.sh" "$D"
    grep -qP '^intr\t1\t500\t3\t0.5\t0.25\t0.75$' "$D/figures/irqs_per_rx.tsv"
}

@test "polling's exact zero is said in words" {
    "$PLOTS/figures.sh" "$D"
    grep -q 'poll: 0 at every load' "$D/figures/irqs_per_rx.svg"
    ! grep -q '0 at every load' "$D/figures/kicks_per_tx.svg"
}

@test "percentiles stop where more than 1 % is lost, and the figure says so" {
    "$PLOTS/figures.sh" "$D"
    grep -qP '^intr\t1\t32000\t2\tNaN\tNaN' "$D/figures/latency.tsv"
    grep -q '2 of 24 points' "$D/figures/latency.svg"
}

@test "two ring sizes are never pooled" {
    change ring_size 128 'v["rep"] == 2'
    "$PLOTS/figures.sh" "$D"
    grep -q "^# panel ring_size=128$" "$D/figures/irqs_per_rx.tsv"
    grep -q "^# panel ring_size=256$" "$D/figures/irqs_per_rx.p2.tsv"
    grep -q 'n = 1,' "$D/figures/irqs_per_rx.p2.tsv"
    [ -s "$D/figures/irqs_per_rx.p2.pdf" ]
}

@test "a column nobody measured gives a figure that says so" {
    change p50_us '' 1; change p99_us '' 1; change p999_us '' 1
    run "$PLOTS/figures.sh" "$D"
    [ "$status" -eq 0 ]
    grep -q 'not measured' "$D/figures/latency.svg"
}

@test "no timeline in any cell: one line, and the other figures are drawn" {
    rm "$D"/cells/*/timeline.tsv
    run "$PLOTS/figures.sh" "$D"
    [ "$status" -eq 0 ]; one_line
    [[ $output == *"no timeline.tsv"* ]]
    [ ! -e "$D/figures/timeline.svg" ]
    [ -s "$D/figures/latency.svg" ]
}

@test "a timeline with an unknown lane is refused with its line" {
    printf 'nonsense\t1\t2\tx\n' >> "$D/cells/he1080001/timeline.tsv"
    run "$PLOTS/extract.sh" "$D"
    [ "$status" -ne 0 ]; one_line
    [[ $output == *"timeline.tsv: line 12: lane 'nonsense'"* ]]
}

@test "a figure that fails is named, costs no data, and the others are drawn" {
    "$PLOTS/figures.sh" "$D"
    cp -r "$PLOTS" "$BATS_TEST_TMPDIR/plots"
    echo 'nonsense' > "$BATS_TEST_TMPDIR/plots/delivered.gp"
    before=$(md5sum < "$D/figures/delivered.svg")
    rm "$D/figures/latency.svg"
    run "$BATS_TEST_TMPDIR/plots/figures.sh" "$D"
    [ "$status" -eq 1 ]
    [[ $output == *"delivered.tsv: not drawn as svg"* ]]
    [ "$before" = "$(md5sum < "$D/figures/delivered.svg")" ]
    [ -s "$D/figures/latency.svg" ]
    [ -s "$D/summary.tsv" ]
}

@test "the report holds every figure and refers to nothing outside" {
    run "$PLOTS/report.sh" "$D"
    [ "$status" -eq 0 ]
    for f in irqs_per_rx kicks_per_tx latency delivered timeline; do
        grep -q "<figure id=\"fig-$f\">" "$D/report.html"
        grep -q "id=\"$f-gnuplot_canvas\"" "$D/report.html"
    done
    [ "$(grep -c '<svg' "$D/report.html")" -eq 5 ]
    ! grep -qiE 'https?:|<script|<link|src=|@import|url\(http' "$D/report.html"
    # Every reference stays in the page and finds its target.
    grep -oE "href=[\"']#[^\"']+" "$D/report.html" | sed -E "s/.*#//" | sort -u > "$D/refs"
    grep -oE "id=[\"'][^\"']+" "$D/report.html" | sed -E "s/id=.//" | sort > "$D/ids"
    [ -z "$(sort -u "$D/ids" | comm -23 "$D/refs" -)" ]
    [ -z "$(uniq -d "$D/ids")" ]
    grep -q 'Why emulation changes batch sizes' "$D/report.html"
}

@test "the report escapes what comes from data" {
    change host '<b>&"evil"' 1
    "$PLOTS/report.sh" "$D"
    grep -q '&lt;b&gt;&amp;&quot;evil&quot;' "$D/report.html"
    ! grep -q '<b>&"evil"' "$D/report.html"
    grep -q 'synthetic &lt;1.0&gt; &amp; none' "$D/report.html"
}

@test "the report names cells that failed" {
    mkdir "$D/cells/abc.failed"
    "$PLOTS/report.sh" "$D"
    grep -q 'Cells that failed: 1.*abc.failed' "$D/report.html"
}

@test "the report says when there is no manifest" {
    rm "$D/manifest.json"
    run "$PLOTS/report.sh" "$D"
    [ "$status" -eq 0 ]
    grep -q 'manifest.json is missing' "$D/report.html"
}

@test "the terminal table has one row per combination, and dashes for what is missing" {
    change p50_us '' 1
    run "$PLOTS/table.sh" "$D"
    [ "$status" -eq 0 ]
    [ "$(grep -cE '^(poll|intr|hybrid)' <<< "$output")" -eq 24 ]
    grep -qE '^poll +on +500 .* - +' <<< "$output"
    grep -q 'emulated: counts only' <<< "$output"
}

@test "verdicts: a sound sweep passes every check" {
    run "$PLOTS/verdicts.sh" "$D"
    [ "$status" -eq 0 ]
    [ "$(awk -F '\t' 'NR > 1 && $3 == "pass"' "$D/verdicts.tsv" | wc -l)" -eq 10 ]
    [ "$(head -1 "$D/verdicts.tsv")" = "$(printf 'check\tcells\tverdict\tdetail')" ]
}

@test "verdicts: a frame without a name for its loss" {
    change delivered 15999 'v["cell"] == "he1080001"'
    # One frame the guest called foreign could be it; two missing cannot.
    change drops_foreign 0 'v["cell"] == "he1080001"'
    broken 'offered = delivered + named drops' 'hybrid/on/8000#1 (he1080001)'
}

@test "verdicts: a frame that the guest counted as foreign has a name" {
    change delivered 15999 'v["cell"] == "he1080001"'
    run "$PLOTS/verdicts.sh" "$D"
    [ "$status" -eq 0 ]
}

@test "verdicts: more frames delivered than offered" {
    change delivered 16001 'v["cell"] == "he1080001"'
    broken 'offered = delivered + named drops' he1080001
}

@test "verdicts: frames are undecidable without drop counters" {
    change delivered 15990 'v["cell"] == "he1080001"'
    change drops_tap '' 1
    open_question 'offered = delivered + named drops'
}

@test "verdicts: kicks of guest and host differ, transmit" {
    change host_tx_kicks 1 'v["cell"] == "pe1005001"'
    broken 'guest kicks = host kicks, transmit queue' 'poll/on/500#1 (pe1005001) guest'
}

@test "verdicts: kicks of guest and host differ, receive" {
    change host_rx_kicks 99999 'v["cell"] == "pe1005001"'
    broken 'guest kicks = host kicks, receive queue' pe1005001
}

@test "verdicts: host kicks not measured" {
    change host_tx_kicks '' 'v["cell"] == "pe1005001"'
    open_question 'guest kicks = host kicks, transmit queue'
}

@test "verdicts: an interrupt under polling, on either queue" {
    change irqs_tx 1 'v["cell"] == "pe1005001"'
    broken 'interrupts under polling = 0' pe1005001
    change irqs_tx 0 1; change irqs_rx 1 'v["cell"] == "pe0005002"'
    broken 'interrupts under polling = 0' pe0005002
}

@test "verdicts: no poll cell, nothing to say about polling" {
    change mode intr 'v["mode"] == "poll"'
    open_question 'interrupts under polling = 0'
}

@test "verdicts: a stall" {
    change stalls 1 'v["cell"] == "ie1020001"'
    broken 'stalls = 0' ie1020001
    change stalls '' 1
    open_question 'stalls = 0'
}

@test "verdicts: a ring that had to be rescued, or did not drain" {
    change rescues 2 'v["cell"] == "he0005001"'
    broken 'ring drains without further stimulus' 'rescues 2'
    change rescues 0 1; change drained 0 'v["cell"] == "he0005001"'
    broken 'ring drains without further stimulus' he0005001
    drop_column drained; drop_column rescues
    open_question 'ring drains without further stimulus'
}

@test "verdicts: trace records lost" {
    change trace_lost 3 'v["cell"] == "he0005001"'
    broken 'trace records lost = 0' 'he0005001) 3'
    change trace_lost '' 1
    open_question 'trace records lost = 0'
}

@test "verdicts: many more kicks with EVENT_IDX than without, in five repetitions" {
    change kicks_per_tx 5 'v["mode"] == "hybrid" && v["event_idx"] == 1 && v["offered_pps"] == 8000'
    open_question 'kicks per packet with EVENT_IDX <= without'
    "$BATS_TEST_DIRNAME/make_summary.sh" "$D" 1 5
    change kicks_per_tx 5 'v["mode"] == "hybrid" && v["event_idx"] == 1 && v["offered_pps"] == 8000'
    broken 'kicks per packet with EVENT_IDX <= without' 'hybrid/8000 5 against'
}

@test "verdicts: a few more kicks with EVENT_IDX in one pair prove nothing, in all pairs they do" {
    change kicks_per_tx 0.30 'v["mode"] == "hybrid" && v["event_idx"] == 1 && v["offered_pps"] == 8000'
    open_question 'kicks per packet with EVENT_IDX <= without'
    change kicks_per_tx 0.6 'v["event_idx"] == 1'
    change kicks_per_tx 0.5 'v["event_idx"] == 0'
    broken 'kicks per packet with EVENT_IDX <= without' 'sign test'
}

@test "verdicts: more kicks with EVENT_IDX in all pairs prove nothing where the others came in bursts" {
    change tx_packets 900 1
    change tx_kicks_suppressed 0 1
    change tx_kicks 810 'v["event_idx"] == 1'; change host_tx_kicks 810 'v["event_idx"] == 1'
    change kicks_per_tx 0.9 'v["event_idx"] == 1'
    change tx_kicks 270 'v["event_idx"] == 0'; change host_tx_kicks 270 'v["event_idx"] == 0'
    change kicks_per_tx 0.3 'v["event_idx"] == 0'
    open_question 'kicks per packet with EVENT_IDX <= without'
    cut -f4 "$D/verdicts.tsv" | grep -F '0.9 against 0.3 in bursts of 1.11 against 3.33'
    change tx_kicks_suppressed 540 'v["event_idx"] == 0'
    broken 'kicks per packet with EVENT_IDX <= without' 'sign test'
}

@test "verdicts: a publish kicks more often with EVENT_IDX than without" {
    change tx_kicks_suppressed 0 'v["mode"] == "hybrid" && v["event_idx"] == 1 && v["offered_pps"] == 8000'
    change tx_kicks 100 'v["mode"] == "hybrid" && v["offered_pps"] == 8000'
    change tx_kicks_suppressed 100 'v["mode"] == "hybrid" && v["event_idx"] == 0 && v["offered_pps"] == 8000'
    change host_tx_kicks 100 'v["mode"] == "hybrid" && v["offered_pps"] == 8000'
    broken 'kicks per publish with EVENT_IDX <= without' 'hybrid/8000 1 against 0.5'
}

@test "verdicts: publishes are undecidable where suppression was not counted" {
    change tx_kicks_suppressed '' 1
    open_question 'kicks per publish with EVENT_IDX <= without'
}

@test "verdicts: interrupts of hybrid rise with load" {
    change irqs_per_rx 0.9 'v["mode"] == "hybrid" && v["event_idx"] == 1 && v["offered_pps"] == 32000'
    broken 'hybrid: interrupts per packet fall with load' 'hybrid/on from 0.6675 at 500 to 0.9 at 32000'
}

@test "verdicts: interrupts of hybrid neither fall nor rise" {
    change irqs_per_rx 0.5 'v["mode"] == "hybrid"'
    open_question 'hybrid: interrupts per packet fall with load'
}

@test "verdicts: at most eight cells are named, the rest counted" {
    change stalls 1 'v["mode"] == "intr"'
    broken 'stalls = 0' '16 of 48 fail'
    [[ $(verdict 'stalls = 0') == *'and 8 more' ]]
}

@test "a missing column is one clear line" {
    drop_column irqs_per_rx
    for s in figures table verdicts report extract; do
        run "$PLOTS/$s.sh" "$D"
        [ "$status" -ne 0 ]; one_line
        [[ $output == *"summary.tsv: line 1: column irqs_per_rx is missing"* ]]
    done
}

@test "an empty summary, a header alone, no summary, no directory: one clear line each" {
    head -1 "$D/summary.tsv" > "$D/new"
    : > "$D/summary.tsv"
    run "$PLOTS/figures.sh" "$D"; [ "$status" -ne 0 ]; one_line; [[ $output == *"empty file"* ]]
    mv "$D/new" "$D/summary.tsv"
    run "$PLOTS/figures.sh" "$D"; [ "$status" -ne 0 ]; one_line; [[ $output == *"no cell below the header"* ]]
    rm "$D/summary.tsv"
    run "$PLOTS/report.sh" "$D"; [ "$status" -ne 0 ]; one_line; [[ $output == *"summary.tsv: missing"* ]]
    run "$PLOTS/report.sh" "$D/none"; [ "$status" -ne 0 ]; one_line; [[ $output == *"no such directory"* ]]
    run "$PLOTS/report.sh"; [ "$status" -ne 0 ]; one_line; [[ $output == *usage* ]]
}

@test "a torn line and a wrong value are refused with their line" {
    cp "$D/summary.tsv" "$D/good"
    printf 'torn\tline\n' >> "$D/summary.tsv"
    run "$PLOTS/table.sh" "$D"; [ "$status" -ne 0 ]; one_line; [[ $output == *"line 50: 2 fields where the header has 51"* ]]
    cp "$D/good" "$D/summary.tsv"; change event_idx yes 'v["cell"] == "pe1005001"'
    run "$PLOTS/table.sh" "$D"; [ "$status" -ne 0 ]; one_line; [[ $output == *"line 2: event_idx is 'yes'"* ]]
}

@test "a manifest that is no JSON is refused with its line" {
    printf '{ "git": "x",\n  oops }\n' > "$D/manifest.json"
    run "$PLOTS/extract.sh" "$D"
    [ "$status" -ne 0 ]
    [[ $output == *"manifest.json: line 2: a name was expected"* ]]
}

@test "the scripts are shellcheck clean" {
    shellcheck -x "$PLOTS"/*.sh "$PLOTS"/test/*.sh
}

@test "a sweep of one mode at one load, all zeros, is drawn" {
    awk -F '\t' 'NR == 1 || $2 == "pe1005001"' "$D/summary.tsv" > "$D/new" && mv "$D/new" "$D/summary.tsv"
    change tx_kicks 0 1; change kicks_per_tx 0 1
    run "$PLOTS/figures.sh" "$D"
    [ "$status" -eq 0 ]
    [ -s "$D/figures/kicks_per_tx.pdf" ]
    grep -q 'poll: 0 at every load' "$D/figures/kicks_per_tx.svg"
}

@test "eight loads and a fourth mode are drawn" {
    awk -F '\t' -v OFS='\t' 'NR == 1 { for (i = 1; i <= NF; i++) h[$i] = i; print; next }
        { print; $h["offered_pps"] *= 1.7; $h["mode"] = $h["mode"] == "intr" ? "adaptive" : $h["mode"]; print }' \
        "$D/summary.tsv" > "$D/new" && mv "$D/new" "$D/summary.tsv"
    run "$PLOTS/figures.sh" "$D"
    [ "$status" -eq 0 ]
    grep -q 'adaptive, EVENT_IDX on' "$D/figures/latency.svg"
}
