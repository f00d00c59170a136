#!/usr/bin/env bats
# One daemon whose exports are divided between threads: for everybody else it is as with one.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }
frames_of_shards() { target stats -o json | jq -r '.target.shards | @tsv'; }
threads() { find /proc/"$TARGETD_PID"/task -mindepth 1 -maxdepth 1 | wc -l; }

# start_bench SHELF.SLOT..: reads and writes, verified, in the background until end_benches.
start_benches() {
  local address
  BENCHES=()
  for address in "$@"; do
    ip netns exec "$NS_INITIATOR" aoe bench "aoe://ini0/e$address" --op mixed --verify --bs 4K --depth 8 \
      --size 4M --time 0 --timeout 60 >"$WORK/bench-$address.log" 2>&1 </dev/null 3>&- &
    BENCHES+=("$!")
    DAEMONS+=("$!")
  done
}
end_benches() {
  local pid
  for pid in "${BENCHES[@]}"; do
    end_process "$pid" INT
    [ "$ENDED_STATUS" -eq 0 ] || fail "a load ended with status $ENDED_STATUS" || return
  done
}
# Each of the benches has had so many requests answered by now.
has_traffic() {
  local count
  for count in $(target stats -o json | jq -r '.exports[] | .reads + .writes'); do
    [ "$count" -ge "$1" ] || return
  done
}

@test "each shard answers for its exports, on one interface, and everybody is discovered" {
  requires netns jq ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.0=memory:4M -e 7.1=memory:4M -e 7.2=memory:4M -e 8.0=memory:4M --shards 3
  run in_initiator aoe discover -i ini0 -o json
  assert_status 0
  [ "$(jq -c '[.targets[].address] | sort' <<<"$output")" = '["e7.0","e7.1","e7.2","e8.0"]' ]
  start_benches 7.0 7.1 7.2 8.0
  wait_for "$WAIT_SECONDS" has_traffic 1000
  read -r -a frames <<<"$(frames_of_shards)"
  [ "${#frames[@]}" -eq 3 ]
  for count in "${frames[@]}"; do
    [ "$count" -ge 1000 ] || fail "a shard saw $count frames" || return
  done
  end_benches
  run target stats -o json
  # The counters of the interface are those of all shards; every request was for exactly one.
  [ "$(jq '[.ports[].rx_frames] == [.target.frames]' <<<"$output")" = true ]
  [ "$(jq '.target.drops.unknown_address' <<<"$output")" -eq 0 ]
  [ "$(jq '.initiators | length' <<<"$output")" -eq 1 ]
  stop_targetd
}

@test "exports come, change, move between shards and go while others are in use" {
  requires netns jq ours:aoe ours:aoe-targetd
  make_net
  truncate -s 4M "$WORK/b.img"
  start_targetd -e 7.0=memory:4M -e 7.1=memory:4M --shards 2
  start_benches 7.0 7.1
  wait_for "$WAIT_SECONDS" has_traffic 500
  head -c 4M /dev/urandom >"$WORK/content.img"
  for _ in 1 2 3; do
    target export 7.4 "$WORK/b.img"
    wait_for "$WAIT_SECONDS" in_initiator aoe copy -q "$WORK/content.img" aoe://ini0/e7.4
    target offline 7.4
    target online 7.4
    target move 7.4 7.5 --force # what an earlier round left
    wait_for "$WAIT_SECONDS" in_initiator aoe copy -q aoe://ini0/e7.5 "$WORK/copy.img"
    assert_same_bytes "$WORK/content.img" "$WORK/copy.img"
    truncate -s 8M "$WORK/b.img"
    [ "$(target resize 7.5 -o json | jq .size_sectors)" -eq 16384 ]
    target unexport 7.5
    gone() { ! target show 7.5 >/dev/null 2>&1; }
    wait_for "$WAIT_SECONDS" gone
    truncate -s 4M "$WORK/b.img"
  done
  end_benches
  stop_targetd
}

@test "what a shard's store does by itself is followed: freeze, thaw, a snapshot, a stop in between" {
  requires netns jq ours:aoe ours:aoe-targetd
  make_net
  for i in 1 2; do head -c 4M /dev/urandom >"$WORK/$i.img"; done
  cp "$WORK/1.img" "$WORK/a.img"
  cp "$WORK/1.img" "$WORK/b.img"
  serve() {
    start_targetd -e "7.0=$WORK/a.img,thaw_rate=0" -e "7.1=$WORK/b.img,snapshots=$WORK/snaps,thaw_rate=0" \
      --shards 2
  }
  serve
  target freeze 7.0
  in_initiator aoe copy -q "$WORK/2.img" aoe://ini0/e7.0
  assert_same_bytes "$WORK/1.img" "$WORK/a.img"
  stop_targetd
  serve
  target thaw 7.0
  wait_for "$WAIT_SECONDS" cmp -s "$WORK/2.img" "$WORK/a.img"

  # A snapshot shares its export's store, and so its shard.
  run target snapshot create 7.1 7.102
  assert_status 1
  assert_contains "$output" "the same remainder by 2"
  target snapshot create 7.1 7.101
  in_initiator aoe copy -q "$WORK/2.img" aoe://ini0/e7.1
  wait_for "$WAIT_SECONDS" in_initiator aoe copy -q aoe://ini0/e7.101 "$WORK/copy.img"
  assert_same_bytes "$WORK/1.img" "$WORK/copy.img"
  target snapshot delete 7.1 7.101
  stop_targetd
}

@test "the layers of initiators are made when they come, in every shard" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  for i in 1 2 3; do head -c 1M /dev/urandom >"$WORK/$i.img"; done
  cp "$WORK/1.img" "$WORK/a.img"
  cp "$WORK/1.img" "$WORK/b.img"
  mkdir "$WORK/layers-a" "$WORK/layers-b"
  start_targetd -e "7.0=$WORK/a.img,overlay=$WORK/layers-a" -e "7.1=$WORK/b.img,overlay=$WORK/layers-b" --shards 2
  for i in 0 1; do
    in_initiator aoe copy -q "$WORK/$((i + 2)).img" "aoe://ini0/e7.$i"
    in_initiator aoe copy -q "aoe://ini0/e7.$i" "$WORK/copy.img"
    assert_same_bytes "$WORK/$((i + 2)).img" "$WORK/copy.img"
  done
  assert_same_bytes "$WORK/1.img" "$WORK/a.img"
  assert_same_bytes "$WORK/1.img" "$WORK/b.img"
  stop_targetd
}

@test "an interface that goes and comes back is served by all shards again" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --mtu 1500
  start_targetd -e 7.0=memory:4M -e 7.1=memory:4M --shards 2
  in_target ip link del tgt0
  sleep 0.3
  kill -0 "$TARGETD_PID"
  netns_link "$NS_TARGET" tgt0 "$NS_INITIATOR" ini0 9000
  for i in 0 1; do
    wait_for "$WAIT_SECONDS" in_initiator aoe ping "aoe://ini0/e7.$i" -c 1
  done
  start_benches 7.0 7.1
  wait_for "$WAIT_SECONDS" has_traffic 500
  end_benches
  stop_targetd
}

@test "masks and reservations survive a restart with another number of shards" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.0=memory:4M -e 7.1=memory:4M --shards 2
  for i in 0 1; do
    in_initiator aoe config "aoe://ini0/e7.$i" set "disk $i"
  done
  stop_targetd
  start_targetd -e 7.0=memory:4M -e 7.1=memory:4M --shards auto
  for i in 0 1; do
    assert_contains "$(in_initiator aoe config "aoe://ini0/e7.$i" get)" "disk $i"
  done
  stop_targetd
}

@test "a thread for each shard, none for one alone, and hardly any work when nothing comes" {
  requires netns jq ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.0=memory:4M -e 7.1=memory:4M --shards 1
  local alone
  alone=$(threads)
  stop_targetd
  start_targetd -e 7.0=memory:4M -e 7.1=memory:4M --shards 4
  [ "$(threads)" -eq $((alone + 4)) ]
  # Nobody wakes anybody all the time: context switches in two seconds.
  switches() { awk '/^(non)?voluntary_ctxt_switches/ { sum += $2 } END { print sum }' /proc/"$TARGETD_PID"/task/*/status; }
  sleep 1
  local before
  before=$(switches)
  sleep 2
  [ $(($(switches) - before)) -le 200 ] || fail "$(($(switches) - before)) context switches in 2 s"
  stop_targetd
}
