#!/usr/bin/env bats
# Our own initiator in a guest whose kernel has nbd or ublk: the long form (AOE_TEST_LONG=1).
# docs/INTEROP.md has the results.

# The scripts are the guest's to expand:
# shellcheck disable=SC2016

load guest/lib

UBLK_KERNEL=${AOE_GUEST_KERNEL:-linux-image-6.12-cloud-amd64}

# boot_with_targets COUNT SIZE [ARGS..]: e7.1 .. e7.COUNT, and a guest with our programs, MTU 9000, the
# initiator daemon and the modules.
boot_with_targets() {
  local number exports=()
  GUEST_HAS_OURS=1
  make_net
  for ((number = 1; number <= $1; number++)); do
    truncate -s "$2" "$WORK/disk$number.img"
    exports+=(-e "7.$number=$WORK/disk$number.img")
  done
  start_targetd "${exports[@]}"
  boot_guest 1536
  guest 'nic 0 9000; for m in af_packet fuse loop nbd ublk_drv raid10 dm-mod; do modprobe $m 2>/dev/null || true; done
    start_initiator'
}

same_pattern() {
  local sum
  sum=$(guest 'sha256sum </run/pattern')
  [ "${sum%% *}" = "$(sha256sum <"$1" | cut -d ' ' -f 1)" ] || fail "$1 differs from what the guest wrote"
}
no_complaints() {
  run guest 'driver_complaints'
  [ -z "$output" ] || fail "the kernel complains: $output"
}

# life_of_a_disk WAY: what people do with a disk, through it.
life_of_a_disk() {
  run guest "wait_up e7.1; device=\$(aoe attach e7.1 --via $1); echo \"device \$device\"
    readlink /dev/etherd/e7.1; aoe list
    blockdev --getsize64 \$device; blockdev --getss \$device
    make_pattern /run/pattern 64; write_and_verify /run/pattern \$device 1"
  assert_status 0
  assert_contains "$output" "device /dev/$1"
  assert_contains "$output" 67108864
  same_pattern "$WORK/disk1.img"
  run guest 'device=$(readlink /dev/etherd/e7.1); mkfs.ext4 -q -F $device; mount $device /mnt; fill /mnt
    if aoe detach e7.1; then echo "detached while mounted"; fi
    rm /mnt/small/3; sed -i "/small\/3$/d" /mnt/sums; fstrim /mnt; umount /mnt
    e2fsck -fn $device; drop_caches; mount $device /mnt; check_filled /mnt; umount /mnt
    aoe stats e7.1 || true; aoe detach e7.1
    [ ! -L /dev/etherd/e7.1 ]; nothing_left'
  assert_status 0
  assert_contains "$output" "in use: mounted at /mnt"
  assert_lacks "$output" "detached while mounted"
  e2fsck -fn "$WORK/disk1.img"
  no_complaints
}

@test "nbd: attach, every byte, ext4, discard, detach, nothing left" {
  requires_long
  requires_guest
  boot_with_targets 1 64M
  life_of_a_disk nbd
}

@test "ublk: attach, every byte, ext4, discard, detach, nothing left" {
  requires_long
  AOE_GUEST_KERNEL=$UBLK_KERNEL requires_guest
  boot_with_targets 1 64M
  life_of_a_disk ublk
}
