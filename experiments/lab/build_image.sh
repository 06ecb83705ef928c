#!/usr/bin/env bash
# Builds the lab's disk, kernel and initrd: build_image.sh RELEASE DIR. DIR appears, complete, in
# one rename at the end, so a build that was killed is never taken for a finished one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
inputs=(build_image.sh packages.list init initrd_init sshd_config)
disk_megabytes=2048
need_megabytes=3500

die() {
    echo "build_image.sh: $*" >&2
    exit 1
}

# What the image is made from; a lab whose stamp differs is out of date.
stamp() {
    (cd "$here" && echo "$1" && sha256sum "${inputs[@]}") | sha256sum | cut -d' ' -f1
}

# The machine's own Debian mirror, so that an organisation's mirror or proxy is respected.
mirror() {
    if [[ -n ${LAB_MIRROR:-} ]]; then
        echo "$LAB_MIRROR"
        return
    fi
    # The whole list is read: leaving early would break apt's pipe.
    apt-get indextargets --format $'$(REPO_URI)\t$(COMPONENT)\t$(ORIGIN)\t$(LABEL)' \
        'Created-By: Packages' 2>/dev/null |
        awk -F'\t' '$2 == "main" && $3 == "Debian" && $4 == "Debian" && !uri { uri = $1 }
                    END { print uri }'
}

packages() {
    sed 's/#.*//' "$here/packages.list" | xargs | tr ' ' ,
}

check_machine() {
    local dir=$1 tool free packages="mmdebstrap e2fsprogs openssh-client xz-utils zstd"
    [[ $EUID == 0 ]] || die "needs root (a root file system is unpacked): run it as root"
    for tool in mmdebstrap mke2fs ssh-keygen xz zstd; do
        command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null ||
            die "$tool is not installed: apt-get install $packages"
    done
    free=$(df --output=avail -BM "$dir" | tail -n 1 | tr -dc 0-9)
    ((free >= need_megabytes)) ||
        die "$dir has $free MB free and the lab needs $need_megabytes MB: free some space"
}

unpack() {
    local release=$1 work=$2 uri
    uri=$(mirror)
    [[ -n $uri ]] || die "apt knows no Debian mirror: set LAB_MIRROR to the address of one"
    # INITRD=No: the initrd is our own, so Debian's need not be generated.
    # The mounts it makes live in a name space of its own and go with it, even when it is killed.
    INITRD=No unshare --mount mmdebstrap --mode=root --variant=minbase --architectures=amd64 \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --include="$(packages)" \
        "$release" "$work/root" "$uri" >"$work/log" 2>&1 || explain_failure "$work" "$uri"
}

explain_failure() {
    local log=$1.log
    mv "$1/log" "$log"
    if grep -q 'No space left on device' "$log"; then
        die "the disk filled up while unpacking the lab: free $need_megabytes MB, then run it again"
    fi
    die "mmdebstrap could not build the lab from $2: see $log"
}

make_keys() {
    local work=$1
    ssh-keygen -q -t ed25519 -N '' -C ringscope-lab -f "$work/ssh_key"
    ssh-keygen -q -t ed25519 -N '' -C ringscope-lab -f "$work/root/lab/host_key"
    cp "$work/ssh_key.pub" "$work/root/lab/authorized_keys"
    echo "ringscope-lab $(cut -d' ' -f1,2 "$work/root/lab/host_key.pub")" >"$work/known_hosts"
}

# An initrd of the modules that every lab needs, unpacked and in the order modprobe would load them:
# under emulation, unpacking and looking for them at each boot takes seconds.
make_initrd() {
    local work=$1 version=$2 tree=$1/root/initrd file name
    mkdir -p "$tree/bin" "$tree/modules" "$tree/dev" "$tree/root"
    cp "$work/root/bin/busybox" "$tree/bin/"
    cp "$here/initrd_init" "$tree/init"
    chroot "$work/root" modprobe -aS "$version" --show-depends virtio_pci virtio_blk \
        crc32c_generic ext4 virtio_net tun vhost_net |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/modules"
    while read -r file; do
        name=$(basename "$file" .xz)
        cp "$work/root$file" "$tree/modules/"
        [[ $file != *.xz ]] || xz -d "$tree/modules/$name.xz"
        echo "$name" >>"$tree/modules/order"
    done <"$work/modules"
    chroot "$work/root" /bin/sh -c 'cd /initrd && find . | busybox cpio -o -H newc' \
        >"$work/initrd" 2>>"$work/log"
    rm -r "$tree" "$work/modules"
}

# The kernel without its compression and real-mode part: QEMU loads the ELF file by itself.
extract_kernel() {
    local vmlinuz=$1 out=$2 magic tool offset offsets
    # The payload's first bytes, and what unpacks it; a kernel has one of these formats.
    while read -r magic tool; do
        mapfile -t offsets < <(LC_ALL=C grep -abo -P "$magic" "$vmlinuz" | cut -d: -f1)
        for offset in "${offsets[@]}"; do
            tail -c +$((offset + 1)) "$vmlinuz" | $tool -dc >"$out" 2>/dev/null || true
            [[ $(head -c 4 "$out" | tr -d '\0') != $'\x7fELF' ]] || return 0
        done
    done <<'END'
\x28\xb5\x2f\xfd zstd
\xfd7zXZ\x00 xz
END
    die "$vmlinuz holds no kernel in a format known here (zstd, xz)"
}

# The root account has no password and needs a shell that understands quoted arguments.
configure_root() {
    local root=$1
    mkdir -p "$root/lab"
    install -m 755 "$here/init" "$here/initrd_init" "$root/lab/"
    install -m 644 "$here/sshd_config" "$root/lab/"
    rm -f "$root/etc/resolv.conf" "$root"/boot/System.map-*
    echo "nameserver 10.0.2.3" >"$root/etc/resolv.conf"
}

make_disk() {
    local work=$1
    chown -R 0:0 "$work/root/lab"
    chmod 600 "$work/root/lab/host_key"
    PATH=$PATH:/usr/sbin mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -d "$work/root" \
        "$work/disk.img" "${disk_megabytes}M" >>"$work/log" 2>&1 ||
        die "mke2fs could not write $work/disk.img: $(tail -n 1 "$work/log")"
}

# One file system only: should a killed build have left /proc or /dev mounted, they stay untouched.
discard() {
    [[ ! -e $1 ]] || rm -rf --one-file-system "$1"
}

main() {
    [[ $# == 2 ]] || die "usage: build_image.sh RELEASE DIR | --stamp RELEASE"
    if [[ $1 == --stamp ]]; then
        stamp "$2"
        return
    fi
    local release=$1 dir=$2 work=$2.new version
    mkdir -p "$(dirname "$dir")"
    check_machine "$(dirname "$dir")"
    discard "$work"
    mkdir "$work"
    unpack "$release" "$work"
    configure_root "$work/root"
    make_keys "$work"
    version=$(basename "$work"/root/lib/modules/*)
    make_initrd "$work" "$version"
    extract_kernel "$work/root/boot/vmlinuz-$version" "$work/vmlinux"
    make_disk "$work"
    discard "$work/root"
    stamp "$release" >"$work/stamp"
    discard "$dir"
    mv "$work" "$dir"
}

main "$@"
