#!/usr/bin/env bats
# A network that loses, doubles, overtakes and damages frames costs time, never a byte.

load lossy_net

# copy_both_ways KIND: a verified copy to the target and one back, over a network that harms frames.
copy_both_ways() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net -- --loss 0.05 --dup 0.05 --reorder 0.1
  make_images "$(long_form 1G 64M)"
  serve "$1" "1=$WORK/disk1.img"
  in_initiator aoe copy --verify "$WORK/source.img" aoe://ini0/e7.1
  assert_same_bytes "$WORK/source.img" "$WORK/disk1.img"
  in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
  assert_same_bytes "$WORK/source.img" "$WORK/copy.img"
  # The network was as bad as it should be.
  local side harm
  for side in i0 t0; do
    for harm in lost duplicated reordered; do
      [ "$(bridge_counter 0 "$side" "$harm")" -ge 100 ] || fail "$side: hardly any frame $harm"
    done
  done
}

# Overlapping writes are where late copies of frames would do harm.
hot_bench() {
  requires netns ours:aoe ours:aoe-targetd
  [ "$1" = ours ] || requires vblade
  make_lossy_net -- --loss 0.02 --dup 0.05 --reorder 0.2 --delay-us 100,3000
  make_images 1M
  serve "$1" "2=$WORK/disk2.img"
  run in_initiator aoe bench aoe://ini0/e7.2 --op mixed --verify --bs 16K --depth 16 --size 1M \
    --time "$(long_form 60 4)"
  assert_status 0
  assert_contains "$output" "all right"
}

@test "5% loss, duplicates and reordering: a verified copy both ways, our target" {
  copy_both_ways ours
}

@test "5% loss, duplicates and reordering: a verified copy both ways, vblade" {
  copy_both_ways vblade
}

@test "overtaking copies of a write never undo a newer one, our target" { hot_bench ours; }

@test "overtaking copies of a write never undo a newer one, vblade" { hot_bench vblade; }

@test "flipped bits between our own ends never become wrong bytes" {
  requires netns ours:aoe ours:aoe-targetd
  make_lossy_net -- --flip 0.02
  make_images "$(long_form 256M 16M)"
  serve ours "1=$WORK/disk1.img"
  # Two copies, and no --verify in between that could mend: what the copy says is what counts.
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1
  assert_same_bytes "$WORK/source.img" "$WORK/disk1.img"
  in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
  assert_same_bytes "$WORK/source.img" "$WORK/copy.img"
  [ "$(bridge_counter 0 i0 flipped)" -ge 10 ]
  [ "$(bridge_counter 0 t0 flipped)" -ge 10 ]
}
