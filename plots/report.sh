#!/usr/bin/env bash
# Writes RESULTS_DIR/report.html: one file, no script, no link to anywhere outside itself.
# Draws figures and computes verdicts first; a figure that fails is named in its place.
# usage: report.sh RESULTS_DIR
set -euo pipefail
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_results "$@"
results=$1
summary=$results/summary.tsv
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

html_awk() { awk -f "$PLOTS/lib.awk" -f "$PLOTS/html.awk" "$@"; }
escape() { sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'; }

# The different values of a column, numbers by size and words in the order met: what was covered.
levels() {
    html_awk -v want="$1" -f <(cat <<'AWK'
FNR == 1 { header(); next }
{
    v = val(want)
    if (v == "" || v in seen) next
    seen[v] = 1
    for (i = n++; i > 0 && isnum(v) && isnum(list[i]) && list[i] + 0 > v + 0; i--) list[i + 1] = list[i]
    list[i + 1] = v
}
END {
    for (i = 1; i <= n; i++) s = s (i > 1 ? ", " : "") list[i]
    print esc(s == "" ? "not recorded" : s)
}
AWK
    ) "$summary"
}

head_section() {
    printf '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    printf '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>ringscope: %s</title>\n<style>\n' "$sweep"
    cat "$PLOTS/report.css"
    printf '</style>\n</head>\n<body>\n<main>\n<h1>ringscope: %s</h1>\n' "$sweep"
    printf '<p class="lead">How a virtio-net driver and vhost talk: every kick and every interrupt, counted on both sides and joined one by one.</p>\n'
    if [ "$emulated" = 1 ]; then
        printf '<p class="notice"><b>emulated: counts only.</b> These cells ran without hardware virtualisation. Kicks, interrupts, suppression and matching are results. Microseconds, rates per second and CPU shares are not, wherever they appear below.</p>\n'
    else
        printf '<p class="notice real"><b>Measured with hardware virtualisation.</b> Counts and times below are results of the machine named in the manifest, and of that machine only.</p>\n'
    fi
    printf '<nav><a href="#ran">What ran</a><a href="#read">How to read</a><a href="#figures">Figures</a><a href="#checks">Checks</a><a href="#summary">Summary</a><a href="#conclude">Conclusions</a><a href="#manifest">Manifest</a></nav>\n'
}

chips() {
    html_awk -f <(cat <<'AWK'
function chip(n, what, class) { printf "<li><b class=\"%s\">%d</b><span>%s</span></li>\n", class, n, what }
FNR == 1 { header(); file++; next }
file == 1 { cells++; frames += val("sent"); chains += val("chains"); next }
{ v[$3]++; checked += $2 }
END {
    print "<ul class=\"chips\">"
    chip(cells, "cells", ""); chip(frames, "frames sent", ""); chip(chains, "notification chains", "")
    chip(v["pass"], "checks pass", "pass"); chip(v["fail"], "checks fail", v["fail"] ? "fail" : "")
    chip(v["undecidable"], "undecidable", v["undecidable"] ? "undecidable" : ""); print "</ul>"
}
AWK
    ) "$summary" "$results/verdicts.tsv"
}

ran_row() { printf '<tr><td class="t">%s</td><td class="t break">%s</td></tr>\n' "$1" "$2"; }
fact() { local v; v=$(manifest_get "$results/manifest.json" "$@"); escape <<< "${v:-not recorded}"; }

# A cell that never finished is in no table; a reader must still know that it is missing.
failed_cells() {
    local dirs=("$results"/cells/*.failed)
    if [ -d "${dirs[0]}" ]; then
        printf '<p class="notice"><b>Cells that failed: %d.</b> They are in no figure or table: %s.</p>\n' "${#dirs[@]}" \
            "$(printf '%s\n' "${dirs[@]##*/}" | paste -sd' ' | escape)"
    fi
}

ran_section() {
    printf '<h2 id="ran">What ran and where</h2>\n'
    chips
    failed_cells
    printf '<div class="wide"><table>\n'
    ran_row 'Driver modes' "$(levels mode)"
    [ "$(levels strategy)" = 'not recorded' ] || ran_row 'Strategies' "$(levels strategy)"
    ran_row 'EVENT_IDX (1 on, 0 off)' "$(levels event_idx)"
    ran_row 'Offered load [frames/s]' "$(levels offered_pps)"
    ran_row 'Repetitions' "$(levels rep)"
    ran_row 'Ring size, frame bytes' "$(levels ring_size); $(levels frame_bytes)"
    ran_row 'Backend' "$(levels backend)"
    ran_row 'Host, accelerator' "$(levels host); $(levels accel)"
    ran_row 'Git revision' "$(git_of "$results" | escape)"
    ran_row 'QEMU, kernel, bpftrace of the host' "$(fact qemu host_qemu); $(fact kernel host_kernel); $(fact bpftrace host_bpftrace)"
    ran_row 'Processor, compiler' "$(fact machine cpu host_cpu); $(fact compiler)"
    printf '</table></div>\n'
}

read_section() {
    cat <<'HTML'
<h2 id="read">How to read this</h2>
<div class="cols">
<p><b>Kick</b>: the driver writes the doorbell to tell vhost that buffers are ready. <b>Interrupt</b>: vhost signals the driver that buffers were used. Both are expensive; a good mode needs few per packet.</p>
<p><b>poll</b> never takes interrupts. <b>intr</b> takes one whenever the ring allows it. <b>hybrid</b> takes one, then polls while there is work. <b>EVENT_IDX</b> lets each side say from which entry on it wants to hear again.</p>
<p>A point is the <b>median</b> over the repetitions, its bar runs from minimum to maximum, and n stands under every figure. A colour and point shape is one mode in all figures; solid and filled is EVENT_IDX on, dashed and open is off.</p>
<p>Every figure is drawn from the table of the same name in <code>figures/</code>, made from <code>summary.tsv</code>. The revision under a figure is the one that produced it.</p>
</div>
HTML
}

# Several drawings share one page: their ids must differ, and black becomes the page's own
# ink so that the drawing is readable on a dark page too.
inline_svg() { # file prefix title
    awk -f "$PLOTS/html.awk" -v p="$2-" -v title="$3" -f <(cat <<'AWK'
/^<\?xml/ || /<desc>/ || /xmlns/ && !/>/ { next }
/<title>Gnuplot/ { print "<title>" esc(title) "</title>"; next }
/^<svg/ { print "<svg role=\"img\""; next }
{
    gsub(/ color="black"/, ""); gsub(/["']black["']/, "\"currentColor\"")
    gsub(/id='/, "id='" p); gsub(/id="/, "id=\"" p)
    gsub(/xlink:href='#/, "href='#" p); gsub(/xlink:href="#/, "href=\"#" p); gsub(/url\(#/, "url(#" p)
    # A fixed size would not shrink with the page; the view box keeps the proportions.
    sub(/^ *width="[0-9]+" height="[0-9]+"/, "")
    print
}
AWK
    ) "$1"
}

look_for() {
    case $1 in
        irqs_per_rx) echo 'How often a received packet costs an interrupt. Look for intr and hybrid falling as packets arrive closer together than one harvest takes, and for poll at exactly 0. A point in the strip marked 0 is a true zero, which a logarithmic axis cannot hold.' ;;
        kicks_per_tx) echo 'How often a transmitted packet costs a doorbell write. Look for the fall with load: while vhost is at work it sees new buffers without being told. Solid against dashed is EVENT_IDX against flags; a gap inside the bars says nothing (see the conclusions).' ;;
        latency) echo 'Latency counted from the intended send time, so waiting in the generator is not hidden. Look for the gap between the modes at low load and for the bend where a mode saturates. Percentiles stop where more than 1 % of the frames were lost, since survivors alone flatter a mode.' ;;
        delivered) echo 'What arrived against what was offered. Look for the curve leaving the diagonal: a mode that bends over and then falls suffers livelock. The lower panel shows the share of the schedule that arrived, on a linear axis.' ;;
        timeline) echo 'One notification from both sides: the driver publishes a buffer and kicks, vhost serves the ring and calls, the interrupt arrives and the driver harvests. Look for the long lanes and the gaps between them. The bars under the host lanes are the bound on the offset between the two clocks: what is closer than that has no order.' ;;
    esac
}

figure() { # table
    local base=${1%.tsv} name title
    name=$(basename "$base")
    title=$(sed -n 's/^# title //p' "$1")
    printf '<figure id="fig-%s">\n<h3>%s</h3>\n' "$name" "$(escape <<< "$title")"
    if [ -s "$base.svg" ]; then
        inline_svg "$base.svg" "$name" "$title"
    else
        printf '<p class="fail">Not drawn; its table is figures/%s.tsv.</p>\n' "$name"
    fi
    printf '<figcaption>%s <span class="src">Table: figures/%s.tsv%s</span></figcaption>\n</figure>\n' \
        "$(look_for "${name%%.*}")" "$name" "$([ "$emulated" = 1 ] && printf '; emulated: counts only')"
}

figures_of() { # name: its table, and one per further panel
    local t
    for t in "$results/figures/$1.tsv" "$results/figures/$1".p*.tsv; do
        if [ -f "$t" ]; then figure "$t"; fi
    done
}

figures_section() {
    printf '<h2 id="figures">Figures</h2>\n<div class="pair">\n'
    figures_of irqs_per_rx; figures_of kicks_per_tx
    printf '</div>\n'
    figures_of timeline
    if [ ! -f "$results/figures/timeline.tsv" ]; then
        printf '<figure id="fig-timeline"><h3>One notification, end to end</h3><p class="undecidable">No cell of this sweep has a joined chain (cells/*/timeline.tsv), so there is nothing to draw.</p></figure>\n'
    fi
    figures_of latency
    printf '<div class="pair">\n'; figures_of delivered; printf '</div>\n'
}

checks_section() {
    printf '<h2 id="checks">Invariant checks</h2>\n<p>Computed from every cell. A check is undecidable when no cell breaks it but some cell lacks what it needs. Cells are named mode/EVENT_IDX/load#repetition (directory).</p>\n<div class="wide"><table>\n'
    html_awk -f <(cat <<'AWK'
FNR == 1 { print "<tr><th class=\"t\">check</th><th>cells</th><th class=\"t\">verdict</th><th class=\"t\">detail</th></tr>"; next }
{ printf "<tr><td class=\"t\">%s</td><td>%s</td><td class=\"t verdict %s\">%s</td><td class=\"t break\">%s</td></tr>\n", esc($1), esc($2), esc($3), esc($3), esc($4) }
AWK
    ) "$results/verdicts.tsv"
    printf '</table></div>\n'
}

medians_table() {
    medians "$results" | html_awk -f <(cat <<'AWK'
function num(name, fmt,   v) { v = val(name); return v == "" ? "<td class=\"na\">&ndash;</td>" : "<td>" sprintf(fmt, v) "</td>" }
# A percentile over survivors is not shown as if it were one.
function pct(name) { return val("loss_pct_max") > 1 ? "<td class=\"na\">lossy</td>" : num(name, "%.1f") }
FNR == 1 {
    header()
    print "<tr><th class=\"t\">mode</th><th class=\"t\">EVENT_IDX</th><th>load [frames/s]</th><th>n</th><th>sent</th><th>delivered</th><th>loss %</th>" \
        "<th>irqs/rx</th><th>kicks/tx</th><th>chains</th><th>complete</th><th>unmatched</th><th>stalls</th><th>p50 [us]</th><th>p99 [us]</th></tr>"
    next
}
val("panel") != panel { panel = val("panel"); printf "<tr class=\"group\"><td class=\"t\" colspan=\"15\"><b>%s</b></td></tr>\n", esc(panel) }
{
    group = val("mode") val("event_idx")
    printf "<tr%s><td class=\"t\">%s</td><td class=\"t\">%s</td>", group != last ? " class=\"group\"" : "", esc(val("mode")), on_off(val("event_idx"))
    last = group
    print num("offered_pps", "%.0f") num("n", "%d") num("sent", "%.0f") num("delivered", "%.0f") num("loss_pct", "%.2f") \
        num("irqs_per_rx", "%.4f") num("kicks_per_tx", "%.4f") num("chains", "%.0f") num("chains_complete", "%.0f") \
        num("unmatched", "%.0f") num("stalls", "%.0f") pct("p50_us") pct("p99_us") "</tr>"
}
AWK
)
}

full_table() {
    html_awk -f <(cat <<'AWK'
$0 == "" { next }
{
    t = FNR == 1 ? "th" : "td"; printf "<tr>"
    for (i = 1; i <= NF; i++) printf "<%s>%s</%s>", t, $i == "" ? "&ndash;" : esc($i), t
    print "</tr>"
}
AWK
    ) "$summary"
}

summary_section() {
    printf '<h2 id="summary">Summary</h2>\n<p>Medians over n repetitions; a dash was not measured.%s</p>\n<div class="wide"><table>\n' \
        "$([ "$emulated" = 1 ] && printf ' <b>emulated: counts only</b>, so the columns in frames/s and us are no results.')"
    medians_table
    printf '</table></div>\n<details><summary>Every cell, every column</summary>\n<div class="wide"><table>\n'
    full_table
    printf '</table></div>\n</details>\n'
}

conclude_section() {
    printf '<h2 id="conclude">What may and may not be concluded</h2>\n'
    if [ "$emulated" = 1 ]; then cat "$PLOTS/conclude_emulated.html"; else cat "$PLOTS/conclude_measured.html"; fi
}

manifest_section() {
    printf '<h2 id="manifest">Manifest</h2>\n'
    if [ ! -f "$results/manifest.json" ]; then
        printf '<p class="fail">manifest.json is missing, so this sweep cannot be traced to its versions. Do not publish from it.</p>\n'
        return
    fi
    printf '<div class="wide"><table>\n'
    html_awk -f <(cat <<'AWK'
{ printf "<tr><td class=\"t\"><code>%s</code></td><td class=\"t break\">%s</td></tr>\n", esc($1), esc($2) }
AWK
    ) "$work/manifest"
    printf '</table></div>\n'
}

page() {
    head_section; ran_section; read_section; figures_section; checks_section
    summary_section; conclude_section; manifest_section
    printf '</main>\n</body>\n</html>\n'
}

# Neither a figure that fails nor a failed check may cost the reader the report.
status=0
"$PLOTS/figures.sh" "$results" || status=1
rm -f "$results/verdicts.tsv"
"$PLOTS/verdicts.sh" "$results" > /dev/null || true
[ -s "$results/verdicts.tsv" ] || die "$results/verdicts.tsv: not written; see the message above"
manifest_lines "$results/manifest.json" > "$work/manifest"
emulated=$(emulated_of "$results")
sweep=$(levels sweep)
# Aside and renamed: an older report outlives a failed one.
page > "$work/report.html"
mv "$work/report.html" "$results/report.html"
exit "$status"
