#!/usr/bin/env bats
# tshark reads what both our ends put on the wire, and finds nothing malformed.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load ../e2e/lib

@test "a whole session decodes without a malformed frame" {
  requires netns tshark ours:aoe ours:aoe-targetd
  make_net --mtu 1500
  start_daemon tshark ip netns exec "$NS_INITIATOR" tshark -q -F pcap -i ini0 -f 'ether proto 0x88a2' \
    -w "$WORK/session.pcap"
  capturing() { grep -q 'Capturing on' "$WORK/tshark.log"; }
  wait_for "$WAIT_SECONDS" capturing
  capture=$DAEMON_PID
  sleep 1
  start_targetd -e 7.1=memory:1M,allow=any
  in_initiator aoe discover -i ini0
  in_initiator aoe identify aoe://ini0/e7.1
  in_initiator aoe config aoe://ini0/e7.1 set "seen by tshark"
  in_initiator aoe mask aoe://ini0/e7.1 list
  in_initiator aoe reserve aoe://ini0/e7.1 list
  in_initiator aoe smart aoe://ini0/e7.1 status
  head -c 64K /dev/urandom >"$WORK/source.img"
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 --verify
  sleep 1
  end_process "$capture" INT
  frames=$(tshark -r "$WORK/session.pcap" 2>/dev/null | wc -l)
  [ "$frames" -gt 250 ] || fail "only $frames frames captured"
  run tshark -r "$WORK/session.pcap" -Y '_ws.malformed || aoe.version != 1'
  assert_lacks "$output" "ATAoE"
  # Every ATA request found its answer, with good status.
  run tshark -2 -r "$WORK/session.pcap" \
    -Y 'aoe.cmd==0 && aoe.response==0 && !aoe.response_in' -T fields -e frame.number
  assert_lacks "$output" "[0-9]"
  bad=$(tshark -r "$WORK/session.pcap" -Y 'aoe.response==1 && aoe.cmd==0 && aoe.ata.status!=0x40' \
    2>/dev/null | wc -l)
  [ "$bad" -eq 0 ]
  # Nothing shorter than Ethernet's minimum leaves either end.
  short=$(tshark -r "$WORK/session.pcap" -Y 'frame.len < 60' 2>/dev/null | wc -l)
  [ "$short" -eq 0 ]
  # Our own decoder reads the same capture.
  run aoe wire decode "$WORK/session.pcap"
  assert_status 0
  assert_contains "$output" "seen by tshark"
}
