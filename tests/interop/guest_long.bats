#!/usr/bin/env bats
# Linux's own aoe driver against aoe-targetd: the long form (AOE_TEST_LONG=1), what goes wrong included.
# docs/INTEROP.md has the results.

# The scripts are the guest's to expand:
# shellcheck disable=SC2016

load guest/lib

# What every test ends with: no byte of the pattern differs in the file either.
same_pattern() {
  local sum
  sum=$(guest 'sha256sum </run/pattern')
  [ "${sum%% *}" = "$(sha256sum <"$1" | cut -d ' ' -f 1)" ] || fail "$1 differs from what the guest wrote"
}
no_complaints() {
  run guest 'driver_complaints'
  [ -z "$output" ] || fail "the driver complains: $output"
}

@test "xfs: files are whole after umount, and xfs_repair finds nothing" {
  requires_long
  requires_guest
  make_net
  truncate -s 320M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 9000; modprobe aoe; find_devices e7.1
    mkfs.xfs -q -f -K /dev/etherd/e7.1; mount /dev/etherd/e7.1 /mnt; fill /mnt; umount /mnt
    xfs_repair -n /dev/etherd/e7.1; drop_caches; mount /dev/etherd/e7.1 /mnt; check_filled /mnt; umount /mnt'
  no_complaints
}

@test "RAID 1 over two exports: a failed member is added again and caught up" {
  requires_long
  requires_guest
  make_net
  truncate -s 24M "$WORK/one.img" "$WORK/two.img"
  start_targetd -e "7.1=$WORK/one.img" -e "7.2=$WORK/two.img"
  boot_guest
  guest 'nic 0 1500; modprobe aoe; find_devices e7.1 e7.2
    mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --bitmap=internal \
      /dev/etherd/e7.1 /dev/etherd/e7.2
    mdadm --wait /dev/md0 || true
    mkfs.ext4 -q -F /dev/md0; mount /dev/md0 /mnt; echo before >/mnt/before; sync
    mdadm --manage /dev/md0 --fail /dev/etherd/e7.2
    head -c 6000000 /dev/urandom >/mnt/after; sha256sum </mnt/after >/run/after.sum; sync
    grep -q "\[U_\]" /proc/mdstat
    until_true 30 mdadm --manage /dev/md0 --remove /dev/etherd/e7.2
    mdadm --manage /dev/md0 --re-add /dev/etherd/e7.2
    until_true 60 grep -q "\[UU\]" /proc/mdstat
    mdadm --wait /dev/md0 || true
    echo check >/sys/block/md0/md/sync_action; mdadm --wait /dev/md0 || true
    echo "mismatches $(cat /sys/block/md0/md/mismatch_cnt)"
    umount /mnt; e2fsck -fn /dev/md0
    mdadm --manage /dev/md0 --fail /dev/etherd/e7.1; drop_caches
    mount /dev/md0 /mnt; sha256sum </mnt/after | cmp - /run/after.sum; umount /mnt; mdadm --stop /dev/md0' \
    >"$WORK/raid.log"
  assert_contains "$(cat "$WORK/raid.log")" "mismatches 0"
  no_complaints
}

# 16 sectors, not the 17 that fit: the target offers whole pages only.
@test "frames of 8192 bytes at an MTU of 9000, and 1024 again when it shrinks" {
  requires_long
  requires_guest
  make_net
  truncate -s 32M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  run guest 'nic 0 9000; modprobe aoe; find_devices e7.1; cat /sys/block/etherd!e7.1/payload
    make_pattern /run/pattern 32; write_and_verify /run/pattern /dev/etherd/e7.1 2'
  assert_status 0
  [ "$output" = 8192 ] || fail "payload $output"
  same_pattern "$WORK/disk.img"
  run guest 'nic 0 1500; find_devices e7.1; shrunk() { [ "$(cat /sys/block/etherd!e7.1/payload)" = 1024 ]; }
    until_true 20 shrunk; write_and_verify /run/pattern /dev/etherd/e7.1 1'
  assert_status 0
  no_complaints
}

@test "two paths: one is pulled under load and comes back" {
  requires_long
  requires_guest
  make_net --links 2
  truncate -s 32M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 9000; nic 1 9000; modprobe aoe; find_devices e7.1; aoe-discover; sleep 1; aoe-stat
    make_pattern /run/pattern 32; start load "write_and_verify /run/pattern /dev/etherd/e7.1 8"
    until_true 60 has_written e7.1 8192'
  ip -n "$NS_INITIATOR" link set ini1 down
  guest 'running load'
  guest 'finish load 200'
  same_pattern "$WORK/disk.img"
  ip -n "$NS_INITIATOR" link set ini1 up
  guest 'find_devices e7.1; both() { grep -q eth0 "$1" && grep -q eth1 "$1"; }
    until_true 60 both /sys/block/etherd!e7.1/netif; write_and_verify /run/pattern /dev/etherd/e7.1 1'
  no_complaints
}

@test "one per cent of the frames lost, both ways" {
  requires_long
  requires_guest
  requires "file:$AOE_BIN/../tests/lossbridge"
  make_lossy_net -- --loss 0.01
  truncate -s 16M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 1500; modprobe aoe; find_devices e7.1
    make_pattern /run/pattern 16; write_and_verify /run/pattern /dev/etherd/e7.1 1'
  same_pattern "$WORK/disk.img"
  [ "$(bridge_counter 0 i0 lost)" -gt 50 ] || fail "hardly a frame was lost"
  no_complaints
}

@test "the target is killed under load and comes back: no request fails" {
  requires_long
  requires_guest
  make_net
  truncate -s 32M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 9000; modprobe aoe; find_devices e7.1; make_pattern /run/pattern 32
    start load "write_and_verify /run/pattern /dev/etherd/e7.1 6"; until_true 60 has_written e7.1 8192'
  stop_targetd KILL
  guest 'sleep 3; running load'
  start_targetd -e "7.1=$WORK/disk.img"
  guest 'finish load 200'
  same_pattern "$WORK/disk.img"
  no_complaints
}

@test "away beyond aoe_deadsecs: requests fail, and the disk is back by the target's announcement" {
  requires_long
  requires_guest
  make_net
  truncate -s 16M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 9000; modprobe aoe aoe_deadsecs=8; find_devices e7.1; make_pattern /run/pattern 16
    write_and_verify /run/pattern /dev/etherd/e7.1 1'
  stop_targetd KILL
  run guest 'if write_all /run/pattern /dev/etherd/e7.1; then echo written; fi
    until_true 20 is_state e7.1 down; driver_complaints'
  assert_status 0
  assert_lacks "$output" written
  # That the driver complains here shows that the other tests would see it.
  assert_contains "$output" "I/O error, dev etherd/e7.1"
  start_targetd -e "7.1=$WORK/disk.img"
  # Nobody asks in the guest: the announcement alone brings it up.
  guest 'until_true 30 is_state e7.1 up; verify_all /run/pattern /dev/etherd/e7.1
    write_and_verify /run/pattern /dev/etherd/e7.1 1'
  same_pattern "$WORK/disk.img"
}

@test "a disk that grows is seen after aoe-revalidate, also while mounted" {
  requires_long
  requires_guest
  make_net
  truncate -s 32M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 9000; modprobe aoe; find_devices e7.1; mkfs.ext4 -q -F /dev/etherd/e7.1
    mount /dev/etherd/e7.1 /mnt; fill /mnt'
  truncate -s 64M "$WORK/disk.img"
  # The driver asks once, at that moment: while the disk is open it ignores the announcement.
  wait_for "$WAIT_SECONDS" grep -q 'e7.1: size changed: 131072 sectors' "$TARGETD_LOG"
  guest 'aoe-revalidate e7.1; until_true 30 has_sectors e7.1 131072
    resize2fs /dev/etherd/e7.1; head -c 20000000 /dev/urandom >/mnt/more; check_filled /mnt
    umount /mnt; e2fsck -fn /dev/etherd/e7.1'
  no_complaints
}

# What can be tested without pulling a plug: the process dies, the host's page cache lives. That a
# write is on stable storage before its answer is shown by target_durability.bats.
@test "the target is killed with -9: every write that was acknowledged to the guest is in the file" {
  requires_long
  requires_guest
  make_net
  truncate -s 32M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img,mode=write-through"
  boot_guest
  guest 'nic 0 1500; modprobe aoe; find_devices e7.1
    echo "n=0; while [ \$n -lt 8192 ]; do
      printf %4096d \$n | dd of=/dev/etherd/e7.1 bs=4096 seek=\$n iflag=fullblock oflag=direct 2>/dev/null
      n=\$((n + 1)); echo \$n >/run/acknowledged; done" >/run/numbers.sh
    start numbers ". /run/numbers.sh"; until_true 60 has_written e7.1 1600'
  stop_targetd KILL
  run guest 'running numbers; sleep 1; cat /run/acknowledged'
  assert_status 0
  [ "$output" -ge 190 ] || fail "only $output blocks were written"
  python3 - "$WORK/disk.img" "$output" <<'PYTHON'
import sys
disk = open(sys.argv[1], "rb").read()
for number in range(int(sys.argv[2])):
    if disk[number * 4096:(number + 1) * 4096] != b"%4096d" % number:
        sys.exit(f"block {number} was acknowledged and is not in the file")
PYTHON
}
