#!/usr/bin/env bats
# A target that was started anew executes no frames that were meant for an earlier one.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }

# plain_write SECONDS: a plain write of one sector; what is answered within that time.
plain_write() {
  in_initiator python3 "$BATS_TEST_DIRNAME/../support/raw_aoe.py" ini0 write "$(target_mac)" 7.1 \
    10 "$1"
}

target_mac() { in_target ip -br link show tgt0 | awk '{print $3}'; }

held_writes() {
  target stats e7.1 -o json | python3 -c '
import json, sys
print(json.load(sys.stdin)["exports"]["e7.1"]["late_writes"]["held"])'
}

held_ms() {
  target show e7.1 -o json | python3 -c '
import json, sys
print(json.load(sys.stdin)["plain_writes_held_ms"])'
}

plain_write_succeeds() { [[ "$(plain_write 1)" == "status 40"* ]]; }

@test "after a crash plain writes wait for a frame life, reads and discovery do not" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img" --frame-life 10s
  [ "$(held_ms)" -eq 0 ]
  plain_write_succeeds
  stop_targetd KILL
  : >"$WORK/disk.img"
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img" --frame-life 10s
  run plain_write 0.5
  [ "$output" = silence ]
  [ "$(held_writes)" -eq 1 ]
  cmp -n 1048576 "$WORK/disk.img" /dev/zero
  in_initiator aoe ping aoe://ini0/e7.1 -c 1
  in_initiator aoe discover -i ini0 | grep -q e7.1
  assert_contains "$(cat "$TARGETD_LOG")" "writes of plain initiators are held for 10s"
  wait_for "$WAIT_SECONDS" plain_write_succeeds
}

@test "after a clean stop long enough ago, or with frame life 0, nothing waits" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M --frame-life 100ms
  plain_write_succeeds
  stop_targetd
  sleep 0.2
  start_targetd -e 7.1=memory:1M --frame-life 100ms
  assert_lacks "$(cat "$TARGETD_LOG")" "are held"
  plain_write_succeeds
  stop_targetd KILL
  start_targetd -e 7.1=memory:1M --frame-life 0
  assert_contains "$(cat "$TARGETD_LOG")" "frame_life: 0: writes that the network delivers late"
  assert_lacks "$(cat "$TARGETD_LOG")" "are held"
  plain_write_succeeds
}

@test "an export that comes back in the same daemon waits too" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M --frame-life 10s
  target unexport e7.1
  gone() { ! target show e7.1; }
  wait_for "$WAIT_SECONDS" gone
  target export 7.1 memory:1M
  found() { in_initiator aoe discover -i ini0 | grep -q e7.1; }
  wait_for "$WAIT_SECONDS" found
  run plain_write 0.5
  [ "$output" = silence ]
  [ "$(held_writes)" -eq 1 ]
  wait_for "$WAIT_SECONDS" plain_write_succeeds
}

@test "what lay in the port while the target stood still is dropped, and the next copy answered" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  plain_write_succeeds
  : >"$WORK/disk.img"
  truncate -s 1M "$WORK/disk.img"
  kill -s STOP "$TARGETD_PID"
  run plain_write 1.2
  [ "$output" = silence ]
  kill -s CONT "$TARGETD_PID"
  drops() {
    target stats -o json | python3 -c '
import json, sys
print(json.load(sys.stdin)["target"]["drops"]["waited"])'
  }
  [ "$(drops)" -eq 1 ]
  cmp -n 1048576 "$WORK/disk.img" /dev/zero
  plain_write_succeeds
  [ "$(drops)" -eq 1 ]
}
