# The bench's form: its tables, its arithmetic and what it refuses. Never its speed.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    export BUILD=${BUILD:-$PWD/build}
    export RESULTS=$BATS_TEST_TMPDIR/results
    here=experiments/bench
}

with_peers() {
    command -v valgrind >/dev/null || skip "no valgrind here: apt-get install valgrind"
    [[ -x $BUILD/experiments/peers/dpdk_driver ]] || skip "no peer here: apt-get install dpdk-dev, make bench-built"
    (($(nproc) > 1)) || skip "one CPU"
}

# Samples of one case: samples OURS... -- PEER..., frames per second
samples() {
    local side=ours pair=0
    printf 'name\tpair\tside\tpps\tus\tbackend_busy\n'
    for value in "$@"; do
        if [[ $value == -- ]]; then
            side=peer pair=0
            continue
        fi
        awk -v OFS='\t' -v pair=$pair -v side=$side -v pps="$value" 'BEGIN { print "a", pair, side, pps, 1e6 / pps, 0.5 }'
        pair=$((pair + 1))
    done
}

# ratio UNITS: of the samples on stdin, the row without name
ratio() {
    echo "a $1" >"$BATS_TEST_TMPDIR/units"
    cat >"$BATS_TEST_TMPDIR/samples"
    awk -f $here/ratio.awk "$BATS_TEST_TMPDIR/units" "$BATS_TEST_TMPDIR/samples" | tail -n 1
}

@test "ratio: medians of both, and the median of the pairs' ratios" {
    row=$(samples 200 300 1000 -- 100 200 250 | ratio pps)
    echo "$row"
    [[ $row == $'a\t300\t200\tdpdk-virtio-user\tpps\t2.000\t1.500\t4.000\t3\t0.5\t0.5' ]]
}

@test "ratio: less time is better" {
    row=$(samples 200 200 -- 100 100 | ratio us)
    echo "$row"
    [[ $row == $'a\t5000\t10000\tdpdk-virtio-user\tus\t2.000\t2.000\t2.000\t2\t0.5\t0.5' ]]
}

@test "ratio: the interval holds the ratio, and is the same each time" {
    first=$(samples 110 90 105 120 95 101 130 99 -- 100 100 100 100 100 100 100 100 | ratio pps)
    second=$(samples 110 90 105 120 95 101 130 99 -- 100 100 100 100 100 100 100 100 | ratio pps)
    echo "$first"
    [[ $first == "$second" ]]
    awk -F '\t' '{ exit !($6 == "1.030" && $7 < 1.03 && $7 >= 0.9 && $8 > 1.03 && $8 <= 1.3) }' <<<"$first"
}

@test "selfcost: by source file, object or function; inlined code by its own file, calls not at all" {
    cat >"$BATS_TEST_TMPDIR/profile" <<'PROFILE'
events: Ir
ob=(1) /bin/program
fl=(1) /src/virtio_net/tx.c
fn=(1) vnet_tx
10 5
fi=(2) /src/virtio_net/vring.h
11 7
fe=(1)
+2 1
cob=(2) /lib/pool.so
cfi=(3) /src/pool.c
cfn=(2) pool_get
calls=3 20
13 900
14 2

ob=(2)
fl=(3)
fn=(2)
20 40
PROFILE
    cost() { awk -v files="$1" -v objects="$2" -v functions="$3" -f $here/selfcost.awk "$BATS_TEST_TMPDIR/profile"; }
    [[ $(cost 'virtio_net/' '' '') == 15 ]]
    [[ $(cost 'vring.h' '' '') == 7 ]]
    [[ $(cost '' 'pool[.]so' '') == 40 ]]
    [[ $(cost '' '' '^pool_get$') == 40 ]]
    [[ $(cost 'virtio_net/' '' '^pool_') == 55 ]]
    [[ $(cost '' '' '') == 0 ]]
}

@test "what it does not know it refuses in one line" {
    with_peers
    run -1 env BENCH=fast $here/bench.sh
    [[ $output == "bench.sh: BENCH=fast: full or quick" ]]
    BENCH=quick run -1 $here/bench.sh nothing
    [[ $output == "bench.sh: no case is named nothing; there are: tx_64_split "* && ${#lines[@]} == 1 ]]
    run -2 $here/cases.sh
    run -2 "$BUILD/experiments/peers/dpdk_driver" --no-huge --no-pci --no-shconf --no-telemetry --log-level=4 -m 64 -l 0 -- --do tx --ring x
    [[ ${lines[-1]} == "dpdk_driver: --ring: give 2 to 32768" ]]
    run -2 "$BUILD/experiments/peers/vhost_backend" --no-huge --no-pci --no-shconf --no-telemetry --log-level=4 -m 64 -l 0 -- --do tx
    [[ ${lines[-1]} == "vhost_backend: --do: sink, source, both or echo" ]]
}

@test "instructions: the same in every run, fewer without the checks, more with the trace on" {
    with_peers
    instructions() {
        valgrind --tool=callgrind --callgrind-out-file="$BATS_TEST_TMPDIR/profile" \
            "$BUILD/experiments/bench/$1/in_process" rx "$2" 32 3200 "${@:3}" 2>/dev/null
        awk -v files='virtio_net/|trace/' -f $here/selfcost.awk "$BATS_TEST_TMPDIR/profile"
    }
    for format in split packed; do
        plain=$(instructions plain $format) again=$(instructions plain $format)
        unchecked=$(instructions unchecked $format) traced=$(instructions trace $format trace)
        echo "$format: $plain = $again, unchecked $unchecked, traced $traced"
        ((plain > 3200 * 20 && plain == again && unchecked < plain && traced > plain))
    done
}

@test "quick: every case has its row, every row its columns" {
    with_peers
    BENCH=quick $here/bench.sh
    cat "$RESULTS/bench/bench.tsv"
    awk -F '\t' '
        NR == 1 { exit_if = ($0 !~ /^name\tours\tpeer\tpeer_name\tunit\tratio\tci_lo\tci_hi\tn\t/); columns = NF; next }
        {
            rows[$1]++
            if (NF != columns || !($2 > 0 && $3 > 0 && $6 > 0 && $7 > 0) || $7 > $6 || $6 > $8 || $9 < 1) { print "row: " $0; bad = 1 }
            if ($5 !~ /^(pps|us|cpu_ns|instructions)$/ || $4 !~ /^(dpdk-virtio-user|plain|unchecked)$/) { print "unit or peer: " $0; bad = 1 }
        }
        END {
            n = split("tx_64_split rx_64_packed ping_hybrid_64_split ping_hybrid_64_split_cpu instr_tx_64_split instr_rx_64_split " \
                "instr_rx_split_burst32_checks instr_rx_split_burst32_trace_on instr_rx_split_burst32_fault", want, " ")
            for (i = 1; i <= n; i++) if (rows[want[i]] != 1) { print "rows of " want[i] ": " rows[want[i]] + 0; bad = 1 }
            exit bad || exit_if
        }' "$RESULTS/bench/bench.tsv"
    # Both sides ran with the same rings and headers: all but the way of suppression is equal.
    awk -F '\t' 'NR > 1 { f[$1, $3] = $9; names[$1] } END { for (n in names) if (f[n, "ours"] == "" || f[n, "peer"] == "") exit 1 }' \
        "$RESULTS/bench/samples.tsv"
}
