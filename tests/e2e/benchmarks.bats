#!/usr/bin/env bats
# The benchmarks run, and what they count (never what they time) has not grown.

load lib

@test "the target's core needs no more instructions for a request than recorded" {
  requires valgrind python3 ours:../bench/bin/aoe-scenario
  run "$BATS_TEST_DIRNAME/../../bench/count-instructions" --build "$AOE_BIN/.." --check
  [ "$status" -ne 77 ] || skip "$output"
  assert_status 0
}

@test "bench/run measures, in its short form, and leaves nothing behind" {
  requires netns python3 ours:../bench/bin/aoe-load ours:../bench/bin/aoe-reflector ours:aoe-targetd ours:aoe
  run "$BATS_TEST_DIRNAME/../../bench/run" --build "$AOE_BIN/.." --short --only memory-read-1500 --out "$WORK/out"
  assert_status 0
  python3 - "$WORK/out/results.json" <<'END'
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
assert len(rows) == 1 and rows[0]["ours"][0]["iops"] > 0 and rows[0]["peer"][0]["iops"] > 0, rows
END
  ! ip netns list | grep -q -- '-b[ti]$' || fail "$(ip netns list)"
}

@test "two shards write to no cache line that the other uses, and the look for them can find one" {
  run "$BATS_TEST_DIRNAME/../../bench/false-sharing" --build "$AOE_BIN/.."
  [ "$status" -ne 77 ] || skip "$output"
  assert_status 0
  assert_contains "$output" ": 0 shared"
  assert_contains "$output" "in one line: 1 shared"
}
