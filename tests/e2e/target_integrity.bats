#!/usr/bin/env bats
# Checksums at rest: rot is an error, and a scrub finds it.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }
read_back() { in_initiator aoe copy -q aoe://ini0/e7.1 "$1"; }
write_all() { in_initiator aoe copy -q "$1" aoe://ini0/e7.1; }
# flip FILE SECTOR: one bit in it.
flip() {
  python3 -c 'import sys
f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2]) * 512 + 77); b = f.read(1)
f.seek(-1, 1); f.write(bytes([b[0] ^ 8]))' "$1" "$2"
}

make_images() {
  head -c 4M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/old.img"
  head -c 4M /dev/urandom >"$WORK/new.img"
}
serve() { start_targetd -e "7.1=$WORK/disk.img,integrity=$WORK/sums$1"; }

@test "flipped bits of the file are read errors, and a scrub names them" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  serve ''
  assert_contains "$(cat "$TARGETD_LOG")" "nothing is checked before"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/old.img" "$WORK/copy.img"
  target scrub e7.1 --wait --rate 0
  assert_contains "$(target show e7.1)" "scrub learned"
  write_all "$WORK/new.img"
  target scrub e7.1 --wait --rate 0
  stop_targetd KILL
  flip "$WORK/disk.img" 1000
  flip "$WORK/disk.img" 5000
  serve ''
  run read_back "$WORK/copy.img"
  [ "$status" -ne 0 ]
  run target scrub e7.1 --wait --rate 0
  assert_status 1
  assert_contains "$output" "[1000,5000]"
  reported() { grep -q "e7.1: rot: sector" "$TARGETD_LOG"; }
  wait_for "$WAIT_SECONDS" reported
  # Written anew everything is sound.
  write_all "$WORK/new.img"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  target scrub e7.1 --wait --rate 0
}

@test "a scrub keeps to its rate, is stopped, and TRIM and freeze go with checksums" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  serve ',scrub_rate=256K,mode=write-back'
  target scrub e7.1
  running() { target show e7.1 | grep -Eq 'scrub: +running'; }
  running
  target scrub e7.1 --stop
  stopped() { ! running; }
  stopped
  mac=$(in_target cat /sys/class/net/tgt0/address)
  run in_initiator python3 "$BATS_TEST_DIRNAME/../support/raw_aoe.py" ini0 trim "$mac" 7.1 1000 3000
  assert_contains "$output" "status 40 flags 18"
  cp "$WORK/old.img" "$WORK/expected.img"
  dd if=/dev/zero of="$WORK/expected.img" bs=512 seek=1000 count=3000 conv=notrunc status=none
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/expected.img" "$WORK/copy.img"
  target freeze e7.1
  write_all "$WORK/new.img"
  assert_same_bytes "$WORK/expected.img" "$WORK/disk.img"
  target thaw e7.1 --wait --rate 0
  assert_same_bytes "$WORK/new.img" "$WORK/disk.img"
  target scrub e7.1 --wait --rate 0
  run target scrub e7.9
  [ "$status" -ne 0 ]
}

@test "a kill under load leaves no rot that is none" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  for _ in 1 2 3; do
    serve ''
    in_initiator aoe bench aoe://ini0/e7.1 --op write --bs 4K --time 20s >/dev/null 2>&1 &
    sleep 0.4
    stop_targetd KILL
    kill "$!" 2>/dev/null || true
    wait
    serve ''
    target scrub e7.1 --wait --rate 0
    stop_targetd
  done
}
