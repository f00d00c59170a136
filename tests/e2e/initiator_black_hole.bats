#!/usr/bin/env bats
# Big frames begin to vanish under load, as behind a switch that carries no jumbo frames: smaller
# frames, no error, no wrong byte.

load lossy_net

# black_hole KIND [IF]: frames above the size of an ordinary MTU vanish, in both directions or in one.
black_hole() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net -- --rate-mbps 40
  make_load_disks
  serve "$1" "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  loads_run
  bridge 0 max-frame "${2:+$2=}1514"
  wait_for_traffic 0 300
  [ "$(bridge_counter 0 "${2:-i0}" black_holed)" -gt 0 ]
  loads_run
  bridge 0 max-frame 65535
  finish_loads
}

@test "big frames vanish under load, our target" { black_hole ours; }

@test "big frames vanish under load, vblade" { black_hole vblade; }

@test "big frames vanish on the way to the target only" { black_hole ours i0; }

@test "big frames vanish on the way back only" { black_hole ours t0; }
