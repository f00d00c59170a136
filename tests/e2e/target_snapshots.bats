#!/usr/bin/env bats
# Snapshots of exports that go on, as exports of their own; and clones.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }
snapshot() { aoe target snapshot "$@" --control "$TARGETD_CONTROL"; }
# read_of DEVICE FILE, write_to DEVICE FILE
read_of() { in_initiator aoe copy -q "aoe://ini0/$1" "$2"; }
write_to() { in_initiator aoe copy -q "$2" "aoe://ini0/$1"; }
is_served() { read_of "$1" "$WORK/probe.img" 2>/dev/null; }
kept() { find "$WORK/snaps" -name 'e7.1-*' | wc -l; }
none_kept() { [ "$(kept)" -eq 0 ]; }

# make_images COUNT: contents 1.img .. of 4 MiB; disk.img is the first.
make_images() {
  local i
  for ((i = 1; i <= $1; i++)); do
    head -c 4M /dev/urandom >"$WORK/$i.img"
  done
  cp "$WORK/1.img" "$WORK/disk.img"
}

# same DEVICE CONTENT: all of the device.
same() {
  wait_for "$WAIT_SECONDS" is_served "$1"
  read_of "$1" "$WORK/copy.img"
  assert_same_bytes "$WORK/$2.img" "$WORK/copy.img"
}

@test "snapshots stay what they were while the export goes on, over kills, and go in any order" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images 4
  serve() { start_targetd -e "7.1=$WORK/disk.img,snapshots=$WORK/snaps,thaw_rate=0"; }
  serve
  snapshot create e7.1 e7.101
  write_to e7.1 "$WORK/2.img"
  snapshot create e7.1 e7.102
  write_to e7.1 "$WORK/3.img"
  snapshot create e7.1 e7.103
  write_to e7.1 "$WORK/4.img"
  same e7.101 1
  same e7.102 2
  same e7.103 3
  same e7.1 4
  assert_contains "$(snapshot list e7.1)" e7.102
  run write_to e7.101 "$WORK/4.img"
  [ "$status" -ne 0 ]
  run snapshot create e7.1 e7.102
  assert_status 1
  assert_contains "$output" "is exported already"
  run target unexport e7.102
  assert_status 1
  assert_contains "$output" "a snapshot of e7.1"
  run target unexport e7.1
  assert_status 1
  run target freeze e7.1
  assert_status 1
  assert_contains "$output" "it has snapshots"
  stop_targetd KILL
  EXPECT_EXPORTS=4 serve
  same e7.101 1
  same e7.102 2
  same e7.103 3
  same e7.1 4
  snapshot delete e7.1 e7.102
  run snapshot delete e7.1 e7.102
  [ "$status" -ne 0 ]
  two_left() { [ "$(kept)" -eq 2 ]; }
  wait_for "$WAIT_SECONDS" two_left
  same e7.101 1
  same e7.103 3
  # Deleted, and killed in the middle of it: it goes on.
  snapshot delete e7.1 e7.101
  stop_targetd KILL
  EXPECT_EXPORTS=2 serve
  one_left() { [ "$(kept)" -eq 1 ]; }
  wait_for "$WAIT_SECONDS" one_left
  same e7.103 3
  same e7.1 4
  delete_last() { snapshot delete e7.1 e7.103; }
  wait_for "$WAIT_SECONDS" delete_last
  wait_for "$WAIT_SECONDS" none_kept
  same e7.1 4
  stop_targetd
  assert_same_bytes "$WORK/4.img" "$WORK/disk.img"
  [ ! -e "$WORK/state/e7.1.snapshots" ]
}

@test "where the file system shares blocks, snapshots and clones are files of their own" {
  requires netns python3 loop mkfs.xfs ours:aoe ours:aoe-targetd
  make_net
  make_images 2
  truncate -s 320M "$WORK/xfs.img"
  mkfs.xfs -q -m reflink=1 "$WORK/xfs.img" || skip "mkfs.xfs: no reflinks here"
  make_point "$WORK/mnt/xfs"
  mount -o loop "$WORK/xfs.img" "$WORK/mnt/xfs" || skip "xfs: cannot be mounted here"
  cp "$WORK/1.img" "$WORK/mnt/xfs/disk.img"
  mkdir "$WORK/mnt/xfs/snaps" && ln -s "$WORK/mnt/xfs/snaps" "$WORK/snaps"
  start_targetd -e "7.1=$WORK/mnt/xfs/disk.img,snapshots=$WORK/snaps"
  snapshot create e7.1 e7.101
  assert_contains "$(snapshot list e7.1)" clone
  write_to e7.1 "$WORK/2.img"
  same e7.101 1
  same e7.1 2
  stop_targetd KILL
  EXPECT_EXPORTS=2 start_targetd -e "7.1=$WORK/mnt/xfs/disk.img,snapshots=$WORK/snaps"
  same e7.101 1
  snapshot delete e7.1 e7.101
  gone() { [ -z "$(ls "$WORK/snaps/")" ]; }
  wait_for "$WAIT_SECONDS" gone
  run target clone e7.1 e7.2 "$WORK/mnt/xfs/clone.img"
  assert_status 0
  assert_contains "$output" "shares its blocks"
  write_to e7.1 "$WORK/1.img"
  same e7.2 2
  stop_targetd
  remove_point "$WORK/mnt/xfs"
}

@test "a clone is a copy of one moment at another address, with the settings of the first" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images 2
  mac=$(in_initiator cat /sys/class/net/ini0/address)
  start_targetd -e "7.1=$WORK/disk.img,allow=$mac,mode=write-back"
  target clone e7.1 e7.2 "$WORK/clone.img" -q
  write_to e7.1 "$WORK/2.img"
  same e7.2 1
  same e7.1 2
  assert_contains "$(target show e7.2)" "$mac"
  assert_contains "$(target show e7.2)" write-back
  run target clone e7.1 e7.3 "$WORK/clone.img"
  assert_status 1
  assert_contains "$output" "it is there already"
  write_to e7.2 "$WORK/2.img"
  same e7.2 2
}
