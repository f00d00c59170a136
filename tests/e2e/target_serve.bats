#!/usr/bin/env bats
# A target daemon serves images, remembers its state, and stops cleanly.

load lib

@test "an image written through the target is in its file, and reads back the same" {
  requires netns ours:aoe ours:aoe-targetd
  for mtu in 1500 9000; do
    make_net --mtu "$mtu"
    truncate -s 8M "$WORK/disk.img"
    head -c 8M /dev/urandom >"$WORK/source.img"
    start_targetd -e "7.1=$WORK/disk.img"
    in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 --verify
    assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
    in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
    assert_same_bytes "$WORK/source.img" "$WORK/copy.img"
    stop_targetd
    cleanup
    rm -f "$WORK"/*.img
  done
}

@test "the ready line names sectors and interfaces, and one export serves several interfaces" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --links 2
  truncate -s 10M "$WORK/disk.img"
  start_targetd -i tgt0,tgt1 -e "7.1=$WORK/disk.img,allow=any"
  run cat "$TARGETD_LOG"
  assert_contains "$output" "aoe-targetd: e7.1 ready: 20480 sectors on tgt0,tgt1"
  run in_initiator aoe discover -i ini0,ini1
  assert_status 0
  assert_contains "$output" ini0
  assert_contains "$output" ini1
  stop_targetd
}

@test "config string, mask and serial survive a restart" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  in_initiator aoe config aoe://ini0/e7.1 set "kept over restarts"
  in_initiator aoe mask aoe://ini0/e7.1 add 02:00:00:00:00:99
  in_initiator aoe reserve aoe://ini0/e7.1 set
  serial=$(in_initiator aoe identify aoe://ini0/e7.1 | grep '^serial')
  stop_targetd
  start_targetd -e "7.1=$WORK/disk.img"
  run in_initiator aoe config aoe://ini0/e7.1 get
  assert_contains "$output" "kept over restarts"
  run in_initiator aoe mask aoe://ini0/e7.1 list
  assert_contains "$output" 02:00:00:00:00:99
  run in_initiator aoe reserve aoe://ini0/e7.1 list
  mac=$(in_initiator ip -br link show ini0 | awk '{print $3}')
  assert_contains "$output" "$mac"
  [ "$(in_initiator aoe identify aoe://ini0/e7.1 | grep '^serial')" = "$serial" ]
}

@test "state survives kill -9 right after the reply" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  for round in 1 2 3; do
    start_targetd -e 7.1=memory:1M
    in_initiator aoe config aoe://ini0/e7.1 force "round $round"
    stop_targetd KILL
    start_targetd -e 7.1=memory:1M
    run in_initiator aoe config aoe://ini0/e7.1 get
    assert_contains "$output" "round $round"
    stop_targetd
  done
}

@test "a damaged state file is refused with a message, and the file is left alone" {
  requires netns ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M
  stop_targetd
  printf 'X' | dd of="$WORK/state/e7.1.state" bs=1 seek=40 conv=notrunc status=none
  cp "$WORK/state/e7.1.state" "$WORK/damaged"
  run in_target aoe-targetd -i tgt0 -e 7.1=memory:1M --state-dir "$WORK/state" \
    --control "$WORK/c.sock"
  assert_status 2
  assert_contains "$output" "e7.1: state file: checksum does not match"
  assert_same_bytes "$WORK/damaged" "$WORK/state/e7.1.state"
}

@test "--run serves while the command runs and exits with its status" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  run in_target aoe-targetd -i tgt0 -e 7.1=memory:1M --state-dir "$WORK/state" \
    --control "$WORK/c.sock" --run "aoe target list --control $WORK/c.sock; exit 7"
  assert_status 7
  assert_contains "$output" "e7.1"
  run in_target aoe-targetd -i tgt0 -e 7.1=memory:1M --state-dir "$WORK/state" \
    --control "$WORK/c.sock" --run true
  assert_status 0
  # The command keeps the privileges that the daemon gives up.
  run in_target aoe-targetd -i tgt0 -e 7.1=memory:1M --state-dir "$WORK/state" \
    --control "$WORK/c.sock" --run 'ip link set tgt0 mtu 3000'
  assert_status 0
}

@test "an open packet socket needs no privilege: the daemon keeps none" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M
  run cat "/proc/$TARGETD_PID/status"
  assert_contains "$output" $'CapEff:\t0000000000000000'
  assert_contains "$output" $'CapPrm:\t0000000000000000'
  assert_contains "$output" $'NoNewPrivs:\t1'
  in_initiator aoe ping aoe://ini0/e7.1 -c 1
}

@test "two daemons do not serve the same address: the second one says who has it" {
  requires netns ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M
  mac=$(in_target ip -br link show tgt0 | awk '{print $3}')
  run in_initiator aoe-targetd -i ini0 -e 7.1=memory:1M --state-dir "$WORK/state2" \
    --control "$WORK/c2.sock"
  assert_status 1
  assert_contains "$output" "e7.1: address in use: $mac answers for it"
  # The same state directory is refused before anything goes out on the wire.
  run in_initiator aoe-targetd -i ini0 -e 7.1=memory:1M --state-dir "$WORK/state" \
    --control "$WORK/c2.sock"
  assert_status 2
  assert_contains "$output" "another daemon serves this export"
}
