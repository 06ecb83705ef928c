#!/usr/bin/env bats
# make bench-trace: that it builds and fills its table. Never its speed.
# shellcheck disable=SC2154 # bats sets status and output
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    export BUILD=${BUILD:-$PWD/build} RESULTS=$BATS_TEST_TMPDIR/results
    echo '#include <lttng/tracepoint.h>' | gcc -E - >/dev/null 2>&1 ||
        skip "no LTTng-UST here: apt-get install liblttng-ust-dev"
    make -s bench-trace-built SETUP=no
}

@test "bench-trace: without a session the rows that need none are there" {
    LTTNG_UST_REGISTER_TIMEOUT=0 run "$BUILD/trace/bench/trace_cost" samples 2 1000
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = $'name\tpair\tside\tns' ]
    # Three rows without LTTng, two sides, two rounds.
    [ "${#lines[@]}" -eq 13 ]
    awk -F '\t' 'NR > 1 && !($4 > 0) { exit 1 }' <<<"$output"
    run -2 "$BUILD/trace/bench/trace_cost" run fast 1
}

@test "bench-trace: every row has a ratio, and the trace that is on has LTTng-UST beside it" {
    command -v lttng-sessiond >/dev/null || skip "no lttng-sessiond here: apt-get install lttng-tools"
    command -v valgrind >/dev/null || skip "no valgrind here: apt-get install valgrind"
    BENCH=quick run trace/bench/trace.sh
    echo "$output"
    [ "$status" -eq 0 ]
    awk -F '\t' '
        NR == 1 { if ($0 != "name\tours\tpeer\tpeer_name\tunit\tratio\tci_lo\tci_hi\tn") exit 1; next }
        NF != 9 || !($2 > 0 && $3 > 0 && $6 > 0 && $7 <= $6 && $6 <= $8) { print; bad = 1 }
        { peer[$1] = $4 }
        END { exit bad || peer["trace_on"] != "lttng-ust" || peer["trace_masked"] != "lttng-ust" || peer["instr_trace_on"] == "" }' \
        "$RESULTS/bench/trace.tsv"
}
