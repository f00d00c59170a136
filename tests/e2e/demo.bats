#!/usr/bin/env bats
# The demonstration, as small as it gets.

load lib

@test "the demonstration runs to its end and says what happened" {
  requires netns loop mkfs.ext4 file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  run env AOE_BIN="$AOE_BIN" TMPDIR="$WORK" "$BATS_TEST_DIRNAME/../../demo" --no-setup --size 16
  assert_status 0
  assert_contains "$output" "The copy is the same byte for byte"
  assert_contains "$output" ".. and ini1 has been pulled half way."
  assert_contains "$output" "since the cable was pulled, ini0 has sent "
  assert_contains "$output" "nothing is left attached"
  [ -z "$(ls -d "$WORK"/aoekit-demo.* 2>/dev/null)" ]
}
