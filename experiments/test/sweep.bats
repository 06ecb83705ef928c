#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# From a sweep file to a summary, without any guest: the host is a stub that records what it is asked.

setup() {
    here=$BATS_TEST_DIRNAME/..
    file=$BATS_TEST_TMPDIR/x.sweep
}

expand() {
    awk -f "$here/expand.awk" "$here/params.tsv" "$1"
}

# mistake "LINES" "WHAT IT SAYS": expand.awk refuses with exactly that line, before any cell.
mistake() {
    printf '%b' "$1" >"$file"
    run expand "$file"
    echo "$output"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    # shellcheck disable=SC2053
    [[ "$output" == "$file"$2 ]]
}

# The boot's parameters of a cell: what must not change while a guest runs.
boots() {
    sed 's/ frame_bytes=.*//'
}

@test "demo.sweep: every combination exactly once" {
    expand "$here/sweeps/demo.sweep" >"$BATS_TEST_TMPDIR/cells"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/cells")" -eq 48 ]
    for mode in poll intr hybrid; do
        for event_idx in 0 1; do
            for pps in 50 400 3200 12800; do
                for rep in 1 2; do
                    [ "$(grep -c " mode=$mode event_idx=$event_idx .* offered_pps=$pps .* rep=$rep\$" \
                        "$BATS_TEST_TMPDIR/cells")" -eq 1 ]
                done
            done
        done
    done
}

@test "every cell names every parameter, in the table's order, defaults included" {
    echo 'mode = intr' >"$file"
    run expand "$file"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    want=$(awk -F '\t' '!/^#/ && NF == 5 { printf "%s%s=%s", n++ ? " " : "", $1, $1 == "mode" ? "intr" : $4 }' \
        "$here/params.tsv")
    echo "got  $output"
    echo "want $want"
    [ "$output" = "$want" ]
}

@test "repetitions are the outer blocks" {
    run bash -c "awk -f '$here/expand.awk' '$here/params.tsv' '$here/sweeps/demo.sweep' |
        sed 's/.* rep=//' | uniq -c | xargs"
    [ "$output" = "24 1 24 2" ]
}

@test "the cells of one boot are adjacent inside a block" {
    expand "$here/sweeps/demo.sweep" >"$BATS_TEST_TMPDIR/cells"
    for rep in 1 2; do
        runs=$(grep " rep=$rep\$" "$BATS_TEST_TMPDIR/cells" | boots | uniq | wc -l)
        different=$(grep " rep=$rep\$" "$BATS_TEST_TMPDIR/cells" | boots | sort -u | wc -l)
        echo "block $rep: $runs runs of $different boots"
        [ "$runs" -eq 6 ]
        [ "$different" -eq 6 ]
    done
}

@test "the order is random inside a block and the same every time" {
    first=$(expand "$here/sweeps/demo.sweep")
    sleep 1.1 # a seed taken from the clock, which counts in seconds, would be another one now
    [ "$first" = "$(expand "$here/sweeps/demo.sweep")" ]
    [ "$(grep ' rep=1$' <<<"$first" | boots)" != "$(grep ' rep=1$' <<<"$first" | sort | boots)" ]
    [ "$(grep ' rep=1$' <<<"$first" | boots | uniq)" != "$(grep ' rep=2$' <<<"$first" | boots | uniq)" ]
    # Four loads a boot: not in the same order for all of them.
    [ "$(grep -o 'offered_pps=[0-9]*' <<<"$first" | paste -d ' ' - - - - | sort -u | wc -l)" -gt 1 ]
}

@test "comments and blank lines count as lines and say nothing" {
    printf '# a\n\n  mode = poll # b\n' >"$file"
    run expand "$file"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    mistake '# a\n\nmode = nap\n' ":3: mode cannot be 'nap'; choose from poll|intr|hybrid"
}

@test "a sweep file's mistakes: one line with the place and the remedy" {
    mistake 'speed = 1\n' ":1: unknown parameter 'speed'; known: backend mode *"
    mistake 'mode = poll sleep\n' ":1: mode cannot be 'sleep'; choose from poll|intr|hybrid"
    mistake 'mode = poll|intr\n' ":1: mode cannot be 'poll|intr'; choose from poll|intr|hybrid"
    mistake 'seconds = three\n' ":1: seconds cannot be 'three'; give a number from 1 to 3600"
    mistake 'seconds = 1.5\n' ":1: seconds cannot be '1.5'; *"
    mistake 'seconds = -1\n' ":1: seconds cannot be '-1'; *"
    mistake 'seconds = 0\n' ":1: seconds cannot be '0'; give a number from 1 to 3600"
    mistake 'frame_bytes = 1515\n' ":1: frame_bytes cannot be '1515'; give a number from 60 to 1514"
    mistake 'seed = 08\n' ":1: seed cannot be '08'; *"
    mistake 'rep = 1\nmode = poll\nrep = 2\n' ":3: 'rep' is given twice, first in line 1"
    mistake 'mode = poll intr poll\n' ":1: level 'poll' of 'mode' is given twice"
    mistake 'mode =\n' ":1: 'mode' has no level; give at least one value"
    mistake 'mode poll\n' ":1: expected 'parameter = level level ...'"
    mistake 'ring_size = 100\n' ":1: ring_size cannot be '100'; give a power of two"
    mistake '# nothing\n' ": no parameter given; *"
    mistake '' ": no parameter given; *"
}

@test "a power of two is taken as one" {
    for size in 2 64 256; do
        echo "ring_size = $size" >"$file"
        expand "$file"
    done
}

# summary.tsv -----------------------------------------------------------------------------------

# The columns of the design, in order; the table may only add behind them.
columns='sweep cell rep host accel emulated backend mode strategy event_idx ring_size frame_bytes
offered_pps sent delivered lost tx_packets rx_packets tx_kicks tx_kicks_suppressed rx_kicks irqs_rx
irqs_tx irqs_spurious polls polls_empty arm_races host_tx_kicks host_rx_kicks host_calls
host_calls_suppressed chains chains_complete unmatched stalls trace_lost clock_bound_us kicks_per_tx
irqs_per_rx p50_us p99_us p999_us'

column() {
    awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        { print at ? $at : "no column " name }' "$BATS_TEST_TMPDIR/sweep/summary.tsv"
}

synthetic_cell() {
    local cell=$BATS_TEST_TMPDIR/sweep/cells/$1
    mkdir -p "$cell"
    printf '%s\t%s\n' param:rep 2 param:mode hybrid param:event_idx 1 param:ring_size 256 \
        param:backend vhost-net host:sweep x host:cell "$1" host:emulated 1 >"$cell/cell.tsv"
    printf '%s\t%s\n' sent 300 delivered 299 tx_packets 299 tx_kicks 100 tx_kicks_suppr_flag 3 \
        tx_kicks_suppr_event 4 rx_packets 0 rx_irqs 5 rx_polls 7 tx_polls 8 rx_irqs_spurious 1 \
        tx_irqs_spurious 2 tap_tx_dropped 9 send_failed 4 clock_bound_us 1.25 p50_us '' \
        host_calls 123456789012 >"$cell/counters.tsv"
    touch "$cell/DONE"
    echo "$1 ignored" >>"$BATS_TEST_TMPDIR/sweep/cells.txt"
}

@test "summary.tsv has the columns of the design, in order, and names none twice" {
    run awk -v header=1 -f "$here/summarize.awk" "$here/columns.tsv"
    read -ra got <<<"$output"
    read -rd '' -ra want <<<"$columns" || true
    echo "${got[*]}"
    [ "${got[*]:0:${#want[@]}}" = "${want[*]}" ]
    [ "$(tr '\t' '\n' <<<"$output" | sort | uniq -d)" = "" ]
}

@test "summarize: copies, sums, differences, ratios, empty where not measured" {
    synthetic_cell abc
    "$here/summarize.sh" "$BATS_TEST_TMPDIR/sweep"
    cat "$BATS_TEST_TMPDIR/sweep/summary.tsv"
    [ "$(column cell)" = abc ]
    [ "$(column rep)" = 2 ]
    [ "$(column mode)" = hybrid ]
    [ "$(column strategy)" = "" ]
    [ "$(column sent)" = 300 ]
    [ "$(column tx_kicks_suppressed)" = 7 ]
    [ "$(column polls)" = 15 ]
    [ "$(column irqs_spurious)" = 3 ]
    [ "$(column drops_send)" = 4 ]
    [ "$(column drops_tap)" = 5 ]
    [ "$(column clock_bound_us)" = 1.25 ]
    [ "$(column host_calls)" = 123456789012 ]
    [ "$(column kicks_per_tx)" = 0.334448 ]
    [ "$(column irqs_per_rx)" = "" ]
    [ "$(column p50_us)" = "" ]
    [ "$(column chains)" = "" ]
    [ "$(column polls_empty)" = "" ]
    [ "$(awk -F '\t' '{ print NF }' "$BATS_TEST_TMPDIR/sweep/summary.tsv" | uniq | wc -l)" -eq 1 ]
}

@test "summarize: finished cells only, in the order of the run" {
    synthetic_cell bbb
    synthetic_cell ccc
    synthetic_cell aaa
    rm "$BATS_TEST_TMPDIR/sweep/cells/ccc/DONE"
    "$here/summarize.sh" "$BATS_TEST_TMPDIR/sweep"
    [ "$(column cell | xargs)" = "bbb aaa" ]
}

# manifest.json ---------------------------------------------------------------------------------

# flat_json FILE: one object, one member a line, strings escaped, no name twice.
flat_json() {
    cat "$1"
    awk '
        NR == 1 { if ($0 != "{") exit 1; next }
        $0 == "}" { closed = 1; if (comma || !members) exit 1; next }
        closed { exit 1 }
        members && !comma { exit 1 }
        !/^  "[A-Za-z0-9_]+": ("([^"\\]|\\["\\])*"|0|[1-9][0-9]*),?$/ || /[\001-\037]/ { print "bad: " $0; exit 1 }
        { members++; comma = /,$/; if (seen[$1]++) { print "twice: " $1; exit 1 } }
        END { if (!closed) exit 1 }' "$1"
}

@test "a cell's manifest is flat JSON with quotes, backslashes and control characters escaped" {
    printf '%s\t%s\n' param:mode intr param:seconds 3 param:seed 0 host:cell 0012 host:host lab \
        >"$BATS_TEST_TMPDIR/cell.tsv"
    printf 'os=Debian "12" \\ x\t=y\nkernel=6.1\ncpus=2\n' >"$BATS_TEST_TMPDIR/host.txt"
    "$here/manifest.sh" "$BATS_TEST_TMPDIR/cell.tsv" "$BATS_TEST_TMPDIR/host.txt" >"$BATS_TEST_TMPDIR/m"
    flat_json "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "mode": "intr",' "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "seconds": 3,' "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "seed": 0,' "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "cell": "0012",' "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "host_os": "Debian \"12\" \\ x =y",' "$BATS_TEST_TMPDIR/m"
    grep -E '^  "git": "[0-9a-f]{12}(-modified)?",$' "$BATS_TEST_TMPDIR/m" ||
        grep -Fx '  "git": "unknown",' "$BATS_TEST_TMPDIR/m"
}

@test "a sweep's manifest counts the finished cells, also of a sweep of thousands" {
    synthetic_cell aaa
    synthetic_cell bbb
    rm "$BATS_TEST_TMPDIR/sweep/cells/bbb/DONE"
    # Enough for their names to overflow a pipe.
    mkdir "$BATS_TEST_TMPDIR"/sweep/cells/c{1000..3000}
    touch "$BATS_TEST_TMPDIR"/sweep/cells/c{1000..3000}/cell.tsv
    echo kernel=6.1 >"$BATS_TEST_TMPDIR/sweep/host.txt"
    "$here/manifest.sh" --sweep "$BATS_TEST_TMPDIR/sweep" >"$BATS_TEST_TMPDIR/m"
    flat_json "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "sweep": "sweep",' "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "cells": 1,' "$BATS_TEST_TMPDIR/m"
    grep -Fx '  "emulated": 1,' "$BATS_TEST_TMPDIR/m"
}

# progress --------------------------------------------------------------------------------------

@test "progress: the bar counts cells of earlier runs, the estimate only those of this one" {
    # shellcheck source=experiments/progress.sh
    . "$here/progress.sh"
    # The shell's clock stands still, so that the arithmetic can be exact.
    unset SECONDS
    SECONDS=0
    run progress_start 6 2
    [ "$output" = "2 cells are finished already; 6 to go" ]
    progress_start 6 2
    run progress_show 0 first
    [ "$output" = "[######..................] 2/8  first" ]
    SECONDS=100
    run progress_show 2 third
    [ "$output" = "[############............] 4/8, about 3:20 left  third" ]
    run progress_show 6 end
    [ "$output" = "[########################] 8/8, about 0:00 left  end" ]
}

# sweep.sh --------------------------------------------------------------------------------------

# A tree with the real sweep.sh whose host is a stub: host_run logs what would run there; a cell
# for which $tree/on_cell says so fails, or the sweep is interrupted in it.
stub_tree() {
    tree=$BATS_TEST_TMPDIR/tree
    export BUILD=$tree/build RESULTS=$tree/results
    mkdir -p "$tree"/experiments/sweeps "$RESULTS"
    cp "$here"/{sweep.sh,progress.sh,interruptible.sh,expand.awk,params.tsv,columns.tsv,summarize.sh,summarize.awk,manifest.sh} \
        "$tree/experiments/"
    touch "$tree/on_cell"
    cat >"$tree/experiments/host.sh" <<'STUB'
host_open() { host_name=lab; }
host_deploy() { :; }
host_get() { :; }
host_run() {
    case $1 in
    *accel.sh*) echo tcg ;;
    *guest/pid*) echo 42 ;;
    *guest.sh\ start*) echo "boot ${1#*start }" >>"$tree/log" ;;
    *cell.sh*)
        echo "cell ${1#*cell.sh cell }" >>"$tree/log"
        local text what
        while read -r what text; do
            [[ $1 == *"$text"* ]] || continue
            [[ $what != interrupt ]] || kill -INT $$
            [[ $what != fail ]] || return 1
        done <"$tree/on_cell"
        ;;
    *uname*) echo kernel=6.1 ;;
    esac
}
STUB
    cat >"$tree/experiments/finish_cell.sh" <<'STUB'
#!/usr/bin/env bash
printf 'sent\t7\n' >"$1/counters.tsv"
STUB
    chmod +x "$tree/experiments/finish_cell.sh"
    export tree
    printf 'mode = poll intr\noffered_pps = 10 20\nrep = 1 2\n' >"$tree/experiments/sweeps/tiny.sweep"
}

logged() {
    grep -c "^$1" "$tree/log" || true
}

finished() {
    find "$RESULTS/tiny/cells" -name DONE | wc -l
}

sweep() {
    : >"$tree/log"
    # A suite run in the background hears no INT, and a shell cannot undo that.
    run env --default-signal=INT "$tree/experiments/sweep.sh" "$@"
    echo "$output"
}

@test "sweep.sh: an unknown name lists the sweeps there are" {
    run "$here/sweep.sh" nosuch
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"no sweep named 'nosuch'; there are: "*demo* ]]
}

@test "sweep.sh: runs every cell, one boot for adjacent ones, and summarises" {
    stub_tree
    sweep tiny
    [ "$status" -eq 0 ]
    [ "$(finished)" -eq 8 ]
    [ "$(logged cell)" -eq 8 ]
    [ "$(logged boot)" -ge 3 ] && [ "$(logged boot)" -le 4 ]
    [ "$(wc -l <"$RESULTS/tiny/summary.tsv")" -eq 9 ]
    flat_json "$RESULTS/tiny/manifest.json"
    for cell in "$RESULTS"/tiny/cells/*; do
        flat_json "$cell/manifest.json" >/dev/null
    done
    # Every cell has a number of its own: the marks in the host's log are told apart by it.
    [ "$(grep -o 'number=.*' "$tree/log" | sort -u | wc -l)" -eq 8 ]
}

@test "sweep.sh: the seed differs by repetition and nothing else" {
    stub_tree
    printf 'seed = 5\nrep = 1 3\n' >"$tree/experiments/sweeps/tiny.sweep"
    sweep tiny
    [ "$status" -eq 0 ]
    [ "$(grep -o ' seed=[0-9]*' "$tree/log" | xargs)" = "seed=6 seed=8" ]
    [ "$(grep '^cell' "$tree/log" | sed 's/ seed=[0-9]*//; s/number=.*//' | sort -u | wc -l)" -eq 1 ]
}

@test "sweep.sh: a finished sweep runs nothing again" {
    stub_tree
    sweep tiny
    sweep tiny
    [ "$status" -eq 0 ]
    [ ! -s "$tree/log" ]
}

@test "sweep.sh: a sweep that grew keeps the cells it has" {
    stub_tree
    sweep tiny
    sed -i 's/10 20/10 20 30/' "$tree/experiments/sweeps/tiny.sweep"
    sweep tiny
    [[ "$output" == *"8 cells are finished already; 4 to go"* ]]
    [ "$(logged cell)" -eq 4 ]
    [ "$(grep -c 'offered_pps=30' "$tree/log")" -eq 4 ]
    [ "$(finished)" -eq 12 ]
    [ "$(wc -l <"$RESULTS/tiny/summary.tsv")" -eq 13 ]
}

@test "sweep.sh: a cell that fails is kept aside, the others finish, the next call retries it" {
    stub_tree
    echo 'fail number=3' >"$tree/on_cell"
    sweep tiny
    [ "$status" -eq 1 ]
    [[ "$output" == *"1 of 8 cells failed; the others are kept, run again to retry"* ]]
    [ "$(finished)" -eq 7 ]
    [ "$(find "$RESULTS/tiny/cells" -name '*.failed' | wc -l)" -eq 1 ]
    : >"$tree/on_cell"
    sweep tiny
    [ "$status" -eq 0 ]
    [ "$(logged cell)" -eq 1 ]
    [ "$(finished)" -eq 8 ]
    [ "$(find "$RESULTS/tiny/cells" -name '*.failed' | wc -l)" -eq 0 ]
}

@test "sweep.sh: interrupted, it loses the cell in flight and says how to go on" {
    stub_tree
    echo 'interrupt number=4' >"$tree/on_cell"
    sweep tiny
    [ "$status" -eq 130 ]
    [[ "$output" == *"interrupted; 3 of 8 cells are finished and kept, run again to go on"* ]]
    : >"$tree/on_cell"
    sweep tiny
    [ "$status" -eq 0 ]
    [ "$(logged cell)" -eq 5 ]
    [ "$(finished)" -eq 8 ]
    [ "$(find "$RESULTS/tiny/cells" -name '*.part' | wc -l)" -eq 0 ]
}

# A shell that does the work cannot also have the trap: see interruptible.sh.
@test "sweep.sh: interrupted amid an expansion, it says so and leaves nothing running" {
    local pid status=0
    stub_tree
    mkdir "$tree/bin"
    cat >"$tree/bin/awk" <<'STUB'
#!/usr/bin/env bash
if [[ $* == *scope=boot* ]] && rm "$tree/interrupt" 2>/dev/null; then
    kill -TERM -- "-$(<"$tree/pid")"
    sleep 0.2
fi
PATH=${PATH#*:} exec awk "$@"
STUB
    chmod +x "$tree/bin/awk"
    touch "$tree/interrupt"
    PATH=$tree/bin:$PATH setsid "$tree/experiments/sweep.sh" tiny >"$tree/out" 2>&1 3>&- &
    pid=$!
    echo "$pid" >"$tree/pid"
    wait "$pid" || status=$?
    cat "$tree/out"
    [ "$status" -eq 130 ]
    [ ! -e "$tree/interrupt" ]
    grep -q "interrupted; 0 of 8 cells are finished and kept, run again to go on" "$tree/out"
    # What the signal has killed may take a moment to be gone.
    for _ in {1..600}; do
        pgrep -f "$tree/experiments/sweep.sh" || return 0
        sleep 0.1
    done
    return 1
}
