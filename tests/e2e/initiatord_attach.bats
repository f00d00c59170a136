#!/usr/bin/env bats
# Devices as block devices of this host: attach, what people do with disks, detach.

# Helpers are called through wait_for:
# shellcheck disable=SC2317
# Each test has a shell and a list of daemons of its own:
# shellcheck disable=SC2030,SC2031

load lib

# A target with e7.1 of SIZE, and an initiator daemon that shows it at $MNT, with links in $LINKS.
show_device() {
  make_net
  truncate -s "$1" "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  MNT=$WORK/etherd LINKS=$WORK/links POINT=$WORK/shared/point
  make_point "$POINT"
  start_initiatord --mount "$MNT"
  aoed wait e7.1
}

# What a test that fails leaves mounted or attached would outlive it.
teardown() {
  local device
  remove_point "$BATS_TEST_TMPDIR/shared/point"
  for device in $(attached_devices); do
    losetup -d "$device" || true
  done
  lib_teardown
  for device in $(attached_devices); do
    losetup -d "$device" || true
  done
}

# Loop devices over files of this test's mount, or of one of it that was taken away.
attached_devices() {
  local file device
  for file in /sys/block/loop*/loop/backing_file; do
    [ -e "$file" ] || continue
    device=/dev/$(basename "$(dirname "$(dirname "$file")")")
    case $(cat "$file") in
      "$BATS_TEST_TMPDIR"/*) echo "$device" ;;
      /e7.1*) [ "$(readlink "$BATS_TEST_TMPDIR/links/e7.1")" = "$device" ] && echo "$device" ;;
    esac
  done
  return 0
}

@test "attach prints the device, makes links, and detach takes all of it away" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 64M
  device=$(aoed attach e7.1 2>"$WORK/notes")
  [[ $device == /dev/loop[0-9]* ]]
  assert_contains "$(cat "$WORK/notes")" "aoe: e7.1: attached through loop"
  [ -b "$device" ]
  [ "$(readlink "$LINKS/e7.1")" = "$device" ]
  [ "$(blockdev --getsize64 "$device")" -eq 67108864 ]
  [ "$(blockdev --getss "$device")" -eq 512 ]
  [ "$(cat "/sys/block/${device##*/}/loop/dio")" -eq 1 ]
  run aoed list
  assert_contains "$output" "attached as $device"
  json_run aoed show e7.1 -o json
  [ "$(json block_device)" = "$device" ]
  [ "$(json via)" = loop ]
  # Twice is an error, and so is taking it from its user.
  run aoed attach e7.1
  assert_status 1
  assert_contains "$output" "e7.1: attach: it is attached as $device (aoe detach e7.1)"
  run aoed disable e7.1
  assert_status 1
  run aoed stop
  assert_status 1
  aoed detach e7.1
  [ ! -e "/sys/block/${device##*/}/loop" ]
  [ ! -e "$LINKS/e7.1" ] && [ ! -L "$LINKS/e7.1" ]
  run aoed detach e7.1
  assert_status 4
  assert_contains "$output" "e7.1: detach: it is not attached"
  # Nothing of it is in the way of the next one.
  device=$(aoed attach e7.1 --via loop --read-only 2>"$WORK/notes")
  [ ! -s "$WORK/notes" ]
  [ "$(blockdev --getro "$device")" -eq 1 ]
  run dd if=/dev/zero of="$device" bs=512 count=1
  [ "$status" -ne 0 ]
  aoed detach e7.1
  stop_initiatord
}

@test "ways that this kernel lacks are refused when asked for, and leave nothing" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  for way in ublk nbd; do
    run aoed attach e7.1 --via "$way"
    assert_status 1
    assert_contains "$output" "aoe: e7.1: attach: no $way: "
  done
  run aoed attach e7.1 --via floppy
  assert_status 2
  assert_contains "$output" 'e7.1: attach: "floppy": expected auto, ublk, nbd, loop'
  run aoed attach e9.9
  assert_status 4
  in_target ip link set tgt0 down
  wait_for "$WAIT_SECONDS" device_is down e7.1
  run aoed attach e7.1
  assert_status 1
  assert_contains "$output" "e7.1: attach: no path reaches it (aoe wait e7.1)"
  [ -z "$(attached_devices)" ]
  [ ! -e "$LINKS/e7.1" ]
  # A name that is taken: what was done is undone.
  in_target ip link set tgt0 up
  aoed wait e7.1
  mkdir -p "$LINKS"
  echo "the driver's node" >"$LINKS/e7.1"
  run aoed attach e7.1
  assert_status 1
  assert_contains "$output" "$LINKS/e7.1: is there already, and no link"
  [ -z "$(attached_devices)" ]
  [ -s "$LINKS/e7.1" ]
  rm "$LINKS/e7.1"
  stop_initiatord
}

# CAP_SYS_RESOURCE is number 24.
may_use_reserved_resources() {
  (((16#$(awk '/^CapEff:/ { print $2 }' /proc/self/status) >> 24) & 1))
}

# use_disk MKFS..: a whole life of a disk with a file system.
use_disk() {
  local device
  device=$(aoed attach e7.1 --via loop)
  wipefs -a "$device"
  "$@" "$device"
  mount "$device" "$POINT"
  head -c 40M /dev/urandom >"$WORK/source"
  cp "$WORK/source" "$POINT/file"
  sync -f "$POINT"
  # In use: not detached.
  run aoed detach e7.1
  assert_status 1
  assert_contains "$output" "in use: mounted at $POINT"
  # Discards reach the target.
  rm "$POINT/file"
  sync -f "$POINT"
  fstrim "$POINT"
  json_run aoed stats e7.1 -o json
  [ "$(json devices e7.1 trims)" -ge 1 ]
  cp "$WORK/source" "$POINT/file"
  # The disk grows, and the mounted file system with it.
  truncate -s 640M "$WORK/disk.img"
  "$AOE_BIN/aoe" target resize e7.1 --control "$TARGETD_CONTROL"
  grown() { [ "$(blockdev --getsize64 "$device")" -eq 671088640 ]; }
  wait_for "$WAIT_SECONDS" grown
  if [ "$1" = mkfs.xfs ]; then
    xfs_growfs "$POINT" >"$WORK/grow.log"
  elif may_use_reserved_resources; then
    resize2fs "$device" 2>"$WORK/grow.log"
  else
    echo "# without CAP_SYS_RESOURCE ext4 grows only while it is not mounted" >&3
    umount "$POINT"
    e2fsck -fp "$device" >"$WORK/grow.log"
    resize2fs "$device" 2>>"$WORK/grow.log"
    mount "$device" "$POINT"
  fi
  [ "$(df --output=size -B 1M "$POINT" | tail -n 1)" -gt 500 ]
  umount "$POINT"
  aoed detach e7.1
  # From the target's side it is what was written.
  stop_initiatord
  stop_targetd
  mount -o loop,ro "$WORK/disk.img" "$POINT"
  cmp "$WORK/source" "$POINT/file"
  umount "$POINT"
}

@test "ext4: wipefs, mkfs, mount, copy, fstrim, grow, unmount, detach" {
  requires netns loop mkfs.ext4 resize2fs fstrim wipefs file:/dev/fuse ours:aoe ours:aoe-targetd \
    ours:aoe-initiatord
  show_device 320M
  use_disk mkfs.ext4 -q
  e2fsck -fn "$WORK/disk.img"
}

@test "xfs: wipefs, mkfs, mount, copy, fstrim, grow, unmount, detach" {
  requires netns loop mkfs.xfs xfs_growfs fstrim wipefs file:/dev/fuse ours:aoe ours:aoe-targetd \
    ours:aoe-initiatord
  show_device 320M
  use_disk mkfs.xfs -q
  xfs_repair -n "$WORK/disk.img"
}

@test "partitions have names, now and after another table" {
  requires netns loop sfdisk partx file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 64M
  device=$(aoed attach e7.1 --via loop)
  # partx tells the kernel what it may not be able to read by itself.
  printf 'label: gpt\n,16M\n,\n' | sfdisk -q --no-reread --no-tell-kernel "$device"
  partx -u "$device"
  named() { [ "$(readlink "$LINKS/e7.1p$1")" = "${device}p$1" ]; }
  wait_for "$WAIT_SECONDS" named 2
  named 1
  # One that is open is in use.
  exec 7<"${device}p2"
  run aoed detach e7.1
  assert_status 1
  assert_contains "$output" "in use: open in "
  exec 7<&-
  partx -d --nr 2 "$device"
  gone() { [ ! -L "$LINKS/e7.1p2" ]; }
  wait_for "$WAIT_SECONDS" gone
  named 1
  aoed detach e7.1
  [ ! -L "$LINKS/e7.1p1" ]
}

@test "writers of an attached device wait out a target that restarts" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 64M
  device=$(aoed attach e7.1 --via loop)
  head -c 64M /dev/urandom >"$WORK/source.img"
  dd if="$WORK/source.img" of="$device" bs=64K oflag=direct status=none 3>&- &
  writer=$!
  sleep 0.2
  stop_targetd KILL
  start_targetd -e "7.1=$WORK/disk.img"
  wait "$writer"
  sync "$device"
  cmp "$WORK/source.img" "$device"
  aoed detach e7.1
  assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
}

@test "fio verifies what it wrote to the file, and what it wrote and trimmed on the block device" {
  requires netns loop fio file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 64M
  run_disk_jobs "filename=$MNT/e7.1" io_uring 64M sizes durable
  device=$(aoed attach e7.1 --via loop)
  run_disk_jobs "filename=$device" libaio 64M
  json_run aoed stats e7.1 -o json
  [ "$(json devices e7.1 trims)" -ge 100 ] || fail "trims: $(json devices e7.1 trims)"
  aoed detach e7.1
}

@test "random operations on the file, on the block device, and on a file of a mounted file system" {
  requires netns loop mkfs.ext4 file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  local fsx=$BATS_TEST_DIRNAME/../support/fsx.py ops=2000
  [ -z "${AOE_TEST_LONG:-}" ] || ops=50000
  show_device 64M
  python3 "$fsx" --device --ops "$ops" --seed 4 "$MNT/e7.1"
  device=$(aoed attach e7.1 --via loop)
  python3 "$fsx" --device --ops "$ops" --size 8388608 --seed 6 "$device"
  mkfs.ext4 -q "$device"
  mount "$device" "$POINT"
  python3 "$fsx" --ops "$ops" --seed 5 "$POINT/file"
  umount "$POINT"
  e2fsck -fn "$device" >"$WORK/e2fsck.log"
  aoed detach e7.1
}

@test "a device is attached by itself when the file says so" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  MNT=$WORK/etherd LINKS=$WORK/links
  printf 'interfaces = ["ini0"]\nmount = "%s"\n[[device]]\naddress = "7.1"\nattach = "loop"\n' \
    "$MNT" >"$WORK/i.toml"
  start_initiatord --config "$WORK/i.toml" --mount "$MNT"
  linked() { [ -b "$LINKS/e7.1" ]; }
  wait_for "$WAIT_SECONDS" linked
  device=$(readlink "$LINKS/e7.1")
  # Taken away by hand, it is known not to be attached.
  losetup -d "$device"
  forgotten() { [ ! -L "$LINKS/e7.1" ] && aoed list | grep -Eq '^e7.1 .* -$'; }
  wait_for "$WAIT_SECONDS" forgotten
  stop_initiatord
}

@test "a reload under load: who is attached goes on, and what the file now wants is attached" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  truncate -s 64M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img" -e 7.2=memory:1M
  MNT=$WORK/etherd LINKS=$WORK/links
  # write_config WINDOW ATTACH-OF-E7.2
  write_config() {
    printf 'interfaces = ["ini0"]\n[[device]]\naddress = "7.1"\nattach = "loop"\nwindow = %s\n' "$1"
    printf '[[device]]\naddress = "7.2"\nattach = "%s"\n' "$2"
  }
  write_config 32 no >"$WORK/i.toml"
  start_initiatord --config "$WORK/i.toml" --mount "$MNT"
  linked() { [ -b "$LINKS/$1" ]; }
  wait_for "$WAIT_SECONDS" linked e7.1
  aoed wait e7.2
  device=$(readlink "$LINKS/e7.1")
  head -c 64M /dev/urandom >"$WORK/source.img"
  dd if="$WORK/source.img" of="$device" bs=8k oflag=direct status=none 3>&- &
  writer=$!
  for window in 1 7 64 2 16; do
    write_config "$window" no >"$WORK/i.toml"
    aoed reload
    json_run aoed show e7.1 -o json
    [ "$(json settings window_frames) $(json block_device)" = "$window $device" ]
  done
  [ ! -L "$LINKS/e7.2" ]
  write_config 16 loop >"$WORK/i.toml"
  aoed reload
  kill -0 "$writer"
  wait_for "$WAIT_SECONDS" linked e7.2
  wait "$writer"
  aoed detach e7.1
  # Detached by hand, it stays so whatever is reloaded.
  aoed detach e7.2
  write_config 8 loop >"$WORK/i.toml"
  aoed reload
  run aoed list
  assert_lacks "$output" attached
  stop_initiatord
  assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
}

@test "no loop devices, and a disk that another host has reserved: errors, and nothing is left" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  MNT=$WORK/etherd LINKS=$WORK/links
  INITIATORD_CONTROL=$WORK/initiator.sock
  # A /dev of its own, with what the daemon needs, but no loop devices.
  cat >"$WORK/start" <<EOF
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/urandom c 1 9
mknod -m 666 /dev/fuse c 10 229
exec "$AOE_BIN/aoe-initiatord" -i ini0 --mount "$MNT" --links "$LINKS" --control "$INITIATORD_CONTROL"
EOF
  start_daemon poor nsenter --net="/run/netns/$NS_INITIATOR" unshare -m bash -e "$WORK/start"
  serves() { aoed wait e7.1; }
  wait_for "$WAIT_SECONDS" serves
  run aoed attach e7.1
  assert_status 1
  assert_contains "$output" "no loop: this kernel has no loop devices (/dev/loop-control is missing: modprobe loop)"
  [ ! -e "$LINKS/e7.1" ]
  run aoed list
  assert_lacks "$output" attached
  end_process "$DAEMON_PID"
  start_initiatord --mount "$MNT"
  aoed wait e7.1
  in_initiator "$AOE_BIN/aoe" reserve aoe://ini0/e7.1 set 02:00:00:00:00:99
  run aoed attach e7.1
  assert_status 1
  assert_contains "$output" "e7.1: attach: another host has reserved it (aoe reserve e7.1 list)"
  [ -z "$(attached_devices)" ]
  [ ! -e "$LINKS/e7.1" ]
  stop_initiatord
}

@test "what a killed daemon left attached is given back by the next one" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  device=$(aoed attach e7.1 --via loop)
  end_process "$INITIATORD_PID" KILL
  unmounted() { ! grep -q " $MNT fuse.aoekit " /proc/self/mounts; }
  wait_for "$WAIT_SECONDS" unmounted
  [ -e "/sys/block/${device##*/}/loop" ]
  start_initiatord --mount "$MNT"
  given_back() { [ ! -e "/sys/block/${device##*/}/loop" ] && [ ! -L "$LINKS/e7.1" ]; }
  wait_for "$WAIT_SECONDS" given_back
  assert_contains "$(cat "$INITIATORD_LOG")" "e7.1: $device was left by a daemon that is gone"
  aoed wait e7.1
  aoed attach e7.1 --via loop
  aoed detach e7.1
}

@test "a device that was closed by force can be detached, and gives errors until then" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  device=$(aoed attach e7.1 --via loop)
  aoed disable e7.1 --force
  run dd if="$device" of=/dev/null bs=4k count=1 iflag=direct
  [ "$status" -ne 0 ]
  run ls "$MNT/e7.1"
  [ "$status" -ne 0 ]
  aoed detach e7.1
  [ ! -e "/sys/block/${device##*/}/loop" ]
  aoed enable e7.1
  aoed wait e7.1
  aoed attach e7.1 --via loop
  aoed detach e7.1
  stop_initiatord
}

@test "a disk that died since it last answered: whoever attaches is told, and nothing comes later" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  MNT=$WORK/etherd LINKS=$WORK/links
  # Requests fail later than the one who attaches is told.
  printf 'interfaces = ["ini0"]\n[[device]]\naddress = "7.1"\ntimeout = "32s"\n' >"$WORK/i.toml"
  start_initiatord --config "$WORK/i.toml" --mount "$MNT"
  aoed wait e7.1
  # It is up still: nobody has asked since.
  stop_targetd KILL
  run aoed attach e7.1 --via loop
  assert_status 3
  assert_contains "$output" "e7.1: attach: the disk does not answer within 25 s"
  run aoed attach e7.1 --via loop
  assert_contains "$output" "being attached or detached at this moment"
  given_up() { grep -q "e7.1: attach: its first sector was not answered in time" "$INITIATORD_LOG"; }
  wait_for 60 given_up
  [ -z "$(attached_devices)" ]
  [ ! -L "$LINKS/e7.1" ]
  start_targetd -e "7.1=$WORK/disk.img"
  wait_for "$WAIT_SECONDS" aoed wait e7.1
  aoed attach e7.1 --via loop
  aoed detach e7.1
}

@test "others than root and the daemon's user may not attach" {
  requires netns loop setpriv file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  run setpriv --reuid 65534 --regid 65534 --clear-groups "$AOE_BIN/aoe" attach e7.1 --control "$INITIATORD_CONTROL"
  assert_status 1
  assert_contains "$output" "ermission denied"
  [ -z "$(attached_devices)" ]
  stop_initiatord
}
