# shellcheck shell=bash
# Shared by the scripts of plots/ and paper/. Source it; it does nothing by itself.

PLOTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TAB=$'\t'
# A decimal comma in awk or sort would silently change every number.
export LC_ALL=C

die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# The one argument all commands share: a sweep's directory with a usable summary.tsv.
need_results() {
    if [ $# -lt 1 ] || [ -z "$1" ]; then die "usage: ${0##*/} RESULTS_DIR (a directory with summary.tsv)"; fi
    [ -d "$1" ] || die "$1: no such directory; run the sweep first"
    local s=$1/summary.tsv
    [ -f "$s" ] || die "$s: missing; run the sweep first"
    [ -s "$s" ] || die "$s: line 1: empty file; run the sweep again"
    awk -f "$PLOTS/lib.awk" -f "$PLOTS/check.awk" "$s" || exit 1
    if [ -f "$1/manifest.json" ]; then awk -f "$PLOTS/json.awk" "$1/manifest.json" > /dev/null || exit 1; fi
}

# Writes to FILE only if the command succeeds, so a failed step never replaces older data.
write_to() {
    local file=$1; shift
    if "$@" > "$file.part"; then mv "$file.part" "$file"; else rm -f "$file.part"; return 1; fi
}

# Medians over repetitions, ordered mode, event_idx on before off, load.
medians() { awk -f "$PLOTS/lib.awk" -f "$PLOTS/medians.awk" "$1/summary.tsv" | sort_body; }

# Sorts by column 1 (a rank the awk scripts put there) and drops it; the header stays first.
sort_body() {
    local head
    IFS= read -r head || return 0
    printf '%s\n' "${head#*"$TAB"}"
    sort -t "$TAB" -k1,1 | cut -f2-
}

# A JSON object as key<TAB>value lines, nested names joined with dots.
manifest_lines() { if [ -f "$1" ]; then awk -f "$PLOTS/json.awk" "$1"; fi; }

# The first non-empty value among several spellings of a manifest key.
manifest_get() {
    local file=$1 key value; shift
    for key in "$@"; do
        value=$(manifest_lines "$file" | awk -F '\t' -v k="$key" '$1 == k { print $2; exit }')
        if [ -n "$value" ]; then printf '%s\n' "$value"; return 0; fi
    done
    return 0
}

git_of() {
    local rev
    rev=$(manifest_get "$1/manifest.json" git git_revision git_rev revision commit git.revision)
    # A full hash is too long for a caption; a "-dirty" mark must survive.
    printf '%s\n' "${rev:-unknown}" | sed -E 's/^([0-9a-f]{12})[0-9a-f]{28}/\1/'
}

# "1" when any cell ran emulated: one such cell taints every pooled figure.
emulated_of() {
    awk -f "$PLOTS/lib.awk" -f <(printf '%s\n' \
        'FNR == 1 { header(); next } val("emulated") == 1 { e = 1 } END { print e + 0 }') "$1/summary.tsv"
}
