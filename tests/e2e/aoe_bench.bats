#!/usr/bin/env bats
# aoe bench: it does what its options say, counts what it did, and --verify finds what is wrong.

load lossy_net

bench_needs() { requires netns python3 ours:aoe ours:aoe-targetd; }

bench() { run in_initiator aoe bench aoe://ini0/e7.1 "$@"; }
json_bench() { json_run in_initiator aoe bench aoe://ini0/e7.1 -o json "$@"; }

@test "reads are counted and change nothing" {
  bench_needs
  make_net
  head -c 4M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  start_targetd -e "7.1=$WORK/disk.img"
  json_bench --time 1 --bs 8K --depth 4
  assert_status 0
  [ "$(json op)" = read ]
  [ "$(json read requests)" -gt 0 ]
  [ "$(json read bytes)" -eq $(($(json read requests) * 8192)) ]
  [ "$(json elapsed_ns)" -ge 1000000000 ]
  [ "$(json read latency_ns p50)" -le "$(json read latency_ns max)" ]
  assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
  # The target saw as many bytes as the bench counted.
  requests=$(json read requests)
  json_run aoe target show e7.1 --control "$TARGETD_CONTROL" -o json
  cat "$WORK/json.fields"
  [ "$(json backing read_bytes)" -ge $((requests * 8192)) ]
}

@test "writes stay inside --size, and a text summary names all there is" {
  bench_needs
  make_net
  head -c 4M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  start_targetd -e "7.1=$WORK/disk.img"
  bench --op write --pattern sequential --time 1 --bs 4K --size 1M
  assert_status 0
  assert_contains "$output" "sequential write of 4 KiB"
  assert_contains "$output" "final flush: "
  assert_contains "$output" "retransmissions: 0"
  ! cmp -s -n 1048576 "$WORK/before.img" "$WORK/disk.img" || fail "nothing was written"
  cmp -i 1048576 "$WORK/before.img" "$WORK/disk.img"
}

@test "mixed is 70% reads, and --verify reads all of it back" {
  bench_needs
  make_net
  start_targetd -e 7.1=memory:8M
  json_bench --op mixed --time 2 --verify
  assert_status 0
  reads=$(json read requests)
  writes=$(json write requests)
  share=$((reads * 100 / (reads + writes)))
  [ "$share" -ge 60 ] && [ "$share" -le 80 ] || fail "$share% reads of $((reads + writes))"
  [ "$(json blocks_verified)" -gt 0 ]
}

@test "--verify finds what somebody else changed" {
  bench_needs
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  # Zeros over everything, again and again until the bench has ended.
  # shellcheck disable=SC2016  # expanded by the inner shell
  start_daemon scribble bash -c 'while :; do
    dd if=/dev/zero of="$1" bs=64K count=16 conv=notrunc status=none
  done' scribble "$WORK/disk.img"
  bench --op write --time 1 --verify
  end_process "$DAEMON_PID"
  assert_status 1
  assert_contains "$output" "e7.1: verify: "
}

@test "lost frames are sent again and counted" {
  bench_needs
  make_lossy_net -- --loss 0.05
  serve ours "1=memory:8M"
  json_bench --op mixed --time 2 --verify
  assert_status 0
  [ "$(json retransmissions)" -gt 0 ]
}

@test "an interrupt ends it with what was measured, and says that it is not complete" {
  bench_needs
  make_lossy_net
  serve ours "1=memory:8M"
  declare -A LOADS=()
  start_load bench aoe bench aoe://ini0/e7.1 --op mixed --verify --time 1000
  wait_for_traffic 0
  kill -s INT "${LOADS[bench]}"
  finish_load bench
  [ "$LOAD_STATUS" -eq 1 ]
  grep -q 'verified: not completely (interrupted)' "$WORK/load-bench.log"
}

@test "with --time 0 an interrupt is the end, after which it verifies; a second one ends that too" {
  bench_needs
  make_lossy_net
  serve ours "1=memory:8M"
  declare -A LOADS=()
  start_load bench aoe bench aoe://ini0/e7.1 --op mixed --verify --time 0
  wait_for_traffic 0
  kill -s INT "${LOADS[bench]}"
  finish_load bench
  [ "$LOAD_STATUS" -eq 0 ]
  grep -q 'verified: [1-9][0-9]* blocks, all right' "$WORK/load-bench.log"

  start_load bench aoe bench aoe://ini0/e7.1 --op mixed --verify --time 0
  wait_for_traffic 0
  kill -s STOP "$TARGETD_PID"
  kill -s INT "${LOADS[bench]}"
  # Nothing shows that it took the first; two that it finds at once are one.
  sleep 2
  kill -s TERM "${LOADS[bench]}"
  kill -s CONT "$TARGETD_PID"
  finish_load bench
  [ "$LOAD_STATUS" -eq 1 ]
  grep -q 'verified: not completely (interrupted)' "$WORK/load-bench.log"
}

@test "what makes no sense is refused before anything is sent" {
  bench_needs
  make_lossy_net
  serve ours "1=memory:1M"
  before=$(bridge_counter 0 i0 received)
  for arguments in "--bs 1000" "--bs 0" "--depth 0" "--depth 1000" "--op erase" "--verify"; do
    # shellcheck disable=SC2086  # one word each
    bench $arguments
    assert_status 2
  done
  [ "$(bridge_counter 0 i0 received)" -eq "$before" ]
  # Too small for what is asked: known once the size is.
  bench --op write --verify --bs 512K --depth 16
  assert_status 2
  assert_contains "$output" "too few"
}

@test "vblade is measured like ours" {
  requires netns vblade python3 ours:aoe
  make_lossy_net --mtu 1500
  truncate -s 4M "$WORK/disk.img"
  serve vblade "1=$WORK/disk.img"
  json_bench --op mixed --time 1 --verify
  assert_status 0
  [ "$(json payload_bytes)" -eq 1024 ]
  [ "$(json blocks_verified)" -gt 0 ]
}
