#!/usr/bin/env bats
# What of the lab can be tested without booting it: refusals, and what counts as built.

setup() {
    lab=$BATS_TEST_DIRNAME/../lab.sh
    build_image=$BATS_TEST_DIRNAME/../build_image.sh
    export LAB_STATE=$BATS_TEST_TMPDIR/state
    bin=$BATS_TEST_TMPDIR/bin
    mkdir -p "$bin"
}

# A program of that name which is found first and does what its body says.
stub() {
    printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1"
    chmod +x "$bin/$1"
    PATH=$bin:$PATH
}

one_line() {
    [ "$(echo "$output" | wc -l)" = 1 ]
}

@test "an unknown verb is refused and help is pointed to" {
    run "$lab" frobnicate
    [ "$status" = 1 ]
    one_line
    [[ $output == *"unknown verb 'frobnicate'"*help* ]]
}

@test "an unknown release is refused by name" {
    LAB_RELEASE=bogus run "$lab" start
    [ "$status" = 1 ]
    one_line
    [[ $output == *"LAB_RELEASE=bogus"*trixie* ]]
}

@test "a lab that was never built is not built" {
    run "$lab" status
    [ "$status" = 3 ]
    [[ $output == "not built"* ]]
}

@test "a build that was killed half-way does not count" {
    mkdir -p "$LAB_STATE/image.new"
    echo half >"$LAB_STATE/image.new/disk.img"
    run "$lab" status
    [ "$status" = 3 ]
    [[ $output == "not built"* ]]
}

@test "a pid file that names another process is not a running lab" {
    mkdir -p "$LAB_STATE/image" "$LAB_STATE/run"
    echo stamp >"$LAB_STATE/image/stamp"
    echo $$ >"$LAB_STATE/run/pid"
    run "$lab" status
    [ "$status" = 3 ]
    [[ $output == stopped* ]]
    run "$lab" stop
    [ "$status" = 0 ]
    kill -0 $$
}

@test "run, put and get say how to start a lab that does not run" {
    for arguments in "run true" "put /etc/hostname /x" "get /x $BATS_TEST_TMPDIR/x" ssh-args; do
        # shellcheck disable=SC2086
        run "$lab" $arguments
        [ "$status" = 1 ]
        one_line
        [[ $output == *"lab.sh start"* ]]
    done
}

@test "verbs refuse missing arguments" {
    run "$lab" run
    [ "$status" = 1 ]
    [[ $output == *"needs a command"* ]]
    run "$lab" put one
    [ "$status" = 1 ]
    [[ $output == *"put takes 2 arguments"* ]]
}

@test "put refuses a file that does not exist" {
    run "$lab" put "$BATS_TEST_TMPDIR/none" /x
    [ "$status" = 1 ]
    [[ $output == *"none does not exist"* ]]
}

@test "the stamp depends on the release and on every input" {
    cp "$BATS_TEST_DIRNAME"/../{build_image.sh,packages.list,init,initrd_init,sshd_config} "$bin"
    first=$("$bin/build_image.sh" --stamp trixie)
    [ "$first" = "$("$build_image" --stamp trixie)" ]
    [ "$first" != "$("$bin/build_image.sh" --stamp bookworm)" ]
    for input in packages.list init initrd_init sshd_config; do
        echo "# changed" >>"$bin/$input"
        next=$("$bin/build_image.sh" --stamp trixie)
        [ "$next" != "$first" ]
        first=$next
    done
}

@test "a full disk is one line that says what is needed" {
    [ "$EUID" = 0 ] || skip "building needs root"
    stub df 'printf "Avail\n12M\n"'
    run "$build_image" trixie "$BATS_TEST_TMPDIR/image"
    [ "$status" = 1 ]
    one_line
    [[ $output == *"12 MB free"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/image" ]
}

@test "a machine whose apt knows no Debian mirror is told about LAB_MIRROR" {
    [ "$EUID" = 0 ] || skip "building needs root"
    stub apt-get 'exit 0'
    run "$build_image" trixie "$BATS_TEST_TMPDIR/image"
    [ "$status" = 1 ]
    one_line
    [[ $output == *LAB_MIRROR* ]]
}

@test "a failed unpacking leaves no image, and the reason can be read" {
    [ "$EUID" = 0 ] || skip "building needs root"
    stub mmdebstrap 'echo "E: the mirror is on fire"; exit 1'
    LAB_MIRROR=http://mirror.invalid/debian run "$build_image" trixie "$BATS_TEST_TMPDIR/image"
    [ "$status" = 1 ]
    one_line
    [ ! -e "$BATS_TEST_TMPDIR/image" ]
    grep -q 'on fire' "$BATS_TEST_TMPDIR/image.new.log"
}
