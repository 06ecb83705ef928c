#!/usr/bin/env bats
# What of the host's probes can be tested without vhost: the generated scripts, the choice among
# them, the reading of bpftrace's messages, and refusals. `make probes` tests the rest.

setup() {
    here=$BATS_TEST_DIRNAME/..
    events=$here/../events.def
    bin=$BATS_TEST_TMPDIR/bin
    mkdir -p "$bin"
}

stub() {
    printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1"
    chmod +x "$bin/$1"
    PATH=$bin:$PATH
}

one_line() {
    [ "$(echo "$output" | wc -l)" = 1 ]
}

host_events() {
    sed -n 's/^HOST_EVENT( *\([0-9]*\), *\([a-z_]*\),.*/\1 \2/p' "$events"
}

# Every script there is, as "VERSION SET".
scripts() {
    local version set
    for version in 0.17 0.23; do
        for set in basic full full-kvm summary; do
            echo "$version $set"
        done
    done
}

@test "the largest set prints every event of events.def under its number, in each version" {
    [ "$(host_events | wc -l)" -ge 16 ]
    for version in 0.17 0.23; do
        "$here/generate.sh" $version full-kvm >"$BATS_TEST_TMPDIR/$version.bt"
        while read -r id name; do
            grep -q "^// event $id $name\$" "$BATS_TEST_TMPDIR/$version.bt"
            grep -qF "printf(\"R %d %llu %llu $id " "$BATS_TEST_TMPDIR/$version.bt"
        done < <(host_events)
    done
}

@test "the sets grow: basic, full, and full on a kernel with KVM" {
    for version in 0.17 0.23; do
        [ "$("$here/generate.sh" $version basic | grep -c '^// event ')" = 6 ]
        run diff <("$here/generate.sh" $version full | grep '^// event ') \
            <("$here/generate.sh" $version full-kvm | grep '^// event ')
        [ "$(grep -c '^[<>]' <<<"$output")" = 1 ]
        [[ $output == *"> // event 73 irq_inject"* ]]
        [ "$("$here/generate.sh" $version summary | grep -c '^// event ')" = 1 ]
    done
}

@test "every emitted line is counted by its event" {
    while read -r version set; do
        run awk '{ n = gsub(/printf\("R %d %llu %llu [0-9]+ /, "&"); c = gsub(/@emitted\[[0-9]+\] = count\(\)/, "&") }
            n != c { bad++ } { all += n } END { print bad + 0, (all > 0) }' \
            <("$here/generate.sh" "$version" "$set")
        [ "$output" = "0 1" ]
    done < <(scripts)
}

@test "no name of the template is left in a generated script" {
    while read -r version set; do
        run grep -nE 'TRACE_|FENTRY|FEXIT|ARG\(|EMIT|OWNER|NOTE_|MARK_|QUEUE\(|^#' \
            <("$here/generate.sh" "$version" "$set")
        [ "$status" = 1 ]
        [ -z "$output" ]
    done < <(scripts)
}

@test "each script speaks its version's language" {
    for set in basic full full-kvm summary; do
        run "$here/generate.sh" 0.17 $set
        [[ $output == *kfunc:vhost_net:handle_tx* && $output == *"args->net"* ]]
        [[ $output != *fentry:* && $output != *args.* ]]
        run "$here/generate.sh" 0.23 $set
        [[ $output == *fentry:vhost_net:handle_tx* && $output == *args.net* ]]
        [[ $output != *kfunc:* && $output != *"args->"* ]]
    done
}

@test "inlined functions are not probed" {
    while read -r version set; do
        run grep -cE ':(vhost_signal|vhost_poll_queue|vhost_vq_work_queue)' \
            <("$here/generate.sh" "$version" "$set")
        [ "$output" = 0 ]
    done < <(scripts)
}

@test "the mark's probe is the last one, so that it is attached last" {
    while read -r version set; do
        run bash -c "'$here/generate.sh' $version $set | grep -oE '^(fentry|fexit|kfunc|kretfunc|tracepoint):.*' | tail -n 1"
        [[ $output == tracepoint:syscalls:sys_enter_getpriority* ]]
    done < <(scripts)
}

@test "an unknown version is refused with the ones there are" {
    run "$here/generate.sh" 9.99 basic
    [ "$status" = 1 ]
    one_line
    [[ $output == *9.99*0.17*0.23* ]]
    run "$here/generate.sh" 0.17 everything
    [ "$status" = 1 ]
    one_line
    [[ $output == *everything*"basic|full"* ]]
}

choose() {
    run bash -c "here=$BATS_TEST_TMPDIR; source '$here/common.sh'; script_for $1 basic"
}

@test "every bpftrace from 0.17 on gets the script of its language" {
    touch "$BATS_TEST_TMPDIR"/vhost-basic-0.{17,23}.bt
    for version in 0.17 0.18 0.19; do
        choose $version
        [[ $output == */vhost-basic-0.17.bt ]]
    done
    for version in 0.20 0.23 0.24; do
        choose $version
        [[ $output == */vhost-basic-0.23.bt ]]
    done
    for version in 0.16 1.0; do
        choose $version
        [ "$status" = 1 ]
        one_line
    done
}

@test "lost events are summed over all of bpftrace's messages" {
    printf 'Attaching 16 probes...\nLost 12 events\nLost 30 events\n' >"$BATS_TEST_TMPDIR/err"
    run bash -c "here=x; source '$here/common.sh'; lost_events '$BATS_TEST_TMPDIR/err'"
    [ "$output" = 42 ]
}

@test "losses are told by event: what the kernel counted against what the log has" {
    printf '// event 64 host_kick\n// event 67 used\n// event 69 mark\n' >"$BATS_TEST_TMPDIR/script"
    {
        echo "R 0 1 10 64 1 0 abc 77 1 2 0"
        echo "R 1 1 11 64 1 0 abc 77 2 3 0"
        echo "R 0 4 12 67 1 0 abc 77 0 3 1"
        printf '\n@emitted[64]: 2\n@emitted[67]: 3\n'
    } >"$BATS_TEST_TMPDIR/log"
    run bash -c "here=x; source '$here/common.sh'; losses '$BATS_TEST_TMPDIR/script' '$BATS_TEST_TMPDIR/log'"
    [ "${lines[1]}" = $'host_kick\t2\t2\t0' ]
    [ "${lines[2]}" = $'used\t3\t1\t2' ]
    [ "${lines[3]}" = $'mark\t0\t0\t0' ]
}

@test "what was emitted after the last line of its CPU is cut off, not lost" {
    {
        echo "R 0 7 10 64 1 0 abc 77 1 2 0"
        echo "R 0 6 11 64 1 0 abc 77 1 2 0"
        echo "R 1 4 12 67 1 0 abc 77 0 3 1"
        printf '@n[0]: 9\n@n[1]: 4\n@n[2]: 5\n'
    } >"$BATS_TEST_TMPDIR/log"
    run bash -c "here=x; source '$here/common.sh'; cut_off '$BATS_TEST_TMPDIR/log'"
    [ "$output" = 7 ]
}

@test "an unknown set of probes is refused by name" {
    run bash -c "here=x; source '$here/common.sh'; probe_set some"
    [ "$status" = 1 ]
    one_line
    [[ $output == *"PROBES=some"*basic*full*summary* ]]
    run bash -c "here=x; source '$here/common.sh'; probe_set ''"
    [ "$output" = basic ]
}

@test "the summary's maps become a row a queue and a row a bucket" {
    cat >"$BATS_TEST_TMPDIR/log" <<'END'
V 1 0.23 6.12
R 0 1 10 69 255 0 0 77 0 0 0

@begin_ns: 9
@buffers[-123, 1]: 70
@busy_ns[-123, 1]: 1500000
@calls[-123, 1]: 4
@calls[-99, 1]: 8
@kicks[-123, 1]: 5
@kicks[-123, 0]: 2
@n[0]: 6
@run_buffers[-123, 1]:
[0]                    1 |@@@                 |
[2, 4)                12 |@@@@@@@@            |
[1K, 2K)               3 |@@                  |

@runs_kick[-123, 1]: 16
@window_begin: 1000000000
@window_end: 3500000000
@worker[-123]: vhost-77
@worker[-99]: vhost-88
END
    run awk -v workers="vhost-77" -v histograms="$BATS_TEST_TMPDIR/h" -f "$here/summary.awk" "$BATS_TEST_TMPDIR/log"
    [ "${#lines[@]}" = 3 ]
    [ "${lines[1]}" = $'vhost-77\t1\ttx\t2.500\t5\t0\t16\t0\t0\t70\t4\t0\t1500000' ]
    [ "${lines[2]}" = $'vhost-77\t1\trx\t2.500\t2\t0\t0\t0\t0\t0\t0\t0\t0' ]
    run cat "$BATS_TEST_TMPDIR/h"
    [ "${lines[1]}" = $'vhost-77\t1\ttx\trun_buffers\t0\t1\t1' ]
    [ "${lines[2]}" = $'vhost-77\t1\ttx\trun_buffers\t2\t4\t12' ]
    [ "${lines[3]}" = $'vhost-77\t1\ttx\trun_buffers\t1024\t2048\t3' ]
    [ "${#lines[@]}" = 4 ]
}

@test "only the asked mark counts as the mark" {
    {
        echo "V 1 0.23 6.12"
        echo "R 0 5 1234 69 255 0 0 77 0 12 0"
        echo "R 0 6 1235 64 1 0 abc 77 1 2 0"
    } >"$BATS_TEST_TMPDIR/log"
    run bash -c "here=x; source '$here/common.sh'; marked '$BATS_TEST_TMPDIR/log' 12"
    [ "$status" = 0 ]
    run bash -c "here=x; source '$here/common.sh'; marked '$BATS_TEST_TMPDIR/log' 2"
    [ "$status" = 1 ]
}

@test "the tracer names what is wrong: verb, bpftrace, a tracer that dies" {
    run "$here/tracer.sh" dance "$BATS_TEST_TMPDIR/t"
    [ "$status" = 1 ]
    [[ $output == *"unknown verb 'dance'"* ]]
    run "$here/tracer.sh" stop "$BATS_TEST_TMPDIR/t"
    [ "$status" = 1 ]
    [[ $output == *"nothing traces"* ]]
    run "$here/tracer.sh" status "$BATS_TEST_TMPDIR/t"
    [ "$status" = 3 ]
}

@test "the tracer needs bpftrace and says how to get it" {
    [ "$EUID" = 0 ] || skip "asks for root first"
    for tool in bash dirname basename uname; do
        ln -s "$(command -v $tool)" "$bin/"
    done
    PATH=$bin run "$here/tracer.sh" start "$BATS_TEST_TMPDIR/t"
    [ "$status" = 1 ]
    one_line
    [[ $output == *"bpftrace is not installed"*apt-get* ]]
}

@test "the self-test refuses what it does not know" {
    run "$here/selftest.sh" --frob 1
    [ "$status" = 1 ]
    [[ $output == *usage* ]]
    run "$here/selftest.sh" --seconds soon
    [ "$status" = 1 ]
    [[ $output == *"--seconds needs a number"* ]]
}

attach() {
    PROC=$BATS_TEST_TMPDIR/proc run "$here/../attach" "$@"
    [ "$status" = 1 ]
    one_line
}

# A process of the made-up /proc: number, name, and what its file descriptors are.
process() {
    mkdir -p "$BATS_TEST_TMPDIR/proc/$1/"{fd,fdinfo,task/"$1"}
    echo "$2" | tee "$BATS_TEST_TMPDIR/proc/$1/task/$1/comm" >"$BATS_TEST_TMPDIR/proc/$1/comm"
    [ -z "${3:-}" ] || ln -s "$3" "$BATS_TEST_TMPDIR/proc/$1/fd/9"
}

@test "attach says what it cannot do: arguments, no such process, no vhost-net, no worker" {
    [ "$EUID" = 0 ] || skip "asks for root first"
    attach --frob
    [[ $output == *"unknown option '--frob'"* ]]
    attach --seconds soon
    [[ $output == *"--seconds"*"'soon'"* ]]
    attach nobody
    [[ $output == *"not 'nobody'"* ]]
    process 11 sleep /dev/null
    attach
    [[ $output == *"no process has a vhost-net device"* ]]
    attach 10
    [[ $output == *"there is no process 10"* ]]
    attach 11
    [[ $output == *"process 11 (sleep) has no vhost-net device"* ]]
    process 12 qemu-system-x86 /dev/vhost-net
    attach 12
    [[ $output == *"no vhost worker"* ]]
    process 13 qemu-system-x86 /dev/vhost-net
    attach
    [[ $output == *"12 (qemu-system-x86) 13 (qemu-system-x86)"* ]]
}

@test "attach needs root, bpftrace, and one that is new enough" {
    process 12 qemu-system-x86 /dev/vhost-net
    process 20 vhost-12
    if [ "$EUID" = 0 ]; then
        # Where anyone may read it, as a checkout of root's may not.
        local dir
        dir=$(mktemp -d)
        cp "$here/../attach" "$here/common.sh" "$dir"
        chmod 755 "$dir" "$dir"/*
        run setpriv --reuid=65534 --clear-groups bash -p "$dir/attach" 12
        rm -r "$dir"
        [ "$status" = 1 ]
        [[ $output == *"needs root"* ]]
        touch "$BATS_TEST_TMPDIR/mark"
        stub bpftrace 'echo bpftrace v0.14.0'
        attach 12
        [[ $output == *"bpftrace 0.14 is too old"* ]]
    else
        attach 12
        [[ $output == *"needs root"* ]]
    fi
}

@test "mark takes a number and nothing else" {
    mark=$BATS_TEST_TMPDIR/mark
    cc -std=c11 -O2 -Wall -Wextra -Werror -o "$mark" "$here/mark.c"
    "$mark" 7
    for argument in "" x 7x -1 99999999999; do
        run "$mark" "$argument"
        [ "$status" = 1 ]
        one_line
    done
}
