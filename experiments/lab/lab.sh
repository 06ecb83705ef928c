#!/usr/bin/env bash
# The lab: a Debian VM with vhost-net, bpftrace and QEMU inside, for machines without vhost-net.
# lab.sh help lists the verbs. Everything it keeps is under build/lab/<release>/ of this checkout.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
release=${LAB_RELEASE:-trixie}
build=${BUILD:-build}
[[ $build == /* ]] || build=$root/$build
state=${LAB_STATE:-$build/lab/$release}
[[ $state == /* ]] || state=$PWD/$state
image=$state/image
run=$state/run
memory=${LAB_MEMORY:-6G}
start_seconds=${LAB_START_SECONDS:-240}

# shellcheck source-path=SCRIPTDIR source=tape.sh
source "$here/tape.sh"

die() {
    echo "lab.sh: $*" >&2
    exit 1
}

usage() {
    cat <<'END'
usage: lab.sh VERB        (LAB_RELEASE=trixie|bookworm chooses the lab's Debian, default trixie)
  build             build the disk image, if its inputs changed
  start             boot the lab unless it runs; returns when it answers
  stop              power it off; nothing is kept inside the lab
  status            say whether it runs (exit 0) or not (exit 3)
  run CMD...        run a command inside; its exit status is passed through
                    (one argument is a shell line, several are passed word by word)
  put LOCAL REMOTE  copy a file or a folder into the lab, to the name REMOTE
  get REMOTE LOCAL  copy one out of the lab, to the name LOCAL
  shell             an interactive shell inside
  ssh-args          the arguments that make ssh reach the lab
  forget            stop it and delete its image and state
END
}

# One verb at a time changes the image or the VM of a checkout. Children must not inherit the lock
# (9>&-), or a daemon would hold it for as long as it lives.
lock() {
    mkdir -p "$state" || die "cannot create $state"
    exec 9>"$state/lock"
    flock 9
}

is_running() {
    local pid
    [[ -s $run/pid ]] || return 1
    pid=$(<"$run/pid")
    # The number may belong to another process by now: this lab's QEMU names its own disk.
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "file=$image/disk.img"
}

build() {
    local stamp
    stamp=$("$here/build_image.sh" --stamp "$release")
    [[ ! -f $image/stamp || $(<"$image/stamp") != "$stamp" ]] || return 0
    ! is_running || halt
    echo "lab.sh: building the $release lab, once; this takes about a minute" >&2
    "$here/build_image.sh" "$release" "$image" 9>&-
}

# The path of a unix socket may have 108 bytes at most, so it cannot lie under a deep checkout.
socket_dir() {
    echo "${XDG_RUNTIME_DIR:-/tmp}/ringscope-$EUID-$(echo "$state" | sha256sum | cut -c1-12)"
}

write_ssh_config() {
    local port=$1 sockets
    sockets=$(socket_dir)
    mkdir -m 700 "$sockets" 2>/dev/null || true
    [[ -O $sockets ]] || die "$sockets belongs to another user: remove it"
    # The cipher is the one that costs least without AES instructions at full speed (README).
    cat >"$run/ssh_config" <<END
Host lab
    HostName 127.0.0.1
    Port $port
    User root
    IdentityFile "$image/ssh_key"
    IdentitiesOnly yes
    HostKeyAlias ringscope-lab
    UserKnownHostsFile "$image/known_hosts"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    LogLevel ERROR
    Compression no
    Ciphers $cipher
    KexAlgorithms curve25519-sha256
    ControlPath "$sockets/ctl"
    ServerAliveInterval 30
    ServerAliveCountMax 20
END
}
cipher=${LAB_CIPHER:-aes128-gcm@openssh.com}

lab_ssh() {
    ssh -F "$run/ssh_config" lab "$@"
}

# A connection that later commands share. Opened here and not by the first command, which would
# hand its own stdout to the master process and keep a pipe open for ever.
open_master() {
    lab_ssh -O check 2>/dev/null && return
    ssh -F "$run/ssh_config" -o ConnectTimeout=20 -MNf lab \
        >/dev/null 2>>"$run/ssh.log" </dev/null 9>&-
}

boot() {
    local port=$1 accel=$2 cpu=max
    [[ $accel != kvm ]] || cpu=host
    [[ $accel != tcg ]] || accel=tcg,thread=multi
    # snapshot=on: writes go to an unlinked file and die with QEMU, so a killed lab boots again.
    TMPDIR=$run qemu-system-x86_64 -name ringscope-lab -nodefaults -no-reboot -display none \
        -machine q35 -accel "$accel" -cpu "$cpu" -smp 2 -m "$memory" \
        -kernel "$image/vmlinux" -initrd "$image/initrd" -append "$(kernel_arguments)" \
        -drive "file=$image/disk.img,if=virtio,format=raw,snapshot=on,cache=unsafe,werror=report" \
        -netdev "user,id=net,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net \
        -drive "file=$run/tape,if=virtio,format=raw,cache=unsafe,werror=report" \
        -serial "file:$run/console.log" -pidfile "$run/pid" -daemonize 9>&- 2>"$run/qemu.log"
}

kernel_arguments() {
    echo "console=ttyS0 quiet panic=-1 mitigations=off audit=0 nowatchdog" \
        "tsc=reliable clocksource=tsc no_timer_check cryptomgr.notests net.ifnames=0"
}

# QEMU itself says whether a port is free: asking beforehand would race with the other checkouts.
boot_on_free_port() {
    local accel port try
    accel=$(ACCEL_DIR=$state/accel "$here/accel.sh") || die "no accelerator can run a guest"
    for try in {1..20}; do
        port=$((20000 + (RANDOM + try) % 40000))
        if boot "$port" "$accel"; then
            echo "$port" >"$run/port"
            return
        fi
        grep -q 'host forwarding' "$run/qemu.log" ||
            die "QEMU did not start: $(tail -n 1 "$run/qemu.log")"
    done
    die "no free TCP port found on 127.0.0.1 in 20 tries"
}

# The console says when sshd listens: a connection opened earlier would be retried by QEMU's user
# network after longer and longer pauses.
answers() {
    grep -q '^lab: ready' "$run/console.log" && open_master
}

wait_for_ssh() {
    local deadline=$((SECONDS + start_seconds))
    until answers; do
        is_running || die "the lab died while booting: see $run/console.log"
        ((SECONDS < deadline)) ||
            die "the lab did not answer within $start_seconds s: see $run/console.log"
        sleep 0.2
    done
}

start() {
    build
    if ! is_running; then
        rm -rf "$run"
        mkdir -p "$run"
        tape_reset
        boot_on_free_port
        write_ssh_config "$(<"$run/port")"
    fi
    wait_for_ssh
}

halt() {
    local pid
    is_running || return 0
    pid=$(<"$run/pid")
    lab_ssh -O exit 2>/dev/null || true
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.05
    done
    rm -rf "$run"
}

need_running() {
    is_running || die "the lab does not run: start it with experiments/lab/lab.sh start"
    lab_ssh -O check 2>/dev/null || open_master ||
        die "the lab does not answer: see $run/console.log"
}

run_inside() {
    need_running
    if (($# > 1)); then
        lab_ssh "$(printf '%q ' "$@")"
    else
        lab_ssh "$1"
    fi
}

status() {
    if is_running; then
        echo "running release=$release pid=$(<"$run/pid") port=$(<"$run/port")"
    elif [[ -f $image/stamp ]]; then
        echo "stopped release=$release"
        return 3
    else
        echo "not built release=$release"
        return 3
    fi
}

forget() {
    halt
    rm -rf --one-file-system "$state"
    rm -rf "$(socket_dir)"
}

need_arguments() {
    (($1 == $2)) || die "$verb takes $2 arguments, not $1: see lab.sh help"
}

verb=${1:-help}
shift || true
case $release in
trixie | bookworm) ;;
*) die "LAB_RELEASE=$release is not known: use trixie or bookworm" ;;
esac
case $verb in
build | start) lock && "$verb" ;;
stop) lock && halt ;;
forget) lock && forget ;;
status) status ;;
run)
    (($# > 0)) || die "run needs a command"
    run_inside "$@"
    ;;
put | get)
    need_arguments $# 2
    "$verb" "$@"
    ;;
shell)
    need_running
    lab_ssh -t "${@:-bash}"
    ;;
ssh-args)
    need_running
    echo "-F $run/ssh_config lab"
    ;;
help | -h | --help) usage ;;
*) die "unknown verb '$verb': see lab.sh help" ;;
esac
