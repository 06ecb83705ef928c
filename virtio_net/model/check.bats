#!/usr/bin/env bats
# check.sh says what SPIN found, and takes nothing for a proof that is none.

setup() {
    here=$BATS_TEST_DIRNAME
    export BUILD=$BATS_TEST_TMPDIR/build RESULTS=$BATS_TEST_TMPDIR/results JOBS=1
    export VARIANTS=$BATS_TEST_TMPDIR/variants.tsv
    command -v spin >/dev/null || skip "spin is not installed"
}

# variant DEFINES EXPECTED
variant() {
    printf 'one\tkick\t%s\t%s\twhy\n' "$1" "$2" >"$VARIANTS"
    run "$here/check.sh" one
    echo "$output"
}

table() {
    awk -F '\t' 'NR == 2 { print $4 "/" $5 }' "$RESULTS/proof/models.tsv"
}

@test "what holds and should, and what is violated and should be, are ok" {
    variant -DFLAGS holds
    [ "$status" -eq 0 ]
    [ "$(table)" = holds/holds ]
    variant "-DFLAGS -DDEVICE_NO_RECHECK" lost_wakeup
    [ "$status" -eq 0 ]
    [ "$(table)" = lost_wakeup/lost_wakeup ]
}

@test "another verdict than the expected one is not ok" {
    variant -DFLAGS lost_wakeup
    [ "$status" -eq 1 ]
    [[ "$output" == *"not ok 1 one"*"holds, expected: lost_wakeup"* ]]
    variant "-DFLAGS -DDEVICE_NO_RECHECK" holds
    [ "$status" -eq 1 ]
    variant "-DFLAGS -DDEVICE_NO_RECHECK" bad_entry
    [ "$status" -eq 1 ]
}

@test "a search that was cut short is no proof, by depth and by memory" {
    DEPTH=500 variant -DFLAGS holds
    [ "$status" -eq 1 ]
    [ "$(table)" = "cut short by depth/holds" ]
    MEGABYTES=130 variant -DFLAGS holds
    [ "$status" -eq 1 ]
    [[ "$(table)" == "cut short by memory/holds" ]]
}

@test "a model that does not compile is not ok" {
    printf 'one\tsplit\t-DFLAGS -DMODULUS=\tholds\twhy\n' >"$VARIANTS"
    run "$here/check.sh" one
    [ "$status" -eq 1 ]
    [ "$(table)" = "does not compile/holds" ]
}

@test "a variant that is not there: one line that lists those that are" {
    variant -DFLAGS holds
    run "$here/check.sh" two
    [ "$status" -eq 1 ]
    [ "$output" = "check.sh: no variant 'two'; there are: one" ]
}

@test "the table: five fields, names once, models that exist, verdicts that are explained" {
    unset VARIANTS
    awk -F '\t' '!/^#/ && (NF != 5 || seen[$1]++ || $5 == "") { print; bad = 1 } END { exit bad }' "$here/variants.tsv"
    awk -F '\t' '!/^#/ { print $2 }' "$here/variants.tsv" | sort -u | while read -r model; do
        [ -e "$here/$model.pml" ]
    done
    awk -F '\t' '!/^#/ { print $4 }' "$here/variants.tsv" | sort -u | while read -r verdict; do
        grep -qF "\`$verdict\`" "$here/README.md"
    done
}
