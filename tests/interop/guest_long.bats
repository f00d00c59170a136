#!/usr/bin/env bats
# Linux's own aoe driver against aoe-targetd: the long form (AOE_TEST_LONG=1), what goes wrong included.
# docs/INTEROP.md has the results.

# The scripts are the guest's to expand:
# shellcheck disable=SC2016,SC2317

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

# missing_blocks IMAGE COUNT: how many of the first COUNT numbered blocks are not there.
missing_blocks() {
  python3 - "$1" "$2" <<'PYTHON'
import sys
disk = open(sys.argv[1], "rb").read()
print(sum(disk[n * 4096:(n + 1) * 4096] != b"%4096d" % n for n in range(int(sys.argv[2]))))
PYTHON
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

@test "RAID 5 over four exports: a failed member is added again and caught up" {
  requires_long
  requires_guest
  make_net
  local number exports=()
  for number in 1 2 3 4; do
    truncate -s 24M "$WORK/$number.img"
    exports+=(-e "7.$number=$WORK/$number.img")
  done
  start_targetd "${exports[@]}"
  boot_guest
  guest 'nic 0 1500; modprobe aoe; find_devices e7.1 e7.2 e7.3 e7.4
    mdadm --create /dev/md0 --run --level=5 --raid-devices=4 --bitmap=internal /dev/etherd/e7.[1-4]
    mdadm --wait /dev/md0 || true
    mkfs.ext4 -q -F /dev/md0; mount /dev/md0 /mnt; echo before >/mnt/before; sync
    mdadm --manage /dev/md0 --fail /dev/etherd/e7.2; grep -q "\[U_UU\]" /proc/mdstat; fill /mnt
    until_true 30 mdadm --manage /dev/md0 --remove /dev/etherd/e7.2
    mdadm --manage /dev/md0 --re-add /dev/etherd/e7.2
    until_true 120 grep -q "\[UUUU\]" /proc/mdstat
    mdadm --wait /dev/md0 || true
    echo check >/sys/block/md0/md/sync_action; mdadm --wait /dev/md0 || true
    echo "mismatches $(cat /sys/block/md0/md/mismatch_cnt)"
    umount /mnt; e2fsck -fn /dev/md0
    mdadm --manage /dev/md0 --fail /dev/etherd/e7.1; drop_caches
    mount /dev/md0 /mnt; check_filled /mnt; umount /mnt; mdadm --stop /dev/md0' >"$WORK/raid.log"
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

# Answers to copies of a minute ago would raise the driver's timeout to minutes.
@test "the target stands still for a minute under load: the driver goes on as soon as it does" {
  requires_long
  requires_guest
  make_net
  truncate -s 16M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 1500; modprobe aoe; find_devices e7.1; make_pattern /run/pattern 16
    start load "while [ ! -e /run/enough ]; do write_and_verify /run/pattern /dev/etherd/e7.1 1; done"
    until_true 60 has_written e7.1 4096'
  kill -s STOP "$TARGETD_PID"
  sleep 66
  kill -s CONT "$TARGETD_PID"
  written() {
    aoe target stats e7.1 -o json --control "$TARGETD_CONTROL" |
      python3 -c 'import json, sys; print(json.load(sys.stdin)["exports"]["e7.1"]["sectors_written"])'
  }
  local before
  before=$(written)
  goes_on() { [ "$(written)" -ge $((before + 4096)) ]; }
  wait_for "$WAIT_SECONDS" goes_on
  guest ': >/run/enough; finish load'
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

@test "out of down,closewait and out of down by aoe-revalidate alone" {
  requires_long
  requires_guest
  make_net
  truncate -s 16M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  boot_guest
  guest 'nic 0 9000; modprobe aoe aoe_deadsecs=8; find_devices e7.1; make_pattern /run/pattern 16
    write_and_verify /run/pattern /dev/etherd/e7.1 1
    start holder "exec 4</dev/etherd/e7.1; until [ -e /run/let-go ]; do sleep 0.2; done"; sleep 1'
  stop_targetd KILL
  run guest 'if write_all /run/pattern /dev/etherd/e7.1; then echo written; fi
    until_true 20 is_state e7.1 down,closewait; aoe-stat'
  assert_status 0
  assert_lacks "$output" written
  assert_contains "$output" "down,closewait"
  start_targetd -e "7.1=$WORK/disk.img"
  # Held open, the disk hears neither the announcement nor what is answered to a query of everybody.
  guest 'aoe-discover; sleep 3; is_state e7.1 down,closewait
    aoe-revalidate e7.1; until_true 20 is_state e7.1 up; running holder; verify_all /run/pattern /dev/etherd/e7.1
    touch /run/let-go; finish holder'

  # Nobody holds it, and the announcement is lost.
  stop_targetd KILL
  guest 'if write_all /run/pattern /dev/etherd/e7.1; then exit 1; fi; until_true 20 is_state e7.1 down'
  ip -n "$NS_INITIATOR" link set br0 down
  start_targetd -e "7.1=$WORK/disk.img"
  sleep 1
  ip -n "$NS_INITIATOR" link set br0 up
  guest 'sleep 1; is_state e7.1 down; aoe-revalidate e7.1; until_true 5 is_state e7.1 up
    verify_all /run/pattern /dev/etherd/e7.1; write_and_verify /run/pattern /dev/etherd/e7.1 1'
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

# The process dies, the page cache of its host lives.
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
  [ "$(missing_blocks "$WORK/disk.img" "$output")" -eq 0 ] || fail "acknowledged blocks are not in the file"
}

# The target is a machine of its own, and loses its power: whatever its kernel had not handed to the disks is
# gone. The driver never sends FLUSH CACHE, so that an answered write has to be on the disk. A disk and a file
# are served write-through; another file write-back, which may lose answered writes: that it does shows that
# the power was cut.
@test "the target's machine loses its power: nothing that was acknowledged is gone, and the guest goes on" {
  requires_long
  requires_guest
  make_net
  truncate -s 32M "$WORK/disk.img"
  truncate -s 96M "$WORK/files.img"
  mke2fs -q -t ext4 "$WORK/files.img"
  serve_in_target_guest() {
    boot_target_guest "$WORK/disk.img" "$WORK/files.img" || return
    target_guest 'modprobe virtio_blk 2>/dev/null || true; modprobe af_packet 2>/dev/null || true; nic 0 1500
      mount /dev/vdb /mnt; for file in through back; do [ -e /mnt/$file ] || truncate -s 32M /mnt/$file; done; sync
      : >/run/targetd.log
      aoe-targetd -i eth0 --state-dir /run/state --control /run/target.sock -e 7.1=/dev/vda,allow=any \
        -e 7.2=/mnt/through,allow=any -e 7.3=/mnt/back,mode=write-back,allow=any >/run/targetd.log 2>&1 3<&- &
      is_ready() { [ "$(grep -c " ready: " /run/targetd.log)" -eq 3 ]; }
      until_true 60 is_ready || { cat /run/targetd.log; exit 1; }'
  }
  serve_in_target_guest
  boot_guest
  guest 'nic 0 1500; modprobe aoe; find_devices e7.1 e7.2 e7.3
    echo "n=0; while [ \$n -lt 8192 ]; do
      for slot in 3 2 1; do
        printf %4096d \$n | dd of=/dev/etherd/e7.\$slot bs=4096 seek=\$n iflag=fullblock oflag=direct 2>/dev/null
      done
      n=\$((n + 1)); echo \$n >/run/acknowledged; done" >/run/numbers.sh
    start numbers ". /run/numbers.sh"; until_true 120 has_written e7.1 800'
  end_machine target
  local acknowledged file
  acknowledged=$(guest 'running numbers; sleep 1; cat /run/acknowledged')
  [ "$acknowledged" -ge 90 ] || fail "only $acknowledged blocks were written"
  cp --sparse=always "$WORK/files.img" "$WORK/after.img"
  # What ext4 does when it is mounted again.
  e2fsck -fp "$WORK/after.img" || [ $? -le 1 ] || fail "the target's file system is damaged"
  for file in through back; do
    debugfs -R "dump /$file $WORK/$file.img" "$WORK/after.img" 2>/dev/null
  done
  for file in disk through; do
    [ "$(missing_blocks "$WORK/$file.img" "$acknowledged")" -eq 0 ] || fail "$file: acknowledged blocks are gone"
  done
  [ "$(missing_blocks "$WORK/back.img" "$acknowledged")" -gt 0 ] || fail "the power was not cut"

  # The power is back: the write that waits is done, and so are those that follow.
  serve_in_target_guest
  guest "later() { [ \"\$(cat /run/acknowledged)\" -gt $((acknowledged + 20)) ]; }; until_true 120 later; is_state e7.1 up"
  no_complaints
}
