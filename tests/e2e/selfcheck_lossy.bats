#!/usr/bin/env bats
# The lossy network tests itself: commands are in force when they return, schedules run, counters and
# logs tell what happened, and loads that fail are seen to fail.

load lossy_net

target_answers() { in_initiator aoe ping aoe://ini0/e7.1 -c 1 --timeout 5 >/dev/null 2>&1; }

@test "a link is down when the command returns, and up again likewise" {
  requires netns ours:aoe ours:aoe-targetd
  make_lossy_net
  serve ours "1=memory:1M"
  target_answers
  bridge 0 down
  ! target_answers || fail "frames pass a link that is down"
  [ "$(bridge_counter 0 i0 blocked)" -gt 0 ]
  bridge 0 up
  target_answers
}

@test "a command that the bridge does not know fails the test" {
  requires netns
  make_lossy_net
  run bridge 0 teleport 1
  assert_status 1
  assert_contains "$output" "lossbridge refused: teleport 1"
}

@test "a schedule runs by itself, and log and capture tell what it did" {
  requires netns ours:aoe ours:aoe-targetd
  printf '0 loss i0=0.5\n200 down\n400 clear\n' >"$WORK/schedule"
  make_lossy_net -- --schedule "$WORK/schedule" --log "$WORK/decisions" --pcap "$WORK/frames.pcap"
  wait_for "$WAIT_SECONDS" grep -q '^lossbridge: done clear' "$WORK/bridge0.log"
  serve ours "1=memory:1M"
  target_answers
  bridge 0 loss i0=1
  ! target_answers || fail "lost frames arrive"
  forwarded=$(bridge_counter 0 i0 forwarded)
  cleanup # the bridge completes its files at its end
  assert_contains "$(sed 's/^[0-9]* //' "$WORK/decisions" | grep ^command | tr '\n' ';')" \
    "command loss i0=0.5;command down;command clear;command loss i0=1;"
  [ "$(grep -c ' i0 [0-9]* [0-9]* forwarded$' "$WORK/decisions")" -eq "$forwarded" ]
  grep -q ' i0 [0-9]* [0-9]* lost$' "$WORK/decisions"
  run aoe wire decode "$WORK/frames.pcap"
  assert_status 0
  assert_contains "$output" "7.1"
}

# refuses TEXT: finish_loads fails and says so. Not by `run`, whose shell has no children to wait for.
refuses() {
  if finish_loads >"$WORK/verdict"; then
    fail "finish_loads is content"
  fi
  assert_contains "$(cat "$WORK/verdict")" "$1"
}

@test "a load that sees an error, or a wrong byte, fails its test" {
  requires netns ours:aoe ours:aoe-targetd
  make_lossy_net -- --rate-mbps 40
  make_load_disks
  serve ours "1=$WORK/disk1.img" "2=$WORK/disk2.img"
  start_loads
  finish_loads
  printf 'WRONG!!!' | dd of="$WORK/disk1.img" bs=1 seek=5000 conv=notrunc status=none
  refuses "the copy differs"
  # shellcheck disable=SC2034  # finish_loads reads it
  declare -A LOADS=()
  start_load broken aoe copy "$WORK/source.img" aoe://ini0/e7.9
  refuses "broken: status 4"
}
