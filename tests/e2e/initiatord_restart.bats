#!/usr/bin/env bats
# The daemon is restarted under its users: their requests wait, and none fails.

# Helpers are called through wait_for:
# shellcheck disable=SC2317
# Each test has a shell and a list of daemons of its own:
# shellcheck disable=SC2030,SC2031

load lib

MANAGER=$BATS_TEST_DIRNAME/../support/fd_store.py

teardown() {
  remove_point "$BATS_TEST_TMPDIR/shared/point"
  [ -z "${ATTACHED:-}" ] || aoed detach e7.1 || losetup -d "$ATTACHED" || true
  if [ -n "${MANAGER_PID:-}" ] && kill -USR1 "$MANAGER_PID" 2>/dev/null; then
    kill -KILL "$(daemon_pid)" || true
  fi
  lib_teardown
  if grep -q " $BATS_TEST_TMPDIR/etherd " /proc/self/mounts; then
    umount -l "$BATS_TEST_TMPDIR/etherd"
  fi
}

# A target with e7.1 of SIZE, attached by a daemon whose service manager keeps its descriptors.
attach_managed() {
  make_net
  truncate -s "$1" "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  ATTACHED='' MNT=$WORK/etherd
  # shellcheck disable=SC2034  # for aoed
  INITIATORD_CONTROL=$WORK/initiator.sock
  start_daemon manager python3 "$MANAGER" "$WORK/notify.sock" nsenter \
    --net="/run/netns/$NS_INITIATOR" "$AOE_BIN/aoe-initiatord" -i ini0 --mount "$MNT" \
    --links "$WORK/links" --control "$WORK/initiator.sock"
  MANAGER_PID=$DAEMON_PID
  serves() { [ -S "$WORK/initiator.sock" ] && aoed list >/dev/null 2>&1; }
  wait_for "$WAIT_SECONDS" serves
  aoed wait e7.1
  device=$(aoed attach e7.1 --via loop)
  ATTACHED=$device
}

daemon_pid() { sed -n 's/^started //p' "$WORK/manager.log" | tail -n 1; }
starts() { [ "$(grep -c '^started' "$WORK/manager.log")" -eq "$1" ]; }
taken_over() { [ "$(grep -c 'taken over with' "$WORK/manager.log")" -eq "$1" ]; }

# Stops the service for good: nothing is mounted or kept afterwards.
end_managed() {
  aoed detach e7.1
  ATTACHED=''
  kill -USR1 "$MANAGER_PID"
  kill -TERM "$(daemon_pid)"
  wait "$MANAGER_PID"
  tail -n 1 "$WORK/manager.log" | grep -q '^ended 0$'
  grep -q '^remove etherd$' "$WORK/manager.log"
  unmounted() { ! grep -q " $MNT " /proc/self/mounts; }
  wait_for "$WAIT_SECONDS" unmounted
}

@test "an orderly restart: writers wait, and the device is attached as before" {
  requires netns loop fio file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  attach_managed 64M
  (cd "$WORK" && exec fio --name=mixed --filename="$device" --ioengine=libaio --direct=1 \
    --rw=randwrite --bs=4k --size=64M --iodepth=16 --time_based --runtime=10 --verify=crc32c \
    --verify_backlog=256 --verify_fatal=1 --output="$WORK/fio.log") 3>&- &
  writer=$!
  sleep 1
  kill -TERM "$(daemon_pid)"
  wait_for "$WAIT_SECONDS" starts 2
  wait_for "$WAIT_SECONDS" taken_over 1
  grep -q 'the next start goes on with the devices in use: e7.1: attached as' "$WORK/manager.log"
  run aoed list
  assert_contains "$output" "attached as $device"
  wait "$writer" || fail "$(cat "$WORK/fio.log")"
  end_managed
}

@test "a daemon that is killed again and again: no error, and the file system is whole" {
  requires netns loop mkfs.ext4 file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  attach_managed 256M
  mkfs.ext4 -q -E nodiscard "$device"
  make_point "$WORK/shared/point"
  mount "$device" "$WORK/shared/point"
  head -c 100M /dev/urandom >"$WORK/source"
  (for ((i = 0; i < 100; i++)); do
    dd if="$WORK/source" of="$WORK/shared/point/file" bs=1M skip="$i" seek="$i" count=1 \
      conv=fsync,notrunc status=none || exit 1
  done) 3>&- &
  writer=$!
  for ((kills = 1; kills <= 2; kills++)); do
    sleep 0.3
    kill -0 "$writer"
    kill -KILL "$(daemon_pid)"
    wait_for "$WAIT_SECONDS" taken_over "$kills"
  done
  wait "$writer"
  umount "$WORK/shared/point"
  e2fsck -fn "$device" >"$WORK/e2fsck.log"
  mount -o ro "$device" "$WORK/shared/point"
  assert_same_bytes "$WORK/source" "$WORK/shared/point/file"
  umount "$WORK/shared/point"
  end_managed
}

# reads_one FILE: one block of the device, unless it has to wait.
start_reader() {
  dd if="$device" of="$1" bs=4k count=1 iflag=direct status=none 3>&- &
  reader=$!
}

@test "another disk that has the address after a restart does not take the place of the first" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  attach_managed 4M
  head -c 4096 /dev/urandom >"$WORK/block"
  dd if="$WORK/block" of="$device" bs=4k oflag=direct status=none
  stop_targetd KILL
  kill -KILL "$(daemon_pid)"
  wait_for "$WAIT_SECONDS" starts 2
  truncate -s 4M "$WORK/other.img"
  start_targetd -e "7.1=$WORK/other.img,serial=ANOTHER"
  told() { grep -q 'e7.1: .* answers for it but is another disk: it is not used' "$WORK/manager.log"; }
  wait_for "$WAIT_SECONDS" told
  start_reader "$WORK/read"
  # Long enough for a daemon that would take it.
  sleep 5
  kill -0 "$reader"
  taken_over 0
  stop_targetd KILL
  start_targetd -e "7.1=$WORK/disk.img"
  wait_for "$WAIT_SECONDS" taken_over 1
  wait "$reader"
  assert_same_bytes "$WORK/block" "$WORK/read"
  assert_same_bytes "$WORK/other.img" <(head -c 4M /dev/zero)
  # Nobody has it any more: whatever is found there now is a new device.
  aoed detach e7.1
  aoed flush --all
  stop_targetd KILL
  start_targetd -e "7.1=$WORK/other.img,serial=ANOTHER"
  aoed wait e7.1
  device=$(aoed attach e7.1 --via loop)
  end_managed
}

@test "a disk that has another size after a restart: the block device grows, and what is gone is an error" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  attach_managed 4M
  restart_with_size() {
    stop_targetd KILL
    kill -KILL "$(daemon_pid)"
    truncate -s "$1" "$WORK/disk.img"
    start_targetd -e "7.1=$WORK/disk.img"
  }
  restart_with_size 8M
  wait_for "$WAIT_SECONDS" taken_over 1
  grown() { [ "$(blockdev --getsize64 "$device")" -eq 8388608 ]; }
  wait_for "$WAIT_SECONDS" grown
  restart_with_size 2M
  wait_for "$WAIT_SECONDS" taken_over 2
  grep -q 'e7.1: shrunk from 16384 to 4096 sectors: what was behind them is gone' "$WORK/manager.log"
  dd if="$device" of="$WORK/read" bs=64k count=32 iflag=direct status=none
  run dd if="$device" of="$WORK/read" bs=64k skip=32 count=1 iflag=direct
  [ "$status" -ne 0 ] || [ ! -s "$WORK/read" ]
  end_managed
}

@test "a kernel that cannot ask again: an orderly stop waits for every request" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  attach_managed 4M
  kill -USR2 "$MANAGER_PID"
  kill -TERM "$(daemon_pid)"
  wait_for "$WAIT_SECONDS" taken_over 1
  in_target ip link set tgt0 down
  dd if=/dev/zero of="$device" bs=64k count=32 oflag=direct status=none 3>&- &
  writer=$!
  under_way() { json_run aoed stats e7.1 -o json && [ "$(json devices e7.1 requests_in_flight)" -ge 1 ]; }
  wait_for "$WAIT_SECONDS" under_way
  kill -TERM "$(daemon_pid)"
  # Longer than a kernel that asks again is given.
  sleep 7
  starts 2
  in_target ip link set tgt0 up
  wait_for 60 taken_over 2
  done_writing() { ! kill -0 "$writer" 2>/dev/null; }
  wait_for "$WAIT_SECONDS" done_writing
  wait "$writer"
  end_managed
}
