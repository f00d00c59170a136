#!/usr/bin/env bats
# Linux's own aoe driver, in a guest, against aoe-targetd: the short form. guest_long.bats has the rest.

# The scripts are the guest's to expand:
# shellcheck disable=SC2016

load guest/lib

# same_in_guest COMMAND ARGS..: Debian's and ours, one after the other, say and do the same. Where the driver
# refuses what is written to it, Debian's scripts say so in the words of their shell: those lines are left out.
same_in_guest() {
  run guest "PATH=/usr/sbin:\$PATH; status=0; $* >/run/theirs 2>&1 || status=\$?; echo \"status \$status\" >>/run/theirs
    PATH=/ours/names:\$PATH; status=0; $* >/run/ours 2>&1 || status=\$?; echo \"status \$status\" >>/run/ours
    sed -i '/[Ii]nvalid argument/d' /run/theirs /run/ours
    diff /run/theirs /run/ours && cat /run/ours"
  [ "$status" -eq 0 ] || fail "$*: Debian's (<) and ours (>) differ: $output"
}

# The commands of aoetools over the driver that is loaded: everything that Debian's do, ours do.
names_drive_the_driver() {
  same_in_guest aoe-stat
  assert_contains "$output" "e7.1         0.033GB       eth0 1024  up"
  same_in_guest aoe-stat e7.2
  assert_contains "$output" "e7.2 "
  same_in_guest aoe-stat nothing
  same_in_guest aoe-version
  assert_contains "$output" "running aoe driver:	85"
  same_in_guest aoe-interfaces
  same_in_guest aoe-revalidate e9.9
  same_in_guest aoe-flush e9.9
  same_in_guest aoe-interfaces eth7
  run guest 'PATH=/ours/names:$PATH; aoe-interfaces eth0; cat /sys/module/aoe/parameters/aoe_iflist; aoe-interfaces'
  assert_status 0
  assert_contains "$output" "eth0"
  # Forgotten, and found again.
  run guest 'PATH=/ours/names:$PATH; aoe-flush e7.2; echo flushed; aoe-flush -a; until_true 20 is_gone e7.2
    aoe-stat || true; find_devices e7.1 e7.2; aoe-stat'
  assert_status 0
  # It grew: the driver learns of it when it is told to look.
  truncate -s 3M "$WORK/small.img"
  aoe target resize e7.2 --control "$TARGETD_CONTROL"
  run guest 'PATH=/ours/names:$PATH; looked() { aoe-revalidate e7.2; sleep 0.3; has_sectors e7.2 6144; }
    until_true 60 looked'
  assert_status 0
}

@test "the driver finds the disk, every byte is right, and ext4 on it is clean" {
  requires_guest
  make_net
  truncate -s 32M "$WORK/disk.img"
  truncate -s 1M "$WORK/small.img"
  start_targetd -e "7.1=$WORK/disk.img" -e "7.2=$WORK/small.img"
  # What boot_guest puts into the guest:
  # shellcheck disable=SC2034
  GUEST_HAS_NAMES=1 GUEST_IS_WATCHED=1
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e7.1 e7.2; aoe-stat
    echo "sectors $(sectors_of e7.1) payload $(cat /sys/block/etherd!e7.1/payload)"
    echo "netif $(cat /sys/block/etherd!e7.1/netif)"
    cat /sys/block/etherd!e7.1/mac'
  assert_status 0
  assert_contains "$output" "e7.1         0.033GB       eth0 1024  up"
  assert_contains "$output" "sectors 65536 payload 1024"
  assert_contains "$output" "netif eth0"
  assert_contains "$output" "$(in_target cat /sys/class/net/tgt0/address | tr -d :)"

  names_drive_the_driver

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
