#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# The guest on every transport that QEMU has: PCI modern and legacy, MMIO; with all ways to interrupt.

bats_require_minimum_version 1.5.0

# shellcheck source=experiments/test/guest_kit.bash
. "$BATS_TEST_DIRNAME/guest_kit.bash"

microvm=microvm,acpi=off # with ACPI QEMU puts its devices on lines above 15 and says not where

# said LINE...: the console has each of them.
said() {
    local line
    for line; do
        grep -F "$line" "$work/guest/console.log"
    done
}

# modern|legacy MODE EVENT_IDX VECTORS IRQS
modern() {
    echoes "$1" "$2" "$4" disable-legacy=on "vectors=$3"
    said ": virtio-net by pci-modern"
}

legacy() {
    echoes "$1" "$2" "$4" disable-modern=on "vectors=$3"
    said ": virtio-net by pci-legacy"
}

@test "modern, poll, no vector" { modern poll on 0 none; }
@test "modern, poll, 1 vector" { modern poll off 1 none; }
@test "modern, poll, 2 vectors" { modern poll on 2 none; }
@test "modern, poll, 4 vectors" { modern poll off 4 none; }
@test "modern, intr, no vector" { modern intr off 0 intx; }
@test "modern, intr, 1 vector" { modern intr on 1 intx; }
@test "modern, intr, 2 vectors" { modern intr off 2 msix-shared; }
@test "modern, intr, 4 vectors" { modern intr on 4 msix; }
@test "modern, hybrid, no vector" { modern hybrid on 0 intx; }
@test "modern, hybrid, 1 vector" { modern hybrid off 1 intx; }
@test "modern, hybrid, 2 vectors" { modern hybrid on 2 msix-shared; }
@test "modern, hybrid, 4 vectors" { modern hybrid off 4 msix; }

@test "legacy, poll, no vector" { legacy poll off 0 none; }
@test "legacy, poll, 1 vector" { legacy poll on 1 none; }
@test "legacy, poll, 2 vectors" { legacy poll off 2 none; }
@test "legacy, poll, 4 vectors" { legacy poll on 4 none; }
@test "legacy, intr, no vector" { legacy intr on 0 intx; }
@test "legacy, intr, 1 vector" { legacy intr off 1 intx; }
@test "legacy, intr, 2 vectors" { legacy intr on 2 msix-shared; }
@test "legacy, intr, 4 vectors" { legacy intr off 4 msix; }
@test "legacy, hybrid, no vector" { legacy hybrid off 0 intx; }
@test "legacy, hybrid, 1 vector" { legacy hybrid on 1 intx; }
@test "legacy, hybrid, 2 vectors" { legacy hybrid off 2 msix-shared; }
@test "legacy, hybrid, 4 vectors" { legacy hybrid on 4 msix; }

@test "as many vectors as PCI allows" { modern hybrid on 2048 msix; }

@test "legacy on q35, poll" { UDP_GUEST_MACHINE=q35 legacy poll on 4 none; }
@test "legacy on q35, intr on INTx" { UDP_GUEST_MACHINE=q35 legacy intr off 0 intx; }
@test "modern on q35, hybrid" { UDP_GUEST_MACHINE=q35 modern hybrid on 4 msix; }
@test "modern on q35, intr on INTx" { UDP_GUEST_MACHINE=q35 modern intr on 0 intx; }
@test "legacy by a firmware that places no BAR" { UDP_GUEST_FIRMWARE=qboot.rom legacy hybrid on 4 msix; }

# on_microvm MODE EVENT_IDX IRQS
on_microvm() {
    UDP_GUEST_MACHINE=$microvm echoes "$@"
    said "vnet: MMIO 0xfeb00e00 line 12: virtio-net by mmio" "0 PCI functions"
}

@test "microvm, poll, event_idx" { on_microvm poll on none; }
@test "microvm, poll, flags" { on_microvm poll off none; }
@test "microvm, intr, event_idx" { on_microvm intr on mmio; }
@test "microvm, intr, flags" { on_microvm intr off mmio; }
@test "microvm, hybrid, event_idx" { on_microvm hybrid on mmio; }
@test "microvm, hybrid, flags" { on_microvm hybrid off mmio; }

@test "a transitional device, driven as it was before virtio 1.0" {
    udp_guest_start "$work/guest" hybrid "workload=echo transport=legacy"
    said ": virtio-net by pci-legacy"
    echo_load 1000 100
    settle 100
    conserved
}

# QEMU says what it thinks of the accesses to a device that is not on PCI.
@test "MMIO: no access that QEMU finds fault with" {
    # /* rule: MM-1 */ /* rule: MM-2 */ /* rule: MM-3 */ /* rule: MM-4 */
    more_qemu -D "$work/guest_errors" -d guest_errors
    UDP_GUEST_MACHINE=$microvm udp_guest_start "$work/guest" intr "workload=echo"
    echo_load 1000 100
    settle 100
    udp_guest_stop
    cat "$work/guest_errors"
    run ! grep -v 'terminating on signal' "$work/guest_errors"
}

# Above the header there is one place that is written, and that is the control word of MSI-X.
@test "PCI: no virtio capability is written" {
    # /* rule: PC-11 */ /* rule: PC-23 */ /* rule: PC-24 */
    more_qemu -D "$work/writes" -trace pci_cfg_write
    udp_guest_start "$work/guest" hybrid "workload=echo"
    echo_load 1000 100
    settle 100
    udp_guest_stop
    sed -nE 's/^pci_cfg_write virtio-net-pci .* @0x([0-9a-f]+) <- (.*)/\1 \2/p' "$work/writes" |
        sort -u | tee "$work/written"
    awk '$1 ~ /^[4-9a-f][0-9a-f]$/ { places[$1] } $2 ~ /^0x[8c]00/ { enables[$1] }
        END { for (p in places) { n++; ok = p in enables } exit !(n == 1 && ok) }' "$work/written"
}

@test "queues are reset and set up again, 400 times" {
    udp_guest_start "$work/guest" hybrid "workload=echo queue_resets=200"
    echo_load 1000 100
    settle 100
    conserved
    counters
    equal rx_given_back "200 * $(sed -n 's/.*, rx ring \([0-9]*\),.*/\1/p' "$work/guest/console.log")"
}

# QEMU 7.2 offers RING_RESET on MMIO and has no register for it; a QEMU that learns it, or stops to
# offer it, is right too.
@test "a device that only says that it resets queues is not believed" {
    # /* rule: VR-1 */
    if UDP_GUEST_MACHINE=$microvm udp_guest_start "$work/guest" hybrid "workload=echo queue_resets=1"; then
        echo_load 1000 100
        settle 100
        conserved
    else
        grep -E 'device did not reset a queue within the deadline|device does not offer RING_RESET' \
            "$work/guest/console.log"
    fi
}

# link MACHINE IRQS: the link goes down, and the guest hears of it.
link() {
    mkfifo "$work/monitor.in" "$work/monitor.out"
    more_qemu -chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor
    UDP_GUEST_MACHINE=$1 udp_guest_start "$work/guest" hybrid "workload=echo" "${@:2}"
    counters
    equal config_changes 0
    # One at a time: two changes before the guest has looked are one interrupt. (On MMIO the guest
    # looks again after its acknowledgement, and counts that too.)
    local changes=0 state
    for state in off on off on; do
        echo "set_link net $state" >"$work/monitor.in"
        for _ in {1..3000}; do
            counters
            [ "$(counter config_changes)" -le $changes ] || break
            sleep 0.02
        done
        [ "$(counter config_changes)" -gt $changes ]
        changes=$(counter config_changes)
    done
    echo_load 1000 100
    settle 100
    conserved
}

@test "configuration changes: MSI-X, a vector of their own" { link pc vectors=4; }
@test "configuration changes: MSI-X, two vectors" { link pc vectors=2; }
@test "configuration changes: INTx" { link pc vectors=0; }
@test "configuration changes: legacy" { link pc vectors=4 disable-modern=on; }
@test "configuration changes: MMIO" { link $microvm; }

@test "several devices on MMIO: the network device is found among them" {
    more_qemu -device virtio-rng-device -device virtio-rng-device
    UDP_GUEST_MACHINE=$microvm echoes hybrid on mmio
}

net=(-netdev user,id=net)

@test "refused: transport=modern of a legacy device, and the other way round" {
    refused "a virtio PCI capability is missing" transport=modern "${net[@]}" \
        -device virtio-net-pci,netdev=net,romfile=,disable-modern=on
    refused "BAR 0 is no I/O BAR" transport=legacy "${net[@]}" \
        -device virtio-net-pci,netdev=net,romfile=,disable-legacy=on
}

@test "refused: a ring size that a legacy device does not have" {
    refused "vnet: a legacy device fixes the size of its rings" "transport=legacy rx_ring=128" \
        "${net[@]}" -device virtio-net-pci,netdev=net,romfile=
}

@test "refused: a legacy device that wants the header apart" {
    refused "does not offer a feature that the driver must have" transport=legacy "${net[@]}" \
        -device virtio-net-pci,netdev=net,romfile=,any_layout=off
}

@test "refused: a microvm with MMIO of version 1, without 8259, with ACPI" {
    net+=(-device virtio-net-device,netdev=net)
    refused "virtio-mmio of another version than 2; QEMU needs -global virtio-mmio.force-legacy=false" "" \
        -machine $microvm "${net[@]}"
    refused "vnet: interrupt line 12 does not reach an 8259" "" -machine $microvm,pic=off \
        -global virtio-mmio.force-legacy=false "${net[@]}"
    refused "or with -machine microvm,acpi=off" "" -machine microvm "${net[@]}"
}

@test "refused: an address where no device can be" {
    for place in 512@0x200000:12 512:12 512@zero:12 8@0xfeb00e00:12; do
        refused "vnet: virtio_mmio.device=$place: no device can be there" \
            "virtio_mmio.device=$place" -machine $microvm
    done
    refused "no virtio device at this address" "virtio_mmio.device=512@0xfea00000:12" -machine $microvm
}
