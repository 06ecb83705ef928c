#!/bin/sh
# With TRACE=0 and FAULT=0 the driver's objects are, byte for byte and relocation for relocation,
# those of a source in which the macros were never written.
# Usage: text_identical.sh OUTDIR SOURCE...   from the repository's root
set -eu
out=$1
shift
# shellcheck disable=SC2016
flags=$(MAKEFLAGS='' make -s -f kernel/build.mk --eval='vnet-flags: ; @echo $(KERNEL_CFLAGS)' vnet-flags)
strip=virtio_net/test/strip_seams.awk
cc=${KERNEL_CC:-gcc}

rm -rf "$out"
mkdir -p "$out/bare" "$out/count"
cp -r virtio_net kernel "$out/bare" # and neither trace nor faultinj: nothing may want them

# build DIR OBJECT SOURCE FLAG...: compiles there; leaves its sections and relocations in OBJECT.txt
build() {
    dir=$1 obj=$2 src=$3
    shift 3
    mkdir -p "$(dirname "$obj")"
    # shellcheck disable=SC2086
    (cd "$dir" && $cc $flags -g0 -DPORT_GUEST "$@" -c -o "$obj" "$src") || {
        echo "text_identical: $src does not compile in $dir" >&2
        exit 1
    }
    objdump -s -r "$obj" | sed 1,3d >"$obj.txt"
}

abs=$(cd "$out" && pwd)
total=0
failed=0
for src in "$@"; do
    name=${src%.c}
    count="$abs/count/$(echo "$name" | tr / _)"
    awk -v count="$count" -f "$strip" "$src" >"$abs/bare/$src"
    n=$(cat "$count")
    total=$((total + n))
    if grep -nE 'TRACE|FAULT' "$abs/bare/$src"; then
        echo "text_identical: $src: these lines were not removed" >&2
        failed=1
    fi
    build . "$abs/off/$name.o" "$src" -DTRACE=0 -DFAULT=0
    build "$abs/bare" "$abs/none/$name.o" "$src"
    if ! cmp -s "$abs/off/$name.o.txt" "$abs/none/$name.o.txt"; then
        echo "text_identical: $src: TRACE=0 FAULT=0 leaves something in the object" >&2
        diff "$abs/off/$name.o.txt" "$abs/none/$name.o.txt" | head -5 >&2
        failed=1
    fi
    # The comparison can tell: switched on, a source that had something removed must differ.
    build . "$abs/on/$name.o" "$src" -DTRACE=1 -DFAULT=1
    if [ "$n" -gt 0 ] && cmp -s "$abs/on/$name.o.txt" "$abs/none/$name.o.txt"; then
        echo "text_identical: $src: no difference even with TRACE=1 FAULT=1" >&2
        failed=1
    fi
done
if [ "$total" -eq 0 ]; then
    echo "text_identical: nothing was removed from any source" >&2
    failed=1
fi
[ "$failed" -eq 0 ] || exit 1
echo "text_identical: $# sources, $total seams removed, objects the same"
