#!/usr/bin/env bash
# Writes a small, deterministic and plainly synthetic sweep directory for the tests.
# The numbers follow a formula; they are no measurement of anything.
# usage: make_summary.sh DIR [emulated 0|1 [repetitions]]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: make_summary.sh DIR [emulated [repetitions]]" >&2; exit 1; }
dir=$1 emulated=${2:-1} reps=${3:-2}
mkdir -p "$dir/cells"

summary() {
    awk -v emulated="$emulated" -v reps="$reps" '
    BEGIN {
        OFS = "\t"
        print "sweep", "cell", "rep", "host", "accel", "emulated", "backend", "mode", "strategy", "event_idx",
            "ring_size", "frame_bytes", "offered_pps", "sent", "delivered", "lost", "tx_packets", "rx_packets",
            "tx_kicks", "tx_kicks_suppressed", "rx_kicks", "irqs_rx", "irqs_tx", "irqs_spurious", "polls",
            "polls_empty", "arm_races", "host_tx_kicks", "host_rx_kicks", "host_calls", "host_calls_suppressed",
            "chains", "chains_complete", "unmatched", "stalls", "trace_lost", "clock_bound_us", "kicks_per_tx",
            "irqs_per_rx", "p50_us", "p99_us", "p999_us", "achieved_pps", "drops_tap", "drops_guest", "drops_host",
            "rescues", "drained", "offered", "drops_send", "drops_foreign"
        modes = split("poll intr hybrid", mode, " ")
        loads = split("500 2000 8000 32000", load, " ")
        for (rep = 1; rep <= reps; rep++) for (m = 1; m <= modes; m++) for (e = 1; e >= 0; e--) for (l = 1; l <= loads; l++)
            cell(rep, mode[m], e, load[l])
    }
    function cell(rep, mode, e, load,   sent, lost, rx, kicks, irqs, rxk, us) {
        sent = load * 2
        # Interrupt mode alone is overloaded at the top load.
        lost = (mode == "intr" && load == 32000) ? int(sent / 8) + rep : 0
        rx = sent - lost
        kicks = int(rx * (e ? 0.5 : 0.8) / (1 + load / 4000)) + rep
        irqs = mode == "poll" ? 0 : mode == "intr" ? rx - int(rx / 10) * (1 - e) : int(rx / (1 + load / 1000)) + rep
        rxk = int(rx / 100) + 1
        us = (mode == "poll" ? 20 : mode == "hybrid" ? 30 : 60) * (1 + load / 16000) + rep
        print "synthetic", sprintf("%s%d%05d%d", substr(mode, 1, 1) "e", e, load, rep), rep, "nohost", "tcg", emulated,
            "vhost-net", mode, mode == "hybrid" ? "budget" : "none", e, 256, 64, load, sent, rx, lost, rx, rx,
            kicks, rx - kicks, rxk, irqs, 0, 0, rx, int(rx / 3), 0, kicks, rxk, irqs, 0,
            kicks, kicks, 0, 0, 0, 1.5, kicks / rx, irqs / rx, us, us * 3, us * 5, load, lost, 0, 0, 0, 1, sent, 0, 1
    }'
}

timeline() {
    printf '# mode hybrid\n# queue tx\n# ordinal 7\n# clock_bound_us 1.5\n'
    printf 'lane\tstart_us\tend_us\tlabel\n'
    printf 'publish\t0\t0.4\tavail idx 41\nkick\t0.4\t3.1\tdoorbell write\nvhost service\t9.5\t44\t12 buffers\n'
    printf 'call\t44\t44.2\teventfd\nirq\t52\t53\tvector 1\nharvest\t53.5\t71\t12 frames\n'
}

summary > "$dir/summary.tsv"
awk -F '\t' 'NR > 1 { print $2 }' "$dir/summary.tsv" | while read -r c; do mkdir -p "$dir/cells/$c"; done
timeline > "$dir/cells/he1080001/timeline.tsv"
cat > "$dir/manifest.json" <<JSON
{ "sweep": "synthetic", "git": "0123456789abcdef0123456789abcdef01234567", "qemu": "synthetic <1.0> & none",
  "kernel": "none", "compiler": "none", "bpftrace": "none", "machine": "none", "accel": "tcg",
  "emulated": $([ "$emulated" = 1 ] && echo true || echo false), "why_emulated": "synthetic test data", "health": "none \"quoted\"" }
JSON
