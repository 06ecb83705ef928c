# shellcheck shell=bash
# Where cells run: sourced, not executed. A host is reached by one of three ways that look alike
# from outside: `local` (this machine), `lab` (the VM of experiments/lab), or `user@name` (ssh).
# HOST chooses; empty: this machine if it can serve vhost-net and trace it, else the lab.
#
#   host_open             start or reach it, say which it is; sets host_name
#   host_run LINE         run a shell line there as root; its exit status is passed through
#   host_put DIR REMOTE   copy a folder there
#   host_get REMOTE DIR   copy a folder from there
#   host_deploy REMOTE    copy what cells need there: programs, scripts, the guest kernels

host_lab=$(dirname "${BASH_SOURCE[0]}")/lab/lab.sh

# Opening the device is the question: the node may exist without the module behind it. (Where there is
# no node, opening would make a file of that name.)
host_has_vhost() {
    modprobe -q vhost_net 2>/dev/null || true
    [[ -c /dev/vhost-net ]] && (exec 3<>/dev/vhost-net) 2>/dev/null
}

# And the kernel must let us trace, which a container's or a locked-down kernel does not.
host_local_reason() {
    [[ $EUID == 0 ]] || { echo "not root" && return; }
    command -v bpftrace >/dev/null || { echo "no bpftrace" && return; }
    host_has_vhost || { echo "no usable /dev/vhost-net" && return; }
    timeout 20 bpftrace -e 'fentry:vhost:vhost_poll_wakeup { } BEGIN { exit(); }' >/dev/null 2>&1 ||
        timeout 20 bpftrace -e 'kfunc:vhost_poll_wakeup { } BEGIN { exit(); }' >/dev/null 2>&1 ||
        { echo "bpftrace cannot trace vhost here" && return; }
}

host_open() {
    local reason
    host_name=${HOST:-}
    if [[ -z $host_name ]]; then
        reason=$(host_local_reason)
        host_name=local
        if [[ -n $reason ]]; then
            host_name=lab
            echo "cells run in the lab VM: $reason on this machine"
        fi
    fi
    case $host_name in
    local)
        reason=$(host_local_reason)
        if [[ -n $reason ]]; then
            echo "HOST=local cannot run cells: $reason; use HOST=lab" >&2
            return 1
        fi
        ;;
    lab) "$host_lab" start ;;
    *@*)
        ssh -o BatchMode=yes -o ConnectTimeout=20 "$host_name" true || {
            echo "HOST=$host_name does not answer by ssh; set up a key for root there" >&2
            return 1
        }
        ;;
    *)
        echo "HOST=$host_name is not known: use local, lab or user@name" >&2
        return 1
        ;;
    esac
}

host_run() {
    case $host_name in
    local) bash -c "$1" ;;
    lab) "$host_lab" run "$1" ;;
    *) ssh -o BatchMode=yes "$host_name" "$1" ;;
    esac
}

host_put() {
    case $host_name in
    local) mkdir -p "$2" && cp -a "$1/." "$2/" ;;
    lab) "$host_lab" put "$1" "$2" ;;
    *) tar -C "$1" -cf - . | ssh -o BatchMode=yes "$host_name" "mkdir -p '$2' && tar --warning=no-timestamp -C '$2' -xf -" ;;
    esac
}

host_get() {
    case $host_name in
    local) mkdir -p "$2" && cp -a "$1/." "$2/" ;;
    lab) "$host_lab" get "$1" "$2" ;;
    *) mkdir -p "$2" && ssh -o BatchMode=yes "$host_name" "tar -C '$1' -cf - ." | tar --warning=no-timestamp -C "$2" -xf - ;;
    esac
}

# In one folder, and programs that run on any libc. Stripped for the way over a wire only: the symbols
# that the guest prints are in a section of its own.
host_deploy() {
    local root stage=$BUILD/kit
    root=$(cd "$(dirname "$host_lab")/../.." && pwd)
    rm -rf "$stage"
    mkdir -p "$stage"
    cp "$root"/experiments/kit/*.sh "$root"/experiments/lab/accel.sh \
        "$root"/trace/host/{common,tracer,selftest,selftest_traffic,cost}.sh \
        "$root"/trace/attach "$root"/trace/host/summary.awk \
        "$BUILD"/trace/host/{*.bt,mark} "$BUILD"/trace/ctf/ringsnap \
        "$BUILD"/experiments/loadgen/loadgen "$BUILD"/kernel/ringscope-{poll,intr,hybrid}.elf \
        "$BUILD"/experiments/lab/probe_guest.bin "$stage/"
    [[ $host_name == local ]] ||
        strip "$stage"/ringscope-*.elf "$stage/loadgen" "$stage/ringsnap" "$stage/mark"
    host_put "$stage" "$1"
}
