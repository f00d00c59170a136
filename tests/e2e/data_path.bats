#!/usr/bin/env bats
# What a request costs in system calls: counted, because times depend on the machine.

load lib

# calls EXPORT LOAD..: system calls that the daemon makes for 20000 requests of 1 KiB, 64 at a time, for each
# thousand. One frame in flight for each of 64 requests, and a tracer that makes every call slow: batches fill up.
calls_per_thousand() {
  local export=$1
  shift
  start_targetd -e "7.1=$export,buffers=256,allow=any"
  start_daemon strace strace -f -c -o "$WORK/calls" -p "$TARGETD_PID"
  wait_for 20 grep -q attached "$WORK/strace.log"
  in_initiator "$AOE_BIN/../bench/bin/aoe-load" -i ini0 --to "$(mac_of "$NS_TARGET" tgt0)" --bs 1024 --depth 64 --requests 20000 \
    --span $((8 << 20)) "$@" >"$WORK/load.json"
  end_process "$DAEMON_PID" INT
  stop_targetd
  cat "$WORK/load.json" "$WORK/calls" >&2
  awk '$NF == "total" { for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/) { print int($i / 20); exit } }' "$WORK/calls"
}

mac_of() {
  ip -n "$1" -j link show "$2" | jq -r '.[0].address'
}

@test "reads from memory: a few system calls for a batch" {
  requires netns strace jq ours:../bench/bin/aoe-load ours:aoe-targetd
  make_net --mtu 1500
  calls=$(calls_per_thousand memory:8M --op read)
  echo "$calls system calls for 1000 requests"
  [ "$calls" -le 150 ]
}

@test "writes to memory: a few system calls for a batch" {
  requires netns strace jq ours:../bench/bin/aoe-load ours:aoe-targetd
  make_net --mtu 1500
  calls=$(calls_per_thousand memory:8M --op write)
  echo "$calls system calls for 1000 requests"
  [ "$calls" -le 150 ]
}

@test "reads of a file: one system call for the operations of a batch" {
  requires netns strace jq ours:../bench/bin/aoe-load ours:aoe-targetd
  make_net --mtu 1500
  head -c 8M /dev/urandom >"$WORK/disk.img"
  calls=$(calls_per_thousand "$WORK/disk.img" --op read)
  echo "$calls system calls for 1000 requests"
  [ "$calls" -le 250 ]
}

@test "reads that our cache holds never reach the file" {
  requires netns strace jq ours:../bench/bin/aoe-load ours:aoe-targetd
  make_net --mtu 1500
  head -c 8M /dev/urandom >"$WORK/disk.img"
  calls=$(calls_per_thousand "$WORK/disk.img,cache=16M" --op read)
  echo "$calls system calls for 1000 requests"
  [ "$calls" -le 250 ]
}

@test "sequential writes to a file in memory are merged" {
  requires netns strace jq ours:../bench/bin/aoe-load ours:aoe-targetd
  make_net --mtu 1500
  memory=$(mktemp -d /dev/shm/aoekit-test-XXXXXX)
  truncate -s 8M "$memory/disk.img"
  calls=$(calls_per_thousand "$memory/disk.img,mode=write-back" --op write --sequential)
  rm -r "$memory"
  echo "$calls system calls for 1000 requests"
  [ "$calls" -le 400 ]
}
