#!/usr/bin/env bats
# port=xdp: both ends over AF_XDP, everything that happens to their interfaces, and what is left behind.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

xdp_needs() {
  requires netns jq python3 ours:aoe ours:aoe-targetd ours:aoe-initiatord
  [ "$(id -u)" -eq 0 ] || skip "AF_XDP: needs root"
  make_net --mtu 1500
  # The build may have none (libbpf), the kernel neither.
  run in_initiator aoe discover 'aoe://ini0/e7.1?port=xdp' --wait 0.1
  case $output in
    *"has no AF_XDP"* | *"not supported"* | *"not permitted"*) skip "$output" ;;
  esac
}

# Which kind of port the daemons say that they have, and what the kernel says.
target_port() { aoe target stats --control "$TARGETD_CONTROL" -o json | jq -r '.ports[0].port'; }
target_reason() { aoe target stats --control "$TARGETD_CONTROL" -o json | jq -r '.ports[0].port_reason'; }
initiator_port() { aoed interfaces -o json | jq -r '.interfaces[0].port'; }
port_of() { [ "$($1)" = "$2" ]; }
has_program() { ip -n "$1" link show "$2" | grep -q 'prog/xdp'; }
has_no_program() { ! has_program "$@"; }

# verified_work [PARAMETERS]: a copy there and back, and a benchmark that looks at what it reads.
verified_work() {
  local uri=aoe://ini0/e7.1${1:+?$1}
  head -c 3M /dev/urandom >"$WORK/there.img"
  in_initiator aoe copy "$WORK/there.img" "$uri" --verify
  in_initiator aoe copy "$uri" "$WORK/back.img"
  cmp -n $((3 << 20)) "$WORK/there.img" "$WORK/back.img"
  run in_initiator aoe bench "$uri" --op mixed --bs 4K --depth 32 --time 1 --verify
  assert_status 0
}

@test "target on AF_XDP: discovered, copied to and from, benchmarked with verification" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port xdp
  has_program "$NS_TARGET" tgt0
  [ "$(target_port)" = xdp ]
  in_initiator aoe discover -i ini0 | grep -q e7.1
  verified_work
  # It was this way that frames took: the packet socket saw queries alone.
  stop_targetd
  has_no_program "$NS_TARGET" tgt0
}

@test "initiator on AF_XDP, target on a packet socket" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port packet
  [ "$(target_port)" = packet ]
  verified_work port=xdp
  has_no_program "$NS_INITIATOR" ini0
}

@test "both ends on AF_XDP" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port xdp
  verified_work port=xdp
}

@test "initiator daemon on AF_XDP serves its files" {
  xdp_needs
  requires fuse
  start_targetd -e 7.1=memory:4M --port xdp
  start_initiatord --mount "$WORK/etherd" --port xdp
  aoed wait e7.1
  [ "$(initiator_port)" = xdp ]
  head -c 4M /dev/urandom >"$WORK/a.img"
  dd if="$WORK/a.img" of="$WORK/etherd/e7.1" bs=64K conv=notrunc,fsync status=none
  cmp "$WORK/a.img" "$WORK/etherd/e7.1"
  stop_initiatord
  has_no_program "$NS_INITIATOR" ini0
}

@test "requests on AF_XDP cost a few system calls for a batch" {
  xdp_needs
  requires strace ours:../bench/bin/aoe-load
  start_targetd -e 7.1=memory:8M,buffers=256,allow=any --port xdp
  start_daemon strace strace -f -c -o "$WORK/calls" -p "$TARGETD_PID"
  wait_for 20 grep -q attached "$WORK/strace.log"
  in_initiator "$AOE_BIN/../bench/bin/aoe-load" -i ini0 --to "$(ip -n "$NS_TARGET" -j link show tgt0 | jq -r '.[0].address')" \
    --bs 1024 --depth 64 --requests 20000 --span $((8 << 20)) --op read
  end_process "$DAEMON_PID" INT
  cat "$WORK/calls"
  calls=$(awk '$NF == "total" { for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/) { print int($i / 20); exit } }' "$WORK/calls")
  echo "$calls system calls for 1000 requests"
  [ "$calls" -le 150 ]
}

@test "an MTU above the limit is refused with interface, MTU, limit and a way out" {
  xdp_needs
  ip -n "$NS_TARGET" link set tgt0 mtu 9000
  run in_target aoe-targetd -i tgt0 -e 7.1=memory:1M --port xdp --state-dir "$WORK/state" --control "$WORK/t.sock"
  assert_status 2
  assert_contains "$output" "tgt0: AF_XDP: MTU 9000 is more than 3606 (use port=packet, or ip link set tgt0 mtu 1500)"
  has_no_program "$NS_TARGET" tgt0
}

@test "the MTU grows and shrinks under load: served all the time, by a packet socket from then on" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port xdp
  in_initiator aoe bench aoe://ini0/e7.1 --op mixed --bs 4K --depth 16 --time 6 --verify >"$WORK/bench.out" 2>&1 &
  load=$!
  sleep 1
  ip -n "$NS_INITIATOR" link set ini0 mtu 9000
  ip -n "$NS_TARGET" link set tgt0 mtu 9000
  wait_for 10 port_of target_port packet
  assert_contains "$(target_reason)" "MTU 9000 is more than 3606"
  has_no_program "$NS_TARGET" tgt0
  grep -q 'tgt0: port packet (tgt0: AF_XDP: MTU 9000' "$TARGETD_LOG"
  ip -n "$NS_INITIATOR" link set ini0 mtu 1500
  ip -n "$NS_TARGET" link set tgt0 mtu 1500
  # The daemon has no privileges any more, and says so.
  says_why() { target_reason | grep -q 'CAP_BPF and CAP_NET_ADMIN'; }
  wait_for 10 says_why
  wait "$load" || { cat "$WORK/bench.out"; false; }
  verified_work
}

@test "the link goes down and comes up under load: AF_XDP goes on" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port xdp
  in_initiator aoe bench 'aoe://ini0/e7.1?port=xdp' --op mixed --bs 1K --depth 16 --time 6 --verify >"$WORK/bench.out" 2>&1 &
  load=$!
  sleep 1
  ip -n "$NS_TARGET" link set tgt0 down
  sleep 1
  ip -n "$NS_TARGET" link set tgt0 up
  wait "$load" || { cat "$WORK/bench.out"; false; }
  [ "$(target_port)" = xdp ]
  verified_work port=xdp
}

@test "the interface is removed and made again: served by a packet socket, and the reason is told" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port xdp
  start_initiatord --port xdp
  aoed wait e7.1
  ip -n "$NS_TARGET" link del tgt0
  wait_for 10 port_of target_port packet
  [ "$(target_reason)" = "the interface does not exist" ]
  netns_link "$NS_TARGET" tgt0 "$NS_INITIATOR" ini0 1500
  says_why() { target_reason | grep -q 'CAP_BPF and CAP_NET_ADMIN'; }
  wait_for 10 says_why
  aoed wait e7.1
  verified_work
}

@test "nothing is left on the interface of a daemon that was killed, and the next one starts" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port xdp
  has_program "$NS_TARGET" tgt0
  stop_targetd KILL
  wait_for 5 has_no_program "$NS_TARGET" tgt0
  start_targetd -e 7.1=memory:4M --port xdp
  [ "$(target_port)" = xdp ]
  verified_work
}

@test "who has AF_XDP keeps it: a second daemon on the interface is refused" {
  xdp_needs
  start_targetd -e 7.1=memory:4M --port xdp
  run in_target aoe-targetd -i tgt0 -e 7.2=memory:1M --port xdp --state-dir "$WORK/s2" --control "$WORK/t2.sock"
  assert_status 2
  assert_contains "$output" "tgt0: "
  assert_contains "$output" "another program"
  verified_work
}

@test "the key is a word, is dumped, and a change of it needs a restart" {
  xdp_needs
  cat >"$WORK/t.toml" <<END
interfaces = ["tgt0"]
port = "packet"
[[export]]
address = "7.1"
store = "memory:1M"
allow = "any"
END
  aoe-targetd --config "$WORK/t.toml" --dump-config | grep -qx 'port = "packet"'
  aoe-targetd --config "$WORK/t.toml" --port xdp --dump-config | grep -qx 'port = "xdp"'
  run aoe-targetd --config "$WORK/t.toml" --port dpdk --check-config
  assert_status 2
  assert_contains "$output" "port"
  assert_contains "$output" "auto, packet"
  run aoe discover 'aoe://lo/e7.1?port=fast'
  assert_contains "$output" "port=fast: expected auto, packet or xdp"
  EXPECT_EXPORTS=1 start_targetd --config "$WORK/t.toml"
  sed -i 's/"packet"/"xdp"/' "$WORK/t.toml"
  run aoe target reload --control "$TARGETD_CONTROL"
  assert_contains "$output" "needs a restart: port"
  [ "$(target_port)" = packet ]
}
