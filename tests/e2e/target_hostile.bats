#!/usr/bin/env bats
# Hostile frames are survived: no crash, no change of data or state, no flood of the log.

load lib

@test "a hundred thousand hostile frames change nothing" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  head -c 2M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  start_targetd -e "7.1=$WORK/disk.img"
  in_initiator aoe config aoe://ini0/e7.1 set untouched
  aoe target show e7.1 --control "$TARGETD_CONTROL" | grep -E '^(config|mask|reservation)' \
    >"$WORK/state-before"
  mac=$(in_target ip -br link show tgt0 | awk '{print $3}')
  lines_before=$(wc -l <"$TARGETD_LOG")
  for seed in 1 2 3 4; do
    in_initiator python3 "$BATS_TEST_DIRNAME/../support/raw_aoe.py" ini0 flood "$mac" 7.1 25000 \
      "$seed"
  done
  kill -0 "$TARGETD_PID"
  assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
  aoe target show e7.1 --control "$TARGETD_CONTROL" | grep -E '^(config|mask|reservation)' \
    >"$WORK/state-after"
  assert_same_bytes "$WORK/state-before" "$WORK/state-after"
  [ "$(($(wc -l <"$TARGETD_LOG") - lines_before))" -lt 20 ]
  in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
  assert_same_bytes "$WORK/before.img" "$WORK/copy.img"
  stop_targetd
}

@test "junk at line rate leaves room for honest work" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net --links 2
  start_targetd -e 7.1=memory:16M
  mac=$(in_target ip -br link show tgt1 | awk '{print $3}')
  in_initiator python3 "$BATS_TEST_DIRNAME/../support/raw_aoe.py" ini1 flood "$mac" 7.1 200000 9 &
  flood=$!
  head -c 16M /dev/urandom >"$WORK/source.img"
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 --verify
  kill "$flood" 2>/dev/null || true
  wait "$flood" 2>/dev/null || true
  stop_targetd
}
