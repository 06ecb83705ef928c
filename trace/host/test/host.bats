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

@test "each version's script prints every event of events.def under its number" {
    [ "$(host_events | wc -l)" -ge 6 ]
    for version in 0.17 0.23; do
        "$here/generate.sh" $version >"$BATS_TEST_TMPDIR/$version.bt"
        while read -r id name; do
            grep -q "^// event $id $name\$" "$BATS_TEST_TMPDIR/$version.bt"
            grep -qF "printf(\"R %d %llu %llu $id " "$BATS_TEST_TMPDIR/$version.bt"
        done < <(host_events)
    done
}

@test "no name of the template is left in a generated script" {
    for version in 0.17 0.23; do
        run grep -nE 'TRACE_|FENTRY|FEXIT|ARG\(|EMIT|OWNER|^#' <("$here/generate.sh" $version)
        [ "$status" = 1 ]
        [ -z "$output" ]
    done
}

@test "each script speaks its version's language" {
    run "$here/generate.sh" 0.17
    [[ $output == *kfunc:vhost_net:handle_tx* && $output == *"args->net"* ]]
    [[ $output != *fentry:* && $output != *args.* ]]
    run "$here/generate.sh" 0.23
    [[ $output == *fentry:vhost_net:handle_tx* && $output == *args.net* ]]
    [[ $output != *kfunc:* && $output != *"args->"* ]]
}

@test "inlined functions are not probed" {
    for version in 0.17 0.23; do
        run grep -cE ':(vhost_signal|vhost_poll_queue|vhost_vq_work_queue)' \
            <("$here/generate.sh" $version)
        [ "$output" = 0 ]
    done
}

@test "the mark's probe is the last one, so that it is attached last" {
    for version in 0.17 0.23; do
        run bash -c "'$here/generate.sh' $version | grep -oE '^(fentry|fexit|kfunc|kretfunc|tracepoint):.*' | tail -n 1"
        [[ $output == tracepoint:syscalls:sys_enter_getpriority* ]]
    done
}

@test "an unknown version is refused with the ones there are" {
    run "$here/generate.sh" 9.99
    [ "$status" = 1 ]
    one_line
    [[ $output == *9.99*0.17*0.23* ]]
}

choose() {
    run bash -c "here=$BATS_TEST_TMPDIR; source '$here/common.sh'; script_for $1"
}

@test "every bpftrace from 0.17 on gets the script of its language" {
    touch "$BATS_TEST_TMPDIR"/vhost-0.{17,23}.bt
    for version in 0.17 0.18 0.19; do
        choose $version
        [[ $output == */vhost-0.17.bt ]]
    done
    for version in 0.20 0.23 0.24; do
        choose $version
        [[ $output == */vhost-0.23.bt ]]
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
