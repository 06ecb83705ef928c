#!/usr/bin/env bash
# Installs the Debian packages that a job needs and this machine lacks; says which and why.
#   setup.sh GROUP...        groups of packages.tsv; SETUP=no: install nothing
# A package that is also in the group `where-there-is-one` is left out where this Debian has none.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

die() {
    echo "setup.sh: $*" >&2
    exit 1
}

[[ ${SETUP:-yes} != no ]] || exit 0
[[ $# -gt 0 ]] || die "usage: setup.sh GROUP..., groups: build test demo hosted bench paper"
for group in "$@"; do
    [[ " build test demo hosted bench paper " == *" $group "* ]] || die "no group '$group'; groups: build test demo hosted bench paper"
done

wanted() {
    awk -F '\t' -v groups=" $* " '!/^#/ && NF == 3 {
        n = split($2, g, " ")
        may = index(" " $2 " ", " where-there-is-one ") ? "may" : "must"
        for (i = 1; i <= n; i++) if (index(groups, " " g[i] " ")) { print $1 "\t" may "\t" $3; next }
    }' "$here/packages.tsv"
}

installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Whether apt knows a version to install. (Not by a pipe into grep -q: it may leave before apt-cache has
# said all, which pipefail takes for a failure.)
available() {
    [[ $(apt-cache policy "$1" 2>/dev/null) == *'Candidate: '[!\(]* ]]
}

missing=() unknown=()
while IFS=$'\t' read -r package need why; do
    installed "$package" && continue
    if [[ $need == may ]] && ! available "$package"; then
        unknown+=("$package")
        continue
    fi
    [[ ${#missing[@]} -gt 0 ]] || echo "These Debian packages are needed and not installed:"
    printf '  %-28s %s\n' "$package" "$why"
    missing+=("$package")
done < <(wanted "$@")
[[ ${#missing[@]} -gt 0 ]] || exit 0

command -v apt-get >/dev/null || die "no apt-get here: install them by hand, then use SETUP=no"
root=()
if [[ $EUID != 0 ]]; then
    command -v sudo >/dev/null || die "not root and no sudo: install them as root, or use SETUP=no"
    root=(sudo)
fi
echo "Installing them with apt-get${root:+ through sudo} (SETUP=no skips this)."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# What apt did not know may be known once its lists are there.
install() {
    local package
    "${root[@]}" apt-get update || return
    for package in "${unknown[@]}"; do
        ! available "$package" || missing+=("$package")
    done
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

if ! install >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    die "apt-get failed; its last lines are above"
fi
echo "Installed."
