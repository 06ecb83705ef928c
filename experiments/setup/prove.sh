#!/usr/bin/env bash
# Proves packages.tsv: clones the committed tree into a clean Debian chroot that has nothing but git
# and make, and runs make targets there as a new user would.
#   prove.sh bookworm|trixie [TARGET...]      default target: test
# Needs root, mmdebstrap and a mirror (this machine's own apt sources name it). The chroot lies
# under build/prove/ and is removed when the proof succeeded; a failed one is kept to look at.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

die() {
    echo "prove.sh: $*" >&2
    exit 1
}

release=${1:-}
shift || true
case $release in
bookworm | trixie) ;;
*) die "usage: prove.sh bookworm|trixie [TARGET...]" ;;
esac
[[ $# -gt 0 ]] || set -- test
[[ $EUID == 0 ]] || die "must run as root: it mounts /proc, /sys and /dev into a chroot"
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: run experiments/setup/setup.sh demo"

chroot=$root/build/prove/$release
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' | sort | uniq -c |
    sort -rn | awk 'NR == 1 { print $2 }')
[[ -n $mirror ]] || die "this machine's apt sources name no Debian mirror"

in_chroot() {
    chroot "$chroot" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb "$@"
}

# A lab that the run left on goes with it.
leave() {
    [[ ! -x $chroot/root/ringscope/experiments/lab/lab.sh ]] ||
        in_chroot /root/ringscope/experiments/lab/lab.sh stop >/dev/null 2>&1 || true
    unmount
}

unmount() {
    for m in dev/pts dev/shm dev sys proc; do
        mountpoint -q "$chroot/$m" && umount -l "$chroot/$m"
    done
    ! mountpoint -q "$chroot" || umount -l "$chroot"
}
trap leave EXIT

unmount
rm -rf --one-file-system "$chroot"
mkdir -p "$chroot"
echo "building a clean $release chroot"
mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates "$release" "$chroot" \
    "$mirror" || die "mmdebstrap failed"
# A mount of its own, as the root of any machine is: building the lab gives its mounts a namespace,
# which a root that is only a folder refuses.
mount --bind "$chroot" "$chroot"
mount --bind /proc "$chroot/proc"
mount --bind /sys "$chroot/sys"
mount --bind /dev "$chroot/dev"
mkdir -p "$chroot/dev/shm" "$chroot/dev/pts"
mount -t devpts devpts "$chroot/dev/pts" -o ptmxmode=666 2>/dev/null || true
mount -t tmpfs tmpfs "$chroot/dev/shm"
cp /etc/resolv.conf "$chroot/etc/resolv.conf" 2>/dev/null || true
git clone -q "$root" "$chroot/root/ringscope"
echo "in the chroot: make $*"
in_chroot make -C /root/ringscope "$@" || die "make $* failed in the $release chroot; it is kept in $chroot"
leave
rm -rf --one-file-system "$chroot"
echo "proved: make $* works on a clean $release"
