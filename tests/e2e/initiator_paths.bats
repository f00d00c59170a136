#!/usr/bin/env bats
# Paths come and go under load: no error reaches the user while one lives, or comes back in time.

load lossy_net

path_pulled() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net --links 2 -- --rate-mbps 40
  make_load_disks
  serve "$1" "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  wait_for_traffic 1
  local round pulled
  for ((round = 0; round < $(long_form 20 2); round++)); do
    pulled=$((round % 2))
    loads_run
    bridge "$pulled" down
    # The load goes on over the other path, ...
    wait_for_traffic $((1 - pulled))
    bridge "$pulled" up
    # ... and takes the restored one in use again.
    loads_run
    wait_for_traffic "$pulled" 100
  done
  finish_loads
}

@test "a path is pulled and restored under load, our target" { path_pulled ours; }

@test "a path is pulled and restored under load, vblade" { path_pulled vblade; }

@test "an interface goes down and up under load, at either end" {
  requires netns ours:aoe ours:aoe-targetd
  make_lossy_net --links 2 -- --rate-mbps 40
  make_load_disks
  serve ours "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  wait_for_traffic 1
  in_initiator ip link set ini0 down
  wait_for_traffic 1
  in_initiator ip link set ini0 up
  wait_for_traffic 0
  in_target ip link set tgt1 down
  wait_for_traffic 0
  in_target ip link set tgt1 up
  wait_for_traffic 1 100
  finish_loads
}

all_paths_down() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net --links 2 -- --rate-mbps 40
  make_load_disks
  serve "$1" "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  loads_run
  bridge 0 down
  bridge 1 down
  # No condition can be waited for: nothing happens.
  sleep "$(long_form 30 5)"
  loads_run
  bridge 0 up
  bridge 1 up
  wait_for_traffic 0
  wait_for_traffic 1
  finish_loads
}

@test "all paths are down, then back: the load waits and goes on, our target" {
  all_paths_down ours
}

@test "all paths are down, then back: the load waits and goes on, vblade" {
  all_paths_down vblade
}

@test "down longer than the deadline: a clean error and exit status, and a later run works" {
  requires netns ours:aoe ours:aoe-targetd
  make_lossy_net --links 2 -- --rate-mbps 40
  make_load_disks
  serve ours "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads 3
  loads_run
  bridge 0 down
  bridge 1 down
  local name
  for name in copy bench; do
    finish_load "$name"
    cat "$WORK/load-$name.log"
    [ "$LOAD_STATUS" -eq 3 ] || fail "$name: status $LOAD_STATUS, expected 3 (timed out)"
    grep -q '^aoe: e7\.[12]: .*' "$WORK/load-$name.log" || fail "$name: no message"
  done
  bridge 0 up
  bridge 1 up
  in_initiator aoe copy --verify "$WORK/source.img" "aoe://$IFS_INITIATOR/e7.1"
  cmp --bytes "$(stat -c %s "$WORK/source.img")" "$WORK/source.img" "$WORK/disk1.img"
}
