#!/usr/bin/env bats
# A target that stops and one that starts in its place are one target for whoever uses it.

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }

# session_of FIELD: of the only session with e7.1.
session_of() { target show e7.1 -o json | python3 -c "import json, sys
sessions = json.load(sys.stdin)['sessions']
assert len(sessions) == 1, sessions
print(sessions[0]['$1'])"; }

# Writes at random for long enough, verifies, and fails at the first error; in the background.
start_load() {
  in_initiator aoe bench aoe://ini0/e7.1 --op write --verify --time "$1"s >"$WORK/load.log" 2>&1 3>&- &
  LOAD=$!
}

@test "restarts under load: no error, one session, no request executed twice" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 16M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img,mode=write-back"
  start_load 6
  sleep 1
  session=$(session_of session)
  for _ in 1 2 3; do
    stop_targetd
    start_targetd -e "7.1=$WORK/disk.img,mode=write-back"
    assert_contains "$(cat "$TARGETD_LOG")" "e7.1: goes on where the target before left off: 1 sessions"
    sleep 1
    [ "$(session_of session)" = "$session" ]
  done
  wait "$LOAD" || fail "$(cat "$WORK/load.log")"
  run target show e7.1 -o json
  assert_contains "$output" '"renews": 0'
}

@test "after a crash the session is a new one" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 16M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  start_load 4
  sleep 1
  session=$(session_of session)
  stop_targetd
  start_targetd -e "7.1=$WORK/disk.img"
  sleep 0.5
  [ "$(session_of session)" = "$session" ]
  [ ! -e "$WORK/state/e7.1.handover" ]
  stop_targetd KILL
  start_targetd -e "7.1=$WORK/disk.img"
  assert_lacks "$(cat "$TARGETD_LOG")" "goes on where"
  wait "$LOAD" || fail "$(cat "$WORK/load.log")"
  [ "$(session_of session)" != "$session" ]
}

@test "a damaged handover is told and not used" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  stop_targetd
  printf X | dd of="$WORK/state/e7.1.handover" bs=1 seek=20 conv=notrunc status=none
  start_targetd -e "7.1=$WORK/disk.img"
  assert_contains "$(cat "$TARGETD_LOG")" "starts as after a crash: e7.1: handover: checksum does not match"
}

@test "--replace takes the place of the daemon that runs, with the exports that were added" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  head -c 2M /dev/urandom >"$WORK/added.img"
  start_targetd -e "7.1=$WORK/disk.img"
  target export 7.2 "$WORK/added.img" mode=read-only
  wait_for "$WAIT_SECONDS" grep -q 'e7.2 ready' "$TARGETD_LOG"
  before=$TARGETD_PID
  EXPECT_EXPORTS=2 start_targetd --replace -e "7.1=$WORK/disk.img"
  end_process "$before" 0
  [ "$ENDED_STATUS" -eq 0 ]
  in_initiator aoe copy aoe://ini0/e7.2 "$WORK/copy.img"
  assert_same_bytes "$WORK/added.img" "$WORK/copy.img"
  # Where none runs it is a start like any other.
  stop_targetd
  start_targetd --replace -e "7.1=$WORK/disk.img"
}

@test "an export moves to another address with all that it remembers" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  head -c 2M /dev/urandom >"$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img" -e 7.2=memory:1M
  in_initiator aoe config aoe://ini0/e7.1 force "the library"
  serial=$(target show e7.1 -o json | python3 -c "import json, sys; print(json.load(sys.stdin)['serial'])")
  run target move e7.1 e7.2
  assert_status 1
  assert_contains "$output" "that address is in use here"
  run target move e7.1 e4095.0
  assert_status 2
  assert_contains "$output" "4095"
  target move e7.1 e9.9
  target move e9.9 e9.9
  run in_initiator aoe discover -i ini0
  assert_lacks "$output" e7.1
  assert_contains "$output" e9.9
  run target show e9.9 -o json
  assert_contains "$output" "the library"
  assert_contains "$output" "$serial"
  [ ! -e "$WORK/state/e7.1.state" ]
  in_initiator aoe copy aoe://ini0/e9.9 "$WORK/copy.img"
  assert_same_bytes "$WORK/disk.img" "$WORK/copy.img"
  # What an earlier export left is not written over by accident.
  target move e9.9 e7.1
  in_initiator aoe config aoe://ini0/e7.1 force "again"
  target unexport e7.1
  target export 9.9 "$WORK/disk.img"
  wait_for "$WAIT_SECONDS" grep -q 'e9.9 ready' "$TARGETD_LOG"
  run target move e9.9 e7.1
  assert_status 1
  assert_contains "$output" "has left its config string, masks and serial here"
  target move e9.9 e7.1 --force
  run target show e7.1 -o json
  assert_lacks "$output" '"again"'
}
