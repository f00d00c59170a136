#!/usr/bin/env bats
# Another target with the same shelf.slot and other content never gets our writes or gives us reads.

load lossy_net

# serve_rogue KIND: the same address with another disk behind it; nobody hears of it yet.
serve_rogue() {
  head -c 16M /dev/urandom >"$WORK/rogue.img"
  truncate -s "$(stat -c %s "$WORK/disk1.img")" "$WORK/rogue.img"
  cp "$WORK/rogue.img" "$WORK/rogue-before.img"
  bridge 0 down r0
  if [ "$1" = ours ]; then
    start_daemon rogue ip netns exec "$NS_ROGUE" "$AOE_BIN/aoe-targetd" -i rog0 \
      -e "7.1=$WORK/rogue.img" --state-dir "$WORK/rogue-state" --control "$WORK/rogue.sock"
    wait_for "$WAIT_SECONDS" grep -q ' ready: ' "$WORK/rogue.log"
  else
    # vblade's serial number is made of the address and the host's name.
    start_daemon rogue unshare -u ip netns exec "$NS_ROGUE" \
      sh -c "hostname rogue && exec vblade 7 1 rog0 '$WORK/rogue.img'"
  fi
}

rogue_answers() {
  in_initiator aoe discover -i ini0 --wait 0.3 | grep -q "$1"
}

# rogue_appears KIND [BRIDGE ARGUMENT]
rogue_appears() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade unshare
  make_lossy_net --rogue -- --rate-mbps 40 ${2:+"$2"}
  make_load_disks
  serve "$1" "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  serve_rogue "$1"
  start_loads
  loads_run
  bridge 0 up r0
  # Everybody hears of it while the load runs.
  wait_for "$WAIT_SECONDS" rogue_answers "$(in_rogue cat /sys/class/net/rog0/address)"
  loads_run
  finish_loads
  assert_same_bytes "$WORK/rogue-before.img" "$WORK/rogue.img"
}

# Ours takes nothing that is addressed to another, also where it hears everything.
@test "a rogue target appears under load, ours, on a hub" { rogue_appears ours --hub; }

@test "a rogue target appears under load, vblade, on a switch" { rogue_appears vblade; }

@test "the true target's death does not hand the disk to the rogue" {
  requires netns ours:aoe ours:aoe-targetd
  make_lossy_net --rogue -- --rate-mbps 40
  make_load_disks
  serve ours "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  serve_rogue ours
  start_loads
  bridge 0 up r0
  wait_for "$WAIT_SECONDS" rogue_answers "$(in_rogue cat /sys/class/net/rog0/address)"
  loads_run
  bridge 0 down t0
  # No condition can be waited for: nothing may happen.
  sleep "$(long_form 20 4)"
  loads_run
  bridge 0 up t0
  finish_loads
  assert_same_bytes "$WORK/rogue-before.img" "$WORK/rogue.img"
}

@test "a copy to an address that two disks have is refused, unless it says which one" {
  requires netns ours:aoe ours:aoe-targetd
  make_lossy_net --rogue
  make_images 16M
  serve ours "1=$WORK/disk1.img"
  serve_rogue ours
  bridge 0 up r0
  cp "$WORK/disk1.img" "$WORK/before.img"
  head -c 1M /dev/urandom >"$WORK/new.img"
  local serial
  serial=$(in_initiator aoe identify "aoe://ini0/e7.1?mac=$(in_target cat /sys/class/net/tgt0/address)" |
    sed -n 's/^serial[^A-Z]*//p')
  run in_initiator aoe copy "$WORK/new.img" aoe://ini0/e7.1
  [ "$status" -ne 0 ]
  assert_contains "$output" "two different disks have this address"
  assert_same_bytes "$WORK/before.img" "$WORK/disk1.img"
  assert_same_bytes "$WORK/rogue-before.img" "$WORK/rogue.img"

  in_initiator aoe copy "$WORK/new.img" "aoe://ini0/e7.1?serial=$serial"
  cmp -n 1048576 "$WORK/new.img" "$WORK/disk1.img"
  assert_same_bytes "$WORK/rogue-before.img" "$WORK/rogue.img"
}
