#!/usr/bin/env bats
# The MTU of one end changes under load: smaller frames, no error, no wrong byte.

load lossy_net

# lowered KIND SIDE IF: its MTU goes to 1500 and back.
lowered() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net -- --rate-mbps 40
  make_load_disks
  serve "$1" "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  loads_run
  "in_$2" ip link set "$3" mtu 1500
  wait_for_traffic 0 300
  loads_run
  "in_$2" ip link set "$3" mtu 9000
  wait_for_traffic 0
  finish_loads
}

@test "the initiator's MTU is lowered and raised under load, our target" {
  lowered ours initiator ini0
}

@test "the initiator's MTU is lowered and raised under load, vblade" {
  lowered vblade initiator ini0
}

@test "the target's MTU is lowered and raised under load, our target" { lowered ours target tgt0; }

# vblade dies of an answer that its interface does not take; somebody starts it again.
@test "the target's MTU is lowered and raised under load, vblade that is restarted" {
  requires netns vblade ours:aoe
  make_lossy_net -- --rate-mbps 40
  make_load_disks
  local slot
  for slot in 1 2; do
    # shellcheck disable=SC2016  # expanded by the inner shell
    start_daemon "vblade-$slot" ip netns exec "$NS_TARGET" sh -c \
      'while :; do vblade 7 "$1" tgt0 "$2"; sleep 0.1; done' sh "$slot" "$WORK/disk$slot.img"
  done
  wait_for "$WAIT_SECONDS" in_initiator aoe discover -i ini0 e7.2
  start_loads
  loads_run
  in_target ip link set tgt0 mtu 1500
  wait_for_traffic 0 300
  loads_run
  in_target ip link set tgt0 mtu 9000
  finish_loads
}
