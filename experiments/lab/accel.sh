#!/usr/bin/env bash
# Prints the accelerator that guests should use here, kvm or tcg, chosen by booting and timing a
# probe guest under each: /dev/kvm may exist and abort, or run a thousand times slower than it
# should. The evidence goes to stderr and to a file, the choice is remembered for this boot.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${BUILD:-build}
[[ $build == /* ]] || build=$here/../../$build
dir=${ACCEL_DIR:-$build/accel}
qemu=${QEMU:-qemu-system-x86_64}
deadline=${ACCEL_DEADLINE:-60} # seconds for tcg; emulation inside emulation is slow
kvm_slack=${ACCEL_KVM_SLACK:-5}
passed=85 # (42 << 1) | 1: what probe_guest.S leaves through isa-debug-exit
kvm_node=${KVM_NODE:-/dev/kvm}

die() {
    echo "accel.sh: $*" >&2
    exit 1
}

probe_image() {
    local candidate
    for candidate in "${PROBE_GUEST:-}" "$here/probe_guest.bin" \
        "$build/experiments/lab/probe_guest.bin"; do
        if [[ -n $candidate && -f $candidate ]]; then
            echo "$candidate"
            return
        fi
    done
    die "probe_guest.bin is missing: make -f experiments/lab/build.mk lab-probe, or set PROBE_GUEST"
}

# What the choice depends on: another boot, QEMU or device node asks for a new one.
machine_key() {
    local node=no
    [[ ! -e $kvm_node ]] || node=yes
    echo "boot=$(</proc/sys/kernel/random/boot_id) kvm_node=$node qemu=$("$qemu" --version |
        head -n 1 | tr ' ' _)"
}

# Leaves "seconds" on stdout when the probe guest ran to its end in time.
probe() {
    local accel=$1 cpu=$2 image=$3 limit=$4 begin end status=0
    begin=$(date +%s%N)
    (
        ulimit -c 0
        exec timeout --signal=KILL "$limit" "$qemu" -accel "$accel" -cpu "$cpu" -m 16M \
            -bios "$image" -nodefaults -display none -no-reboot \
            -device isa-debug-exit,iobase=0x501,iosize=1
    ) </dev/null >"$dir/$accel.log" 2>&1 || status=$?
    end=$(date +%s%N)
    if ((status == passed)); then
        awk -v ns=$((end - begin)) 'BEGIN { printf "%.3f\n", ns / 1e9 }'
        say "$accel: probe guest ran in $(((end - begin) / 1000000)) ms"
    elif ((status == 137)); then
        say "$accel: probe guest not finished after $limit s, killed"
    else
        say "$accel: probe guest failed with status $status:" \
            "$(tail -n 1 "$dir/$accel.log" | tr -d '\0' | cut -c1-120)"
    fi
}

say() {
    echo "accel.sh: $*" | tee -a "$dir/evidence" >&2
}

choose() {
    local image kvm='' tcg
    image=$(probe_image)
    : >"$dir/evidence"
    tcg=$(probe tcg max "$image" "$deadline")
    if [[ -e $kvm_node ]]; then
        # Whatever takes longer than tcg has lost: there is no reason to wait for its end.
        kvm=$(probe kvm host "$image" "$(awk -v t="${tcg:-$deadline}" -v s="$kvm_slack" \
            'BEGIN { printf "%d", t + s }')")
    else
        say "kvm: $kvm_node does not exist"
    fi
    if [[ -n $kvm ]] && awk -v k="$kvm" -v t="${tcg:-1e9}" 'BEGIN { exit !(k < t) }'; then
        choice=kvm
    elif [[ -n $tcg ]]; then
        choice=tcg
    else
        die "the probe guest ran under neither kvm nor tcg: see $dir/evidence"
    fi
    say "choice: $choice"
}

mkdir -p "$dir" || die "cannot create $dir"
command -v "$qemu" >/dev/null || die "$qemu is not installed: apt-get install qemu-system-x86"
key=$(machine_key)
if [[ -f $dir/choice && $(sed -n 1p "$dir/choice") == "$key" ]]; then
    sed -n 2p "$dir/choice"
    exit
fi
choose
printf '%s\n%s\n' "$key" "$choice" >"$dir/choice.new"
mv "$dir/choice.new" "$dir/choice"
echo "$choice"
