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
