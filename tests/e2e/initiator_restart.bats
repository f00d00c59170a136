#!/usr/bin/env bats
# A target that dies, comes back, or stands still under load costs time, never a byte.

load lossy_net

killed_and_restarted() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net -- --rate-mbps 60
  make_load_disks
  serve "$1" "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  local round
  for ((round = 0; round < $(long_form 10 2); round++)); do
    loads_run
    kill_target
    serve_again
    wait_for_traffic 0
  done
  finish_loads
}

@test "the target is killed and restarted under load, ours" { killed_and_restarted ours; }

@test "the target is killed and restarted under load, vblade" { killed_and_restarted vblade; }

stopped_for_a_while() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net -- --rate-mbps 60
  make_load_disks
  serve "$1" "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  loads_run
  kill -s STOP "${SERVE_PIDS[@]}"
  sleep 10
  loads_run
  kill -s CONT "${SERVE_PIDS[@]}"
  wait_for_traffic 0
  finish_loads
}

@test "the target stands still for a while under load, ours" { stopped_for_a_while ours; }

@test "the target stands still for a while under load, vblade" { stopped_for_a_while vblade; }
