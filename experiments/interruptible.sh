# shellcheck shell=bash
# Work that can be interrupted at any moment: sourced.
#
#   interruptible COMMAND...   runs it, with no input, in a process group of its own that INT, TERM
#                              and HUP end as a whole; returns its status, 130 when interrupted
#
# A trap in the shell that does the work would not do: bash (5.2 at least) runs a trap that comes
# while it expands $(...) in that expansion's parser state, finds no ')' and gives up, which hit one
# interrupt in three. So the shell that has the trap only waits, and the work just dies.

interruptible() {
    local worker status=0 interrupted=0
    # Job control, so that the worker leads a group, and hears INT, to which jobs without it are deaf.
    set -m
    "$@" </dev/null &
    worker=$!
    set +m
    trap 'interrupted=1; kill -TERM -- "-$worker" 2>/dev/null || true' INT TERM HUP
    { wait "$worker" || status=$?; } 2>/dev/null
    if [[ $interrupted == 1 ]]; then
        # A signal ends the first wait early; what counts is that the worker is gone.
        { wait "$worker" || true; } 2>/dev/null
        status=130
    fi
    trap - INT TERM HUP
    return "$status"
}
