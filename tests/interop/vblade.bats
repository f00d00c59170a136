#!/usr/bin/env bats
# Our raw commands against Debian's vblade, which does not pad frames and answers in its own way.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load ../e2e/lib

# start_vblade ARGS.. FILE: vblade 7 1 tgt0 FILE, with ARGS before them.
start_vblade() {
  local file=${!#}
  start_daemon vblade ip netns exec "$NS_TARGET" vblade "${@:1:$#-1}" 7 1 tgt0 "$file"
  answers() { in_initiator aoe discover -i ini0 | grep -q e7.1; }
  wait_for "$WAIT_SECONDS" answers
}

@test "discover, ping, identify and config" {
  requires netns vblade ours:aoe
  make_net --mtu 1500
  truncate -s 10M "$WORK/disk.img"
  start_vblade "$WORK/disk.img"
  run in_initiator aoe ping aoe://ini0/e7.1 -c 3
  assert_status 0
  assert_contains "$output" "3 sent, 3 answered"
  run in_initiator aoe identify aoe://ini0/e7.1
  assert_contains "$output" "Coraid EtherDrive vblade"
  assert_contains "$output" "20480 sectors"
  in_initiator aoe config aoe://ini0/e7.1 set "set by us"
  run in_initiator aoe config aoe://ini0/e7.1 set "somebody else"
  assert_status 1
  run in_initiator aoe config aoe://ini0/e7.1 get
  assert_contains "$output" "set by us"
}

@test "copy there and back with verification, at both frame sizes" {
  requires netns vblade ours:aoe
  for mtu in 1500 9000; do
    make_net --mtu "$mtu"
    truncate -s 32M "$WORK/disk.img"
    head -c 32M /dev/urandom >"$WORK/source.img"
    start_vblade "$WORK/disk.img"
    in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 --verify
    assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
    in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
    assert_same_bytes "$WORK/source.img" "$WORK/copy.img"
    cleanup
    rm -f "$WORK"/*.img
  done
}

@test "a write that vblade refuses is an error" {
  requires netns vblade ours:aoe
  make_net --mtu 1500
  head -c 1M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  head -c 1M /dev/zero >"$WORK/zero.img"
  start_vblade -r "$WORK/disk.img"
  run in_initiator aoe copy "$WORK/zero.img" aoe://ini0/e7.1
  assert_status 1
  assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
}

@test "an export does not start beside a vblade that has its address" {
  requires netns vblade ours:aoe ours:aoe-targetd
  make_net --mtu 1500
  truncate -s 1M "$WORK/disk.img"
  start_vblade "$WORK/disk.img"
  run in_initiator aoe-targetd -i ini0 -e 7.1=memory:1M,allow=any --state-dir "$WORK/state" \
    --control "$WORK/c.sock"
  assert_status 1
  assert_contains "$output" "address in use"
}
