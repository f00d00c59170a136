#!/usr/bin/env bats
# Disks of this host must not stop when memory is short: the daemon that serves them is under the
# same limit as the programs that write.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

# A cgroup of our own, of either version. Prints why not, and fails, where none can be made.
make_memory_group() {
  local limit=$1
  if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
    GROUP=/sys/fs/cgroup/memory/aoekit-$$
    mkdir "$GROUP" && echo "$limit" >"$GROUP/memory.limit_in_bytes"
  elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
    GROUP=/sys/fs/cgroup/aoekit-$$
    mkdir "$GROUP" && echo "$limit" >"$GROUP/memory.max"
  else
    echo "memory cgroups: none here"
    return 1
  fi
}

peak_bytes() { cat "$GROUP/memory.max_usage_in_bytes" 2>/dev/null || cat "$GROUP/memory.peak"; }

teardown() {
  [ -z "${WATCHDOG:-}" ] || kill "$WATCHDOG" 2>/dev/null || true
  remove_point "$BATS_TEST_TMPDIR/shared/point"
  [ -z "${ATTACHED:-}" ] || aoed detach e7.1 || true
  lib_teardown
  if mountpoint -q "$BATS_TEST_TMPDIR/fusectl"; then
    umount "$BATS_TEST_TMPDIR/fusectl"
  fi
  if [ -n "${GROUP:-}" ] && [ -d "$GROUP" ]; then
    rmdir "$GROUP"
  fi
}

@test "a buffered write larger than the memory limit completes, with the daemon under that limit" {
  requires netns loop mkfs.ext4 file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  GROUP='' WATCHDOG='' ATTACHED=''
  make_memory_group 256M >"$WORK/why" || skip "$(cat "$WORK/why")"
  make_net
  truncate -s 2G "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  # The daemon is in the group from its first page on.
  (
    echo "$BASHPID" >"$GROUP/cgroup.procs"
    exec nsenter --net="/run/netns/$NS_INITIATOR" "$AOE_BIN/aoe-initiatord" -i ini0 \
      --mount "$WORK/etherd" --links "$WORK/links" --control "$WORK/initiator.sock"
  ) >"$WORK/initiatord-1.log" 2>&1 </dev/null 3>&- &
  # shellcheck disable=SC2034  # for aoed and initiatord_is_ready
  INITIATORD_PID=$! INITIATORD_LOG=$WORK/initiatord-1.log INITIATORD_CONTROL=$WORK/initiator.sock
  DAEMONS+=("$INITIATORD_PID")
  wait_for "$WAIT_SECONDS" initiatord_is_ready
  grep -q "^$INITIATORD_PID\$" "$GROUP/cgroup.procs"
  aoed wait e7.1
  device=$(aoed attach e7.1 --via loop)
  ATTACHED=$device
  mkfs.ext4 -q -E nodiscard "$device"
  make_point "$WORK/shared/point"
  mkdir "$WORK/fusectl"
  mount "$device" "$WORK/shared/point"

  # A machine that hangs here would hang for good: the connection is aborted then, and all fails.
  mount -t fusectl fusectl "$WORK/fusectl"
  # Its name is the minor number of the mount (proc(5), mountinfo).
  connection=$WORK/fusectl/$(awk -v point="$WORK/etherd" \
    '$5 == point { split($3, number, ":"); print number[2] }' /proc/self/mountinfo)
  [ -e "$connection/abort" ]
  (sleep 300 && echo 1 >"$connection/abort" && echo fired >"$WORK/watchdog") >/dev/null 2>&1 3>&- &
  WATCHDOG=$!

  (
    echo "$BASHPID" >"$GROUP/cgroup.procs"
    exec dd if=/dev/zero of="$WORK/shared/point/file" bs=1M count=1024 conv=fsync status=none
  )
  [ ! -e "$WORK/watchdog" ]
  # It was under pressure: the group was full.
  [ "$(peak_bytes)" -ge $((250 << 20)) ]
  kill "$WATCHDOG"
  umount "$WORK/shared/point"
  e2fsck -fn "$device" >"$WORK/e2fsck.log"
  aoed detach e7.1
  ATTACHED=''
  stop_initiatord
}
