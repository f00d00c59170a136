#!/usr/bin/env bats
# What happens to an interface never costs an export.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

served() { in_initiator aoe ping aoe://ini0/e7.1 -c 1 >/dev/null 2>&1; }

@test "link down and up again" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:8M
  for _ in 1 2 3; do
    in_target ip link set tgt0 down
    sleep 0.2
    kill -0 "$TARGETD_PID"
    in_target ip link set tgt0 up
    wait_for "$WAIT_SECONDS" served
  done
  stop_targetd
}

@test "an interface that is removed and made again is served again" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:8M
  in_target ip link del tgt0
  sleep 0.3
  kill -0 "$TARGETD_PID"
  netns_link "$NS_TARGET" tgt0 "$NS_INITIATOR" ini0 9000
  wait_for "$WAIT_SECONDS" served
  stop_targetd
}

@test "a new MTU is announced and used, up and down, while data flows" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --mtu 1500
  start_targetd -e 7.1=memory:64M
  run in_initiator aoe discover -i ini0 -o json
  assert_contains "$output" '"sectors_per_frame": 2'
  in_initiator ip link set ini0 mtu 9000
  in_target ip link set tgt0 mtu 9000
  big() { in_initiator aoe discover -i ini0 -o json | grep -q '"sectors_per_frame": 16'; }
  wait_for "$WAIT_SECONDS" big
  head -c 32M /dev/urandom >"$WORK/source.img"
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 &
  copy=$!
  sleep 0.1
  in_target ip link set tgt0 mtu 1500
  in_initiator ip link set ini0 mtu 1500
  wait "$copy" || true
  small() { in_initiator aoe discover -i ini0 -o json | grep -q '"sectors_per_frame": 2'; }
  wait_for "$WAIT_SECONDS" small
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 --verify
  stop_targetd
}

@test "a new hardware address is picked up" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:8M
  in_target ip link set tgt0 address 02:00:00:00:0a:77
  moved() { in_initiator aoe discover -i ini0 | grep -q 02:00:00:00:0a:77; }
  wait_for "$WAIT_SECONDS" moved
  served
  stop_targetd
}
