#!/usr/bin/env bats
# What an export says of itself as a disk: SMART and self-tests, and its size for Windows.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

smart() { in_initiator "$AOE_BIN/aoe" smart aoe://ini0/e7.1 "$@"; }

# The raw value of an attribute.
attribute() { smart data | awk -v id="$1" '$1 == id { print $NF }'; }

newest_test_is() { smart tests | sed -n 2p | grep -Eq "$1"; }

@test "attributes are what happened, over a restart, and self-tests are logged" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 16M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  [ "$(smart)" = healthy ]
  [ "$(smart tests)" = "no self-tests" ]
  head -c 1M /dev/urandom >"$WORK/data"
  in_initiator "$AOE_BIN/aoe" copy "$WORK/data" aoe://ini0/e7.1
  [ "$(attribute 241)" = 2048 ]
  [ "$(attribute 12)" = 1 ]
  [ "$(attribute 199)" = 0 ]
  smart test
  wait_for "$WAIT_SECONDS" newest_test_is '^short +passed'
  smart test --kind extended
  wait_for "$WAIT_SECONDS" newest_test_is '^extended +passed'
  stop_targetd
  start_targetd -e "7.1=$WORK/disk.img"
  newest_test_is '^extended +passed'
  [ "$(attribute 241)" = 2048 ]
  [ "$(attribute 12)" = 2 ]
  json_run aoe target show e7.1 --control "$TARGETD_CONTROL" -o json
  assert_status 0
  grep -q 'sectors_written=2048' "$WORK/json.fields"
  run smart test --kind abort
  assert_status 0
  # What cannot be said in a byte of SMART is refused.
  run smart log --log 7
  assert_status 1
}

@test "geometry=chs leaves out what is behind the last whole cylinder, also when the store grows" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  # Two cylinders and a half.
  truncate -s $((2 * 8225280 + 4112384)) "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img,geometry=chs"
  grep -q "e7.1: geometry=chs: the last 8032 sectors of the store are not exported" "$TARGETD_LOG"
  sectors() { in_initiator "$AOE_BIN/aoe" identify aoe://ini0/e7.1 -o json | grep -o '"sectors": *[0-9]*' | grep -o '[0-9]*'; }
  [ "$(sectors)" = 32130 ]
  truncate -s $((3 * 8225280 + 512)) "$WORK/disk.img"
  aoe target resize e7.1 --control "$TARGETD_CONTROL"
  [ "$(sectors)" = 48195 ]
  stop_targetd
  truncate -s 1M "$WORK/disk.img"
  run in_target "$AOE_BIN/aoe-targetd" -i tgt0 -e "7.1=$WORK/disk.img,geometry=chs,allow=any" \
    --state-dir "$WORK/state" --control "$WORK/other.sock"
  assert_status 2
  assert_contains "$output" "geometry=chs: 2048 sectors are less than a cylinder of 16065"
}
