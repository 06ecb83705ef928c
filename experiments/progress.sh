# shellcheck shell=bash
# A progress bar with an estimate: sourced. On a terminal one line that changes, else a line a step.
#   progress_start TO_GO ALREADY_DONE    progress_show DONE_NOW TEXT    progress_end

progress_start() {
    progress_todo=$1
    progress_before=$2
    progress_t0=$SECONDS
    [[ $2 == 0 ]] || echo "$2 cells are finished already; $1 to go"
}

progress_show() {
    local done_now=$1 text=$2 total=$((progress_todo + progress_before)) estimate='' bar width=24 full
    local at=$((done_now + progress_before)) spent=$((SECONDS - progress_t0)) left
    if ((done_now > 0)); then
        left=$((spent * (progress_todo - done_now) / done_now))
        estimate=$(printf ', about %d:%02d left' $((left / 60)) $((left % 60)))
    fi
    full=$((at * width / total))
    bar=$(printf '%*s' "$full" '' | tr ' ' '#')$(printf '%*s' $((width - full)) '' | tr ' ' '.')
    if [[ -t 1 ]]; then
        printf '\r\033[K[%s] %d/%d%s  %s' "$bar" "$at" "$total" "$estimate" "$text"
    else
        printf '[%s] %d/%d%s  %s\n' "$bar" "$at" "$total" "$estimate" "$text"
    fi
}

progress_end() {
    [[ ! -t 1 ]] || echo
}
