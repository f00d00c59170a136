#!/usr/bin/env bats
# aoe ping: what it counts is what the network does, and its exit status says it.

load lossy_net

ping_needs() { requires netns python3 ours:aoe ours:aoe-targetd; }

@test "every request is a line, and the summary counts them" {
  ping_needs
  make_net
  start_targetd -e 7.1=memory:1M
  run in_initiator aoe ping aoe://ini0/e7.1 -c 3 --interval 0.01
  assert_status 0
  mac=$(in_target cat /sys/class/net/tgt0/address)
  for number in 1 2 3; do
    assert_contains "$output" "e7.1 from $mac on ini0: seq=$number time="
  done
  assert_lacks "$output" "seq=4"
  assert_contains "$output" "3 sent, 3 answered, 0% lost"
  assert_contains "$output" "rtt min/avg/p50/p99/max/mdev = "
  run in_initiator aoe ping -i ini0 -c 3 --interval 0.01 --quiet 7.1
  assert_status 0
  assert_lacks "$output" "seq="
}

@test "what the network loses is counted as lost, and nothing is sent twice" {
  ping_needs
  make_lossy_net
  serve ours "1=memory:1M"
  bridge 0 loss i0=0.4
  before=$(bridge_counter 0 i0 received)
  # The search for the device asks again until it is answered; those are counted by the bridge too.
  json_run in_initiator aoe ping aoe://ini0/e7.1 -c 30 --interval 0 --timeout 0.3 -o json
  assert_status 0
  after=$(bridge_counter 0 i0 received)
  [ "$(json sent)" -eq 30 ]
  answered=$(json answered)
  # 18 of 30 in the middle; the seed makes it the same every time, but for the search.
  [ "$answered" -ge 8 ] && [ "$answered" -le 28 ] || fail "$answered of 30 answered"
  [ "$(json lost_percent | cut -d. -f1)" -eq $(((30 - answered) * 100 / 30)) ]
  [ $((after - before)) -lt 45 ] || fail "$((after - before)) frames for 30 requests"
}

@test "the time it shows is the network's" {
  ping_needs
  make_lossy_net -- --delay-us t0=30000
  serve ours "1=memory:1M"
  json_run in_initiator aoe ping aoe://ini0/e7.1 -c 5 --interval 0 --timeout 10 -o json
  assert_status 0
  [ "$(json answered)" -eq 5 ]
  [ "$(json rtt_ns min)" -ge 30000000 ]
  [ "$(json rtt_ns max)" -ge "$(json rtt_ns min)" ]
  [ "$(json request)" = config ]
}

@test "--io reads the disk: no answer when data does not pass, though the target is there" {
  ping_needs
  make_lossy_net
  serve ours "1=memory:1M"
  json_run in_initiator aoe ping aoe://ini0/e7.1 -c 2 --interval 0 --io -o json
  assert_status 0
  [ "$(json request)" = read ]
  [ "$(json answered)" -eq 2 ]
  bridge 0 max-frame t0=500
  run in_initiator aoe ping aoe://ini0/e7.1 -c 2 --interval 0 --timeout 0.3 --io
  assert_status 3
  assert_contains "$output" "seq=1 no answer within 300 ms"
  assert_contains "$output" "2 sent, 0 answered, 100% lost"
  run in_initiator aoe ping aoe://ini0/e7.1 -c 1
  assert_status 0
}

@test "a device that is not there: status 4 and a message" {
  ping_needs
  make_net
  start_targetd -e 7.1=memory:1M
  run in_initiator aoe ping aoe://ini0/e7.2 -c 1
  assert_status 4
  assert_contains "$output" "aoe: e7.2: discover: no answer on ini0"
  run in_initiator aoe ping aoe://ini0/seven -c 1
  assert_status 2
}

@test "an interrupt ends it with the summary" {
  ping_needs
  make_net
  start_targetd -e 7.1=memory:1M
  start_daemon ping ip netns exec "$NS_INITIATOR" aoe ping aoe://ini0/e7.1 --interval 0.05
  wait_for "$WAIT_SECONDS" grep -q seq=2 "$WORK/ping.log"
  end_process "$DAEMON_PID" INT
  [ "$ENDED_STATUS" -eq 0 ]
  grep -q 'ping statistics: .* 0% lost' "$WORK/ping.log"
}

@test "vblade is pinged like ours" {
  requires netns vblade python3 ours:aoe
  make_lossy_net --mtu 1500
  truncate -s 1M "$WORK/disk.img"
  serve vblade "1=$WORK/disk.img"
  for form in '' --io; do
    json_run in_initiator aoe ping aoe://ini0/e7.1 -c 3 --interval 0 -o json ${form:+"$form"}
    assert_status 0
    [ "$(json answered)" -eq 3 ]
  done
}
