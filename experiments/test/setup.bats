#!/usr/bin/env bats
# shellcheck disable=SC2016
# setup.sh and prove.sh against a package manager that only pretends; nothing is installed.

setup() {
    here=$BATS_TEST_DIRNAME/../setup
    # Readable by a user who is not root, which bats' own folder is not.
    dir=$(mktemp -d)
    chmod 755 "$dir"
    mkdir "$dir/bin" "$dir/experiments" "$dir/experiments/setup"
    cp "$here"/*.sh "$here/packages.tsv" "$dir/experiments/setup/"
    for tool in bash dirname awk mktemp rm tail cat env grep; do
        ln -s "$(command -v "$tool")" "$dir/bin/$tool"
    done
    # Installed is what the file says; every call of apt-get is written down.
    stub dpkg-query 'grep() { while read -r p; do [[ $p != "$1" ]] || return 0; done; return 1; }
        for package; do :; done
        if grep "$package" <"$DIR/installed"; then echo -n installed; else echo -n unknown; exit 1; fi'
    stub apt-get 'echo "$* ${DEBIAN_FRONTEND:-}" >>"$DIR/calls"; [[ $1 != "${FAIL:-}" ]] || { echo "E: no such mirror"; exit 100; }'
    stub apt-cache 'for p in ${NONE:-}; do [[ $2 != "$p" ]] || { echo "  Candidate: (none)"; exit; }; done
        echo "  Candidate: 1.0"'
    awk -F '\t' '!/^#/ { print $1 }' "$here/packages.tsv" >"$dir/installed"
    touch "$dir/calls"
    chmod 666 "$dir/calls"
}

teardown() {
    rm -rf "$dir"
}

stub() {
    printf '#!/bin/bash\n%s\n' "$2" >"$dir/bin/$1"
    chmod 755 "$dir/bin/$1"
}

missing() {
    for package; do
        sed -i "/^$package\$/d" "$dir/installed"
    done
}

# script NAME ARGUMENT...: with nothing in PATH but the stubs and what the scripts are written in.
script() {
    local name=$1
    shift
    run env -i PATH="$dir/bin" DIR="$dir" FAIL="${FAIL:-}" NONE="${NONE:-}" ${SETUP:+SETUP="$SETUP"} \
        "$dir/bin/bash" "$dir/experiments/setup/$name" "$@"
    echo "$output"
}

as_nobody() {
    local name=$1 user=()
    shift
    [ "$EUID" -ne 0 ] || user=("$(command -v setpriv)" --reuid=65534 --regid=65534 --clear-groups)
    run env -i PATH="$dir/bin" DIR="$dir" "${user[@]}" "$dir/bin/bash" \
        "$dir/experiments/setup/$name" "$@"
    echo "$output"
}

@test "packages.tsv: three fields, known groups, no package twice" {
    awk -F '\t' '
        /^#/ { next }
        NF != 3 || $1 !~ /^[a-z0-9][a-z0-9.+-]+$/ || $3 == "" { print FILENAME ":" FNR ": " $0; bad = 1 }
        seen[$1]++ { print $1 " is there twice"; bad = 1 }
        { n = split($2, g, " "); if (!n) bad = 1
          for (i = 1; i <= n; i++) if (g[i] !~ /^(build|test|demo|hosted|bench|paper|where-there-is-one)$/) { print "group " g[i]; bad = 1 }
          packages++ }
        END { exit bad || packages < 10 }' "$here/packages.tsv"
}

@test "the Makefile asks for groups that exist" {
    groups=$(sed -n 's|.*setup/setup.sh ||p' "$BATS_TEST_DIRNAME/../../Makefile")
    [ -n "$groups" ]
    for group in $groups; do
        [[ " build test demo hosted bench paper " == *" $group "* ]]
    done
}

@test "everything there: silent, apt-get is not called" {
    script setup.sh build test demo paper
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    [ ! -s "$dir/calls" ]
}

@test "only what is missing is installed, each with its reason" {
    missing git kmod bats
    [ "$EUID" -eq 0 ] || stub sudo 'exec "$@"'
    script setup.sh build demo
    [ "$status" -eq 0 ]
    [[ "$output" == *"git "*"names the revision in every manifest"* ]]
    [[ "$output" == *"kmod "*"reads the lab's kernel modules"* ]]
    [[ "$output" != *gcc* && "$output" != *bats* ]]
    [ "$(wc -l <"$dir/calls")" -eq 2 ]
    grep -x 'update ' "$dir/calls"
    grep -x 'install -y --no-install-recommends git kmod noninteractive' "$dir/calls"
}

@test "a package of several groups is asked for once" {
    missing qemu-system-x86
    [ "$EUID" -eq 0 ] || stub sudo 'exec "$@"'
    script setup.sh test demo
    [ "$(grep -o qemu-system-x86 "$dir/calls" | wc -l)" -eq 1 ]
}

@test "a package that this Debian does not have is left out if it may be, and asked for if it must" {
    missing cbmc spin
    [ "$EUID" -eq 0 ] || stub sudo 'exec "$@"'
    NONE="cbmc spin" script setup.sh test
    [ "$status" -eq 0 ]
    [[ "$output" == *"spin "* && "$output" != *cbmc* ]]
    grep -x 'install -y --no-install-recommends spin noninteractive' "$dir/calls"
    NONE="" script setup.sh test
    grep -x 'install -y --no-install-recommends spin cbmc noninteractive' "$dir/calls"
}

@test "a package that apt knows only after the update is installed with the others" {
    missing cbmc spin
    [ "$EUID" -eq 0 ] || stub sudo 'exec "$@"'
    stub apt-cache 'if [[ -s $DIR/calls ]]; then echo "  Candidate: 1.0"; fi'
    script setup.sh test
    [ "$status" -eq 0 ]
    grep -x 'install -y --no-install-recommends spin cbmc noninteractive' "$dir/calls"
}

@test "SETUP=no: nothing is asked, nothing is installed" {
    missing git
    SETUP=no script setup.sh build
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    [ ! -s "$dir/calls" ]
}

@test "apt-get that fails: its last lines, one line of ours, no success" {
    missing git
    [ "$EUID" -eq 0 ] || stub sudo 'exec "$@"'
    for step in update install; do
        FAIL=$step script setup.sh build
        [ "$status" -eq 1 ]
        [[ "$output" == *"E: no such mirror"*"setup.sh: apt-get failed; its last lines are above" ]]
        [[ "$output" != *Installed.* ]]
    done
}

@test "no apt-get: one line that says what to do" {
    missing git
    rm "$dir/bin/apt-get"
    script setup.sh build
    [ "$status" -eq 1 ]
    [[ "${lines[-1]}" == "setup.sh: no apt-get here: "*SETUP=no ]]
}

@test "not root and no sudo: one line that says what to do" {
    missing git
    as_nobody setup.sh build
    [ "$status" -eq 1 ]
    [[ "${lines[-1]}" == "setup.sh: not root and no sudo: "*SETUP=no ]]
    [ ! -s "$dir/calls" ]
}

@test "not root: through sudo, and it says so" {
    missing git
    stub sudo 'echo sudo >>"$DIR/calls"; exec "$@"'
    as_nobody setup.sh build
    [ "$status" -eq 0 ]
    [[ "$output" == *"through sudo"* ]]
    [ "$(grep -c sudo "$dir/calls")" -eq 2 ]
    [ "$(grep -c git "$dir/calls")" -eq 1 ]
}

@test "no group, or one that is not known: refused in one line that lists them" {
    for groups in "" "tset" "build tset"; do
        # shellcheck disable=SC2086
        script setup.sh $groups
        [ "$status" -eq 1 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ "$output" == *"groups: build test demo hosted bench paper" ]]
    done
    [[ "$output" == *tset* ]]
}

@test "prove.sh: no release, or an unknown one, is refused" {
    for release in "" sid; do
        # shellcheck disable=SC2086
        script prove.sh $release
        [ "$status" -eq 1 ]
        [ "$output" = "prove.sh: usage: prove.sh bookworm|trixie [TARGET...]" ]
    done
}

@test "prove.sh: not root, or no mmdebstrap, is refused before anything is made" {
    as_nobody prove.sh bookworm
    [ "$status" -eq 1 ]
    [[ "$output" == "prove.sh: must run as root: "* ]]
    if [ "$EUID" -eq 0 ]; then
        script prove.sh bookworm
        [ "$status" -eq 1 ]
        [[ "$output" == "prove.sh: mmdebstrap is missing: "* ]]
    fi
    [ ! -e "$dir/build" ]
}
