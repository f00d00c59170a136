#!/usr/bin/env bats
# Several initiators use one target at the same time.

load lossy_net

several() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  local count=4 number pairs=() pids=()
  make_lossy_net --initiators "$count" -- --loss 0.005 --dup 0.01 --reorder 0.02
  make_images "$(long_form 64M 8M)"
  for ((number = 0; number < count; number++)); do
    truncate -s "$(stat -c %s "$WORK/source.img")" "$WORK/own$number.img"
    head -c "$(stat -c %s "$WORK/source.img")" /dev/urandom >"$WORK/source$number.img"
    pairs+=("$number=$WORK/own$number.img")
  done
  serve "$1" "${pairs[@]}"
  # Everyone writes a disk of its own, over the same link, to the same process where it is ours.
  for ((number = 0; number < count; number++)); do
    ip netns exec "${NS_INITIATORS[number]}" aoe copy --verify --timeout 150 \
      "$WORK/source$number.img" "aoe://ini0/e7.$number" \
      >"$WORK/copy$number.log" 2>&1 </dev/null 3>&- &
    pids+=("$!")
    DAEMONS+=("$!")
  done
  for ((number = 0; number < count; number++)); do
    wait_for "$LOAD_SECONDS" has_ended "${pids[number]}"
    wait "${pids[number]}" || fail "initiator $number: status $?"
    assert_same_bytes "$WORK/source$number.img" "$WORK/own$number.img"
  done
  # And all of them read the same disk.
  pids=()
  for ((number = 0; number < count; number++)); do
    ip netns exec "${NS_INITIATORS[number]}" aoe copy --timeout 150 aoe://ini0/e7.0 \
      "$WORK/read$number.img" >"$WORK/read$number.log" 2>&1 </dev/null 3>&- &
    pids+=("$!")
    DAEMONS+=("$!")
  done
  for ((number = 0; number < count; number++)); do
    wait_for "$LOAD_SECONDS" has_ended "${pids[number]}"
    wait "${pids[number]}" || fail "initiator $number: status $?"
    assert_same_bytes "$WORK/source0.img" "$WORK/read$number.img"
  done
}

@test "four initiators write their own disks and read one together, our target" { several ours; }

@test "four initiators write their own disks and read one together, vblade" { several vblade; }
