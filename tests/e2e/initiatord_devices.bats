#!/usr/bin/env bats
# The initiator daemon finds devices, keeps them, and answers for them over its control socket.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

@test "every target that answers is found, opened and listed" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net --links 2
  start_targetd -e 7.1=memory:10M -e 7.2=memory:1M,mode=read-only
  start_initiatord
  aoed wait e7.1
  aoed wait e7.2
  wait_for "$WAIT_SECONDS" two_paths
  run aoed list
  assert_contains "$output" "ini0,ini1"
  assert_contains "$output" "10 MiB"
  json_run aoed list -o json
  [ "$(json version)" = 1 ]
  [ "$(json devices 0 address)" = e7.1 ]
  [ "$(json devices 0 size_sectors)" = 20480 ]
  [ "$(json devices 1 state)" = up ]
  run aoed show e7.1
  assert_contains "$output" "aoekit"
  run aoed paths e7.1
  [ "$(grep -c live <<<"$output")" -eq 2 ]
  stop_initiatord
}

two_paths() { [ "$(aoed paths e7.1 | grep -c live)" -eq 2 ]; }

@test "what is not there has the exit statuses of the contract" {
  requires netns ours:aoe ours:aoe-initiatord
  make_net
  start_initiatord
  run aoed show e9.1
  assert_status 4
  assert_contains "$output" "aoe: e9.1: no such device"
  run aoed wait e9.1 --timeout 1
  assert_status 3
  assert_contains "$output" "e9.1: wait: no answer within 1s"
  run aoed show 9
  assert_status 2
  run aoed revalidate e9.1
  assert_status 4
  run aoe list --control "$WORK/nobody.sock"
  assert_status 1
}

@test "wait ends when the target comes" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_initiatord
  aoed wait e7.1 --timeout 60 &
  waiter=$!
  start_targetd -e 7.1=memory:1M
  wait "$waiter"
  device_is up e7.1
}

@test "a device whose target went comes back by itself, and grows by itself" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  start_initiatord
  aoed wait e7.1
  truncate -s 2M "$WORK/disk.img"
  grown() { aoed list | grep -q '2 MiB'; }
  wait_for "$WAIT_SECONDS" grown
  run aoed events
  assert_contains "$output" "e7.1: size changed from 2048 to 4096 sectors"
  stop_targetd
  in_target ip link set tgt0 down
  wait_for "$WAIT_SECONDS" device_is down e7.1
  in_target ip link set tgt0 up
  start_targetd -e "7.1=$WORK/disk.img"
  aoed wait e7.1
}

@test "revalidate asks the target now" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  start_initiatord
  aoed wait e7.1
  json_run aoed revalidate e7.1 -o json
  [ "$(json size_sectors)" = 2048 ]
  kill -STOP "$TARGETD_PID"
  run aoed revalidate e7.1 --timeout 2
  assert_status 3
  kill -CONT "$TARGETD_PID"
  aoed revalidate e7.1
}

@test "disable closes a device until enable, flush forgets what is down" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M -e 7.10=memory:1M
  start_initiatord
  aoed wait e7.1
  aoed wait e7.10
  aoed disable e7.1
  device_is disabled e7.1
  run aoed wait e7.1
  assert_status 1
  assert_contains "$output" "disabled (aoe enable e7.1)"
  aoed enable e7.1
  aoed wait e7.1
  # Exactly the device that is named, not all whose names begin so (the Linux driver's slip).
  aoed flush e7.1
  run aoed list
  assert_contains "$output" "e7.10"
  assert_lacks "$output" "e7.1 "
  # A flush without a name takes only what is down.
  aoed flush
  device_is up e7.10
  aoed flush --all
  run aoed list -o json
  assert_contains "$output" '"devices": []'
  run aoed flush e7.1 --all
  assert_status 2
}

@test "another disk under a known address is not used until flush" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M,serial=FIRST
  start_initiatord
  aoed wait e7.1
  stop_targetd
  start_targetd -e 7.1=memory:2M,serial=SECOND
  quarantined() { aoed paths e7.1 | grep -q quarantined; }
  wait_for "$WAIT_SECONDS" quarantined
  run aoed events
  assert_contains "$output" "another disk"
  aoed flush e7.1
  aoed wait e7.1
  run aoed show e7.1
  assert_contains "$output" SECOND
}

@test "events are numbered, follow has no gap, many may follow" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_initiatord
  for name in a b c; do
    "$AOE_BIN/aoe" events -f -o json --control "$INITIATORD_CONTROL" \
      >"$WORK/events.$name" 3>&- &
    DAEMONS+=($!)
  done
  # One that never reads holds nobody up.
  "$AOE_BIN/aoe" events -f --control "$INITIATORD_CONTROL" >"$WORK/events.stopped" 3>&- &
  stopped=$!
  DAEMONS+=("$stopped")
  # Not before it is the program: a shell that is about to become it still has our traps.
  is_program() { [ "$(cat "/proc/$stopped/comm")" = aoe ]; }
  wait_for "$WAIT_SECONDS" is_program
  kill -STOP "$stopped"
  start_targetd -e 7.1=memory:1M
  aoed wait e7.1
  for name in a b c; do
    seen() { grep -q device_up "$WORK/events.$name"; }
    wait_for "$WAIT_SECONDS" seen
  done
  cmp "$WORK/events.a" "$WORK/events.b"
  python3 - "$WORK/events.a" <<'PY'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), events
assert all(event["version"] == 1 for event in events)
assert {"target_found", "path_up", "device_up"} <= {event["type"] for event in events}
PY
}
