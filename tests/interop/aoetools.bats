#!/usr/bin/env bats
# Debian's aoetools that need no kernel module (aoeping, aoecfg, aoe-sancheck) against our target.

load ../e2e/lib

@test "aoeping finds the export and shows its identity" {
  requires netns aoeping ours:aoe-targetd
  make_net --mtu 1500
  start_targetd -e 7.1=memory:10M,serial=SN-0001,model=interop,allow=any
  run in_initiator aoeping -v -s 5 7 1 ini0
  assert_status 0
  mac=$(in_target ip -br link show tgt0 | awk '{print $3}' | tr -d :)
  assert_contains "$output" "found e7.1 with mac $mac"
  run in_initiator aoeping -I -s 5 7 1 ini0
  assert_status 0
  assert_contains "$output" "serial_number: SN-0001"
  assert_contains "$output" "model: interop"
  # Nobody answers for another slot.
  run in_initiator aoeping -s 1 7 2 ini0
  [ "$status" -ne 0 ]
}

@test "aoeping reads SMART status, data and logs" {
  requires netns aoeping ours:aoe-targetd
  make_net --mtu 1500
  start_targetd -e 7.1=memory:10M,allow=any
  for command in return_status read_data read_log enable; do
    run in_initiator aoeping -s 5 -S "$command" 7 1 ini0
    assert_status 0
    assert_contains "$output" "Status: 0x40"
    assert_contains "$output" "LBA High: 0xc2"
  done
  # Self-tests run in the background, and their log has them; off-line data collection has nothing to do.
  run in_initiator aoeping -s 5 -S offline_immediate 7 1 ini0
  assert_contains "$output" "aborted"
  run in_initiator aoeping -s 5 -S offline_immediate:2 7 1 ini0
  assert_status 0
  assert_contains "$output" "Status: 0x40"
  test_passed() { aoe target show e7.1 --control "$TARGETD_CONTROL" -o json | grep -q '"status": *"passed"'; }
  wait_for "$WAIT_SECONDS" test_passed
  run in_initiator aoeping -s 5 -S read_log:6 7 1 ini0
  assert_status 0
  # The newest entry is the first: revision, then an extended test that passed.
  assert_contains "$output" "01 00 02 00"
}

@test "aoecfg reads, tests, sets and refuses config strings" {
  requires netns aoecfg ours:aoe-targetd
  make_net --mtu 1500
  start_targetd -e 7.1=memory:10M,allow=any -e 7.2=memory:10M,allow=any
  run in_initiator aoecfg -c set -s "owner one" -t 5 7 1 ini0
  assert_contains "$output" "owner one"
  run in_initiator aoecfg -c set -s "owner two" -t 5 7 1 ini0
  assert_contains "$output" '*badcfg*'
  run in_initiator aoecfg -c fset -s "owner two" -t 5 7 1 ini0
  assert_contains "$output" "owner two"
  run in_initiator aoecfg -c test -s "owner two" -t 5 7 1 ini0
  assert_contains "$output" "owner two"
  run in_initiator aoecfg -c prefix -s "own" -t 5 7 1 ini0
  assert_contains "$output" "owner two"
  # A test that does not match is answered by silence, until aoecfg gives up.
  run in_initiator aoecfg -c test -s "owner" -t 1 7 1 ini0
  [ -z "$output" ]
  # Everybody, by broadcast.
  run in_initiator aoecfg -t 1 ini0
  assert_contains "$output" $'7.1\towner two'
  assert_contains "$output" $'7.2\t'
}

@test "aoe-sancheck sees the payload that the path carries" {
  requires netns aoe-sancheck ours:aoe-targetd
  for pair in 1500:1024 9000:8192; do
    make_net --mtu "${pair%:*}"
    start_targetd -e 7.1=memory:10M,allow=any
    run in_initiator aoe-sancheck
    assert_status 0
    # Device, MACs, payload, interface. At MTU 9000 sancheck tries frames of its own size.
    row=$(grep '^e7.1' <<<"$output" | tr -s ' \t' ' ')
    case $row in
      "e7.1 1 ${pair#*:} ini0" | "e7.1 1 8704 ini0") ;;
      *) fail "no e7.1 with ${pair#*:}: $output" ;;
    esac
    stop_targetd
    cleanup
  done
}
