#!/usr/bin/env bats
# Linux's own aoe driver, in a guest, against aoe-targetd: the short form. guest_long.bats has the rest.

# The scripts are the guest's to expand:
# shellcheck disable=SC2016

load guest/lib

@test "the driver finds the disk, every byte is right, and ext4 on it is clean" {
  requires_guest
  make_net
  truncate -s 32M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e7.1; aoe-stat
    echo "sectors $(sectors_of e7.1) payload $(cat /sys/block/etherd!e7.1/payload)"
    echo "netif $(cat /sys/block/etherd!e7.1/netif)"
    cat /sys/block/etherd!e7.1/mac'
  assert_status 0
  assert_contains "$output" "e7.1         0.033GB       eth0 1024  up"
  assert_contains "$output" "sectors 65536 payload 1024"
  assert_contains "$output" "netif eth0"
  assert_contains "$output" "$(in_target cat /sys/class/net/tgt0/address | tr -d :)"

  # The whole device, read back past the guest's cache, and the file behind it.
  run guest 'make_pattern /run/pattern 32; write_all /run/pattern /dev/etherd/e7.1
    verify_all /run/pattern /dev/etherd/e7.1; sha256sum </run/pattern'
  assert_status 0
  [ "${output%% *}" = "$(sha256sum <"$WORK/disk.img" | cut -d ' ' -f 1)" ] || fail "the file differs"

  run guest 'mkfs.ext4 -q -F /dev/etherd/e7.1; mount /dev/etherd/e7.1 /mnt; fill /mnt; umount /mnt
    e2fsck -fn /dev/etherd/e7.1; drop_caches; mount /dev/etherd/e7.1 /mnt; check_filled /mnt; umount /mnt'
  assert_status 0
  # The same file system without the guest.
  e2fsck -fn "$WORK/disk.img"

  run guest 'driver_complaints'
  [ -z "$output" ] || fail "$output"
  stop_targetd
}
