#!/usr/bin/env bash
# The suite of the host's probes on one Debian: probes.sh own|other. Own is this machine's release,
# where cells would run if it can trace vhost-net itself, else in the lab; other is always the lab's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
case ${1:-} in
own)
    # On another system than Debian 12 or 13 there is no own lab: the default is as good as any.
    case $own in
    bookworm | trixie) export LAB_RELEASE=$own ;;
    esac
    ;;
other)
    export HOST=lab LAB_RELEASE=bookworm
    [[ $own != bookworm ]] || LAB_RELEASE=trixie
    ;;
*)
    echo "usage: probes.sh own|other" >&2
    exit 2
    ;;
esac
exec bats --tap "$here/probes.bats"
