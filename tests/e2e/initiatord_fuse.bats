#!/usr/bin/env bats
# Devices as files of the mounted directory, and the files of the Linux driver beside them.

# Helpers are called through wait_for:
# shellcheck disable=SC2317
# Each test has a shell and a list of daemons of its own:
# shellcheck disable=SC2030,SC2031

load lib

# A target with e7.1 of SIZE, and an initiator daemon that shows it at $MNT.
show_device() {
  make_net
  truncate -s "$1" "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  MNT=$WORK/etherd
  start_initiatord --mount "$MNT"
  aoed wait e7.1
}

is_mounted() { grep -q " $MNT fuse.aoekit " /proc/self/mounts; }
is_unmounted() { ! is_mounted; }

@test "a device is a file of its size that reads and writes like a disk" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 16M
  [ "$(stat -c %s "$MNT/e7.1")" -eq 16777216 ]
  ls "$MNT" >"$WORK/names"
  printf '%s\n' discover e7.1 e7.1.d err flush interfaces revalidate | cmp - "$WORK/names"
  head -c 16M /dev/urandom >"$WORK/source.img"
  dd if="$WORK/source.img" of="$MNT/e7.1" bs=1M conv=fsync status=none
  cmp "$WORK/source.img" "$MNT/e7.1"
  assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
  # Past the cache of the initiator's host, in many sizes.
  dd if="$MNT/e7.1" of="$WORK/copy.img" bs=12345 iflag=direct status=none
  assert_same_bytes "$WORK/source.img" "$WORK/copy.img"
  # Not beyond the end, and never another size.
  run dd if=/dev/zero of="$MNT/e7.1" bs=512 seek=32768 count=1 conv=notrunc
  [ "$status" -ne 0 ]
  assert_contains "$output" "No space left"
  run truncate -s 1M "$MNT/e7.1"
  [ "$status" -ne 0 ]
  run touch "$MNT/new"
  [ "$status" -ne 0 ]
  stop_initiatord
  is_unmounted
}

@test "parts of sectors are written without losing their neighbours" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  python3 - "$MNT/e7.1" "$WORK/disk.img" <<'PY'
import os, random, sys, threading
random.seed(7)
fd = os.open(sys.argv[1], os.O_RDWR)
model = bytearray(1 << 20)
for _ in range(300):
    at = random.randrange(len(model) - 5000)
    data = random.randbytes(random.randrange(1, 5000))
    assert os.pwrite(fd, data, at) == len(data)
    model[at:at + len(data)] = data
    at = random.randrange(len(model))
    assert os.pread(fd, 3000, at) == bytes(model[at:at + 3000])
# Neighbours of one sector, at the same time.
threads = [threading.Thread(target=lambda b=b: [os.pwrite(fd, bytes([b]), at)
                                                for at in range(b, 4096, 8)]) for b in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
model[0:4096] = bytes(at % 8 for at in range(4096))
os.fsync(fd)
assert os.pread(fd, len(model), 0) == bytes(model)
with open(sys.argv[2], "rb") as disk:
    assert disk.read() == bytes(model)
PY
}

@test "fsync reaches the target, holes are trimmed, zeros are written" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 8M
  head -c 8M /dev/urandom >"$WORK/source.img"
  dd if="$WORK/source.img" of="$MNT/e7.1" bs=1M status=none
  flushes() { aoe target stats e7.1 -o json --control "$TARGETD_CONTROL" |
    sed -n 's/.*"flushes": \([0-9]*\).*/\1/p'; }
  before=$(flushes)
  sync "$MNT/e7.1"
  [ "$(flushes)" -eq $((before + 1)) ]
  dd if=/dev/zero of="$MNT/e7.1" bs=4k count=1 oflag=dsync conv=notrunc status=none
  fallocate --punch-hole --offset 1M --length 1M "$MNT/e7.1"
  fallocate --zero-range --offset 4M --length 64K "$MNT/e7.1"
  run fallocate --punch-hole --offset 100 --length 512 "$MNT/e7.1"
  [ "$status" -ne 0 ]
  cp "$WORK/source.img" "$WORK/expected.img"
  fallocate --zero-range --offset 0 --length 4K "$WORK/expected.img"
  fallocate --zero-range --offset 1M --length 1M "$WORK/expected.img"
  fallocate --zero-range --offset 4M --length 64K "$WORK/expected.img"
  cmp "$WORK/expected.img" "$MNT/e7.1"
  json_run aoed stats e7.1 -o json
  [ "$(json devices e7.1 trims)" -ge 1 ]
}

@test "the text files have the formats of the Linux driver" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  mac=$(in_target ip -br link show tgt0 | awk '{print $3}')
  [ "$(cat "$MNT/e7.1.d/state")" = up ]
  [ "$(cat "$MNT/e7.1.d/mac")" = "${mac//:/}" ]
  [ "$(cat "$MNT/e7.1.d/netif")" = ini0 ]
  [ "$(cat "$MNT/e7.1.d/payload")" = 8192 ]
  grep -Eq '^0x[0-9a-f]{4}$' "$MNT/e7.1.d/firmware-version"
  grep -Eq '^rttavg: [0-9]+ rttdev: [0-9]+$' "$MNT/e7.1.d/debug"
  grep -Eq "^${mac//:/}:[0-9]+:[0-9]+:[0-9]+\$" "$MNT/e7.1.d/debug"
  grep -q $'^\tini0$' "$MNT/e7.1.d/debug"
  # The labels in their order; what is counted counts.
  labels() { sed -E 's/^(\t?[a-z]+):.*/\1/; s/^[0-9a-f]{12}:.*/mac/' "$MNT/e7.1.d/debug" | tr -d '\t' | tr '\n' ' '; }
  [ "$(labels)" = "rttavg nskbpool kicked maxbcnt ref falloc ffree mac ssthresh taint r w ini0 " ]
  counted() { sed -n "s/^\t$1:\([0-9]*\)$/\1/p" "$MNT/e7.1.d/debug"; }
  [ "$(counted r) $(counted w)" = "0 0" ]
  dd if=/dev/zero of="$MNT/e7.1" bs=8k count=8 conv=notrunc status=none
  [ "$(counted r) $(counted w)" = "0 8" ]
  dd if="$MNT/e7.1" of=/dev/null bs=8k count=4 status=none
  [ "$(counted r) $(counted w)" = "4 8" ]
  [ "$(counted ssthresh)" -ge 1 ]
  [ "$(cat "$MNT/interfaces")" = ini0 ]
  exec 7<"$MNT/e7.1"
  in_target ip link set tgt0 down
  wait_for "$WAIT_SECONDS" device_is down e7.1
  [ "$(cat "$MNT/e7.1.d/state")" = down,closewait ]
  exec 7<&-
  closed() { [ "$(cat "$MNT/e7.1.d/state")" = down ]; }
  wait_for "$WAIT_SECONDS" closed
}

@test "control files do what the Linux driver's do" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  cat "$MNT/err" >"$WORK/err" 3>&- &
  DAEMONS+=($!)
  echo e7.1 >"$MNT/revalidate"
  run bash -c "echo e9.9 >'$MNT/revalidate'"
  [ "$status" -ne 0 ]
  run bash -c "echo nonsense >'$MNT/flush'"
  [ "$status" -ne 0 ]
  echo e7.1 >"$MNT/flush"
  [ ! -e "$MNT/e7.1" ]
  echo >"$MNT/discover"
  back() { [ -e "$MNT/e7.1" ]; }
  wait_for "$WAIT_SECONDS" back
  printf 'ini0\n' >"$MNT/interfaces"
  in_target ip link set tgt0 down
  told() { grep -Eq '^ {6}path down e7.1 s=[0-9a-f]{12} ini0$' "$WORK/err"; }
  wait_for "$WAIT_SECONDS" told
}

@test "frames that are sent again are lines of the driver's err" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  mac=$(in_target ip -br link show tgt0 | awk '{print $3}')
  here=$(in_initiator ip -br link show ini0 | awk '{print $3}')
  cat "$MNT/err" >"$WORK/err" 3>&- &
  DAEMONS+=($!)
  # Both copies are answered, one of them to nobody.
  kill -STOP "$TARGETD_PID"
  dd if="$MNT/e7.1" of=/dev/null bs=4k count=1 iflag=direct status=none 3>&- &
  reader=$!
  again="^ {5}retransmit e7\\.1 oldtag=[0-9a-f]{8}@[0-9a-f]{8,} newtag=[0-9a-f]{8}"
  again+=" s=${here//:/} d=${mac//:/} nout=[0-9]+\$"
  told() { grep -Eq "$again" "$WORK/err"; }
  wait_for "$WAIT_SECONDS" told
  kill -CONT "$TARGETD_PID"
  wait "$reader"
}

@test "a new size shows at once, also to those who have it open" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  exec 7<"$MNT/e7.1"
  truncate -s 2M "$WORK/disk.img"
  grown() { [ "$(stat -L -c %s "/dev/fd/7")" -eq 2097152 ]; }
  wait_for "$WAIT_SECONDS" grown
  [ "$(stat -c %s "$MNT/e7.1")" -eq 2097152 ]
  exec 7<&-
}

@test "writers wait out a target that restarts" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 64M
  head -c 64M /dev/urandom >"$WORK/source.img"
  dd if="$WORK/source.img" of="$MNT/e7.1" bs=64K oflag=dsync conv=notrunc status=none 3>&- &
  writer=$!
  sleep 0.2
  stop_targetd KILL
  start_targetd -e "7.1=$WORK/disk.img"
  wait "$writer"
  cmp "$WORK/source.img" "$MNT/e7.1"
}

@test "a device that is in use is not taken away, and stops the daemon from stopping" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  exec 7<"$MNT/e7.1"
  run aoed flush e7.1
  assert_status 1
  assert_contains "$output" "e7.1: flush: its file is open"
  run aoed disable e7.1
  assert_status 1
  run aoed flush --all
  assert_status 1
  run aoed stop
  assert_status 1
  assert_contains "$output" "e7.1: its file is open"
  kill -TERM "$INITIATORD_PID"
  refused() { grep -q 'a second signal stops all the same' "$INITIATORD_LOG"; }
  wait_for "$WAIT_SECONDS" refused
  kill -0 "$INITIATORD_PID"
  dd bs=512 count=1 status=none <&7 | cmp -n 512 - /dev/zero
  kill -TERM "$INITIATORD_PID"
  ended() { ! kill -0 "$INITIATORD_PID" 2>/dev/null; }
  wait_for "$WAIT_SECONDS" ended
  is_unmounted
  run dd bs=512 count=1 status=none <&7
  [ "$status" -ne 0 ]
  exec 7<&-
}

@test "force closes a device under its users, who get errors" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  exec 7<"$MNT/e7.1"
  kill -STOP "$TARGETD_PID"
  dd bs=512 count=1 of=/dev/null <&7 2>"$WORK/dd" 3>&- &
  reader=$!
  waits() { [ "$(aoed stats e7.1 -o json | grep -c '"requests_in_flight": 1')" -eq 1 ]; }
  wait_for "$WAIT_SECONDS" waits
  aoed disable e7.1 --force
  failed=0
  wait "$reader" || failed=$?
  [ "$failed" -ne 0 ]
  kill -CONT "$TARGETD_PID"
  exec 7<&-
  aoed enable e7.1
  aoed wait e7.1
  head -c 512 "$MNT/e7.1" | cmp -n 512 - /dev/zero
  json_run aoed stats e7.1 -o json
  [ "$(json devices e7.1 requests_in_flight)" -eq 0 ]
}

@test "a daemon that was killed leaves nothing mounted" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  is_mounted
  end_process "$INITIATORD_PID" KILL
  wait_for "$WAIT_SECONDS" is_unmounted
  start_initiatord --mount "$MNT"
  aoed wait e7.1
  [ -e "$MNT/e7.1" ]
}

@test "a mount that was left behind is taken away, a living one is not" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 1M
  run nsenter --net="/run/netns/$NS_INITIATOR" "$AOE_BIN/aoe-initiatord" -i ini0 \
    --mount "$MNT" --control "$WORK/second.sock"
  assert_status 1
  assert_contains "$output" "another daemon has mounted there"
  [ -e "$MNT/e7.1" ]
  # Without the process that unmounts, the mount of a killed daemon stays.
  guard=$(pgrep -P "$INITIATORD_PID" -x aoe-unmount)
  kill -KILL "$guard"
  end_process "$INITIATORD_PID" KILL
  is_mounted
  run ls "$MNT"
  [ "$status" -ne 0 ]
  start_initiatord --mount "$MNT"
  aoed wait e7.1
  [ -e "$MNT/e7.1" ]
}

@test "aoe top shows who works" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  show_device 16M
  while :; do dd if="$MNT/e7.1" of=/dev/null bs=64K status=none; done 3>&- &
  DAEMONS+=($!)
  working() { aoed top -n 1 --interval 300ms | grep -Eq '^e7.1 +up +[0-9.]+ [KMG]iB +[1-9]'; }
  wait_for "$WAIT_SECONDS" working
}
