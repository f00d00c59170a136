#!/usr/bin/env bats
# What was acknowledged is on the disk; what the disk refuses is an error.

load lib

@test "write-through: every acknowledged byte is in the file after kill -9" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 8M "$WORK/disk.img"
  head -c 8M /dev/urandom >"$WORK/source.img"
  start_targetd -e "7.1=$WORK/disk.img"
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1
  stop_targetd KILL
  assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
}

# syncs ARGS..: how many fdatasync operations a copy of 1 MiB costs with these export options.
syncs() {
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img$1"
  in_initiator aoe bench aoe://ini0/e7.1 --op write --bs 4K --depth 8 --time 1 >/dev/null
  aoe target show e7.1 --control "$TARGETD_CONTROL" -o json >"$WORK/show.json"
  stop_targetd
  python3 -c 'import json,sys; e=json.load(open(sys.argv[1])); b=e.get("backing") or e["export"]["backing"]; print(b["flushes"], b["writes"])' "$WORK/show.json"
}

@test "writes are made durable in groups; write-back leaves that to FLUSH" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  read -r flushes writes < <(syncs "")
  echo "write-through: $flushes flushes for $writes writes"
  [ "$flushes" -ge $((writes / 64)) ]
  [ "$flushes" -lt "$writes" ]
  read -r flushes writes < <(syncs ",mode=write-back")
  echo "write-back: $flushes flushes for $writes writes"
  [ "$flushes" -le 4 ]
  [ "$writes" -gt 8 ]
}

@test "a full file system fails the write and nothing else" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  mkdir "$WORK/small"
  mount -t tmpfs -o size=2m none "$WORK/small" || skip "mount: not permitted here"
  truncate -s 8M "$WORK/small/disk.img"
  start_targetd -e "7.1=$WORK/small/disk.img" -e 7.2=memory:1M
  head -c 8M /dev/urandom >"$WORK/source.img"
  run in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1
  umount -l "$WORK/small"
  assert_status 1
  assert_contains "$(cat "$TARGETD_LOG")" "store error: no_space"
  in_initiator aoe ping aoe://ini0/e7.1 -c 1
  in_initiator aoe ping aoe://ini0/e7.2 -c 1
  kill -0 "$TARGETD_PID"
}

@test "a read-only export refuses writes and its file never changes" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  head -c 1M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  start_targetd -e "7.1=$WORK/disk.img,mode=read-only"
  run in_initiator aoe copy /dev/zero aoe://ini0/e7.1 --size 1M
  [ "$status" -ne 0 ]
  head -c 1M /dev/zero >"$WORK/zero.img"
  run in_initiator aoe copy "$WORK/zero.img" aoe://ini0/e7.1
  assert_status 1
  assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
}

@test "TRIM makes holes in the file, and they read as zeros" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  head -c 4M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/expected.img"
  dd if=/dev/zero of="$WORK/expected.img" bs=512 seek=2048 count=4096 conv=notrunc status=none
  start_targetd -e "7.1=$WORK/disk.img"
  blocks_before=$(stat -c %b "$WORK/disk.img")
  mac=$(in_target ip -br link show tgt0 | awk '{print $3}')
  run in_initiator python3 "$BATS_TEST_DIRNAME/../support/raw_aoe.py" ini0 trim "$mac" 7.1 2048 4096
  assert_contains "$output" "status 40 flags 18"
  in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
  assert_same_bytes "$WORK/expected.img" "$WORK/copy.img"
  [ "$(stat -c %b "$WORK/disk.img")" -lt "$blocks_before" ]
  # One range beyond the end: refused, and nothing is discarded.
  run in_initiator python3 "$BATS_TEST_DIRNAME/../support/raw_aoe.py" ini0 trim "$mac" 7.1 8000 1000
  assert_contains "$output" "status 41 flags 18"
  assert_same_bytes "$WORK/expected.img" "$WORK/disk.img"
}
