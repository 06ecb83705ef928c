# shellcheck shell=bash
# Files travel over a second disk of the lab used as a tape: under emulation it carries some thirty
# times what ssh does, because nothing is encrypted and no packet is handled. Sourced by lab.sh.

tape_gigabytes=16 # the longest transfer; the file is sparse

: "${run:?set by lab.sh}"

# A new tape, and also the way to give the blocks of the last transfer back to the file system.
tape_reset() {
    truncate -s 0 "$run/tape"
    truncate -s "${tape_gigabytes}G" "$run/tape"
}

# One transfer at a time: there is one tape.
tape_lock() {
    exec 8>"$run/tape.lock"
    flock 8
}

# Leaves the payload's size in $tape_used.
tape_write() {
    truncate -s 0 "$run/tape"
    "$@" >"$run/tape" || die "cannot write to $run/tape: is the disk full, is the file readable?"
    tape_used=$(stat -c %s "$run/tape")
    truncate -s "${tape_gigabytes}G" "$run/tape"
}

put() {
    local from=$1 to=$2 unpack
    [[ -e $from ]] || die "$from does not exist"
    need_running
    tape_lock
    if [[ -d $from ]]; then
        tape_write tar -C "$from" -cf - .
        unpack=$(printf 'mkdir -p %q && tar --warning=no-timestamp -C %q -xf -' "$to" "$to")
    else
        tape_write cat "$from"
        unpack=$(printf 'mkdir -p %q && cat >%q && chmod %s %q' "$(dirname "$to")" "$to" \
            "$(stat -Lc %a "$from")" "$to")
    fi
    # Each stage reads to the end, or the one before it would die of a closed pipe.
    # Direct reads: the lab's page cache would hold what the last transfer left there.
    lab_ssh "set -o pipefail; dd if=/dev/vdb bs=1M count=$(((tape_used + 1048575) >> 20)) \
        iflag=direct status=none | { head -c $tape_used; cat >/dev/null; } |
        { $unpack && cat >/dev/null; }" ||
        die "cannot write $to in the lab"
    tape_reset
}

# Runs in the lab: writes $1 to the tape and says what it is: "tar", or size and mode of a file.
# shellcheck disable=SC2016
tape_send='
set -eo pipefail
out="of=/dev/vdb bs=1M iflag=fullblock oflag=direct conv=sync status=none"
if [ -d "$1" ]; then
    tar -C "$1" -cf - . | dd $out
    echo tar
else
    stat -Lc "%s %a" "$1"
    dd if="$1" $out
fi'

get() {
    local from=$1 to=$2 what
    need_running
    tape_lock
    what=$(lab_ssh "$(printf 'bash -c %q - %q' "$tape_send" "$from")") ||
        die "cannot read $from in the lab"
    if [[ $what == tar ]]; then
        mkdir -p "$to"
        tar --warning=no-timestamp -C "$to" -xf "$run/tape" || die "cannot unpack $from into $to"
    else
        head -c "${what% *}" "$run/tape" >"$to.part" || die "cannot write $to"
        chmod "${what#* }" "$to.part"
        mv "$to.part" "$to"
    fi
    tape_reset
}
