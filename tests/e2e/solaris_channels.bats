#!/usr/bin/env bats
# The Solaris package's channels and targets over our daemon: aoectl, aoestart, aoestop, aoe-init.

load lib

COMPAT=${AOE_BIN%/bin}/compat

# The commands, against the daemon and the directory of this test.
cmd() {
  local name=$1
  shift
  "$COMPAT/$name" --control "$INITIATORD_CONTROL" -d "$WORK/channels" "$@"
}

channels_need() { requires netns ours:aoe-targetd ours:aoe-initiatord; }

# aoe-init starts aoemon in the background.
teardown() {
  local file=$WORK/channels/aoemon.pid
  if [ -e "$file" ] && ! flock -ns "$file" true; then
    kill "$(cat "$file")"
  fi
  lib_teardown
}

monitor_runs() { [ -s "$WORK/channels/aoemon.pid" ] && ! flock -ns "$WORK/channels/aoemon.pid" true; }

not_running() { ! "$@"; }

# Two links, each with targets of its own and e9.9 on both; the daemon uses no interface of them yet.
make_channels() {
  make_net --links 2
  start_targetd -i tgt0 -e 7.1=memory:1M -e 7.2=memory:1M
  TARGETD_CONTROL=$WORK/second.sock start_targetd -i tgt1 -e 8.2=memory:1M
  start_initiatord -i lo-none
}

targets_are() { [ "$(cmd aoectl list "${@:2}")" = "$1" ]; }

payload_is() { aoed list | grep -Eq "^$1 .* $2 "; }

@test "channels start and stop, and targets have their addresses" {
  channels_need
  make_channels
  run cmd aoectl list
  assert_status 1
  assert_contains "$output" "no channel is active"
  run cmd aoestart aoechan 0 ether /dev/ini0
  assert_status 0
  run cmd aoestart aoechan 4 ether ini1
  assert_status 0
  [ "$(cat "$WORK/channels/4")" = "aoechan 4 ether /dev/ini1" ]
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2\n4/8/2'
  targets_are $'0/7/1\n0/7/2' 0
  targets_are $'0/7/2\n4/8/2' //2
  targets_are "4/8/2" 4/8
  targets_are "" 0/8
  run cmd aoestop 4
  assert_status 0
  assert_lacks "$(aoed interfaces)" ini1
  run cmd aoestop 4
  assert_status 1
  assert_contains "$output" "aoestop: 4: no such channel is active"
  run cmd aoestop -a
  assert_status 0
  assert_lacks "$(aoed interfaces)" ini0
  [ -z "$(ls "$WORK/channels")" ]
}

@test "targets are disabled and enabled by address, wildcards included" {
  channels_need
  make_channels
  cmd aoestart aoechan 0 ether ini0
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2'
  run cmd aoectl disable 0/7/1
  assert_status 0
  targets_are "0/7/2"
  run cmd aoectl disable 0/7
  assert_status 0
  targets_are ""
  run cmd aoectl enable 0//2
  assert_status 0
  wait_for "$WAIT_SECONDS" targets_are "0/7/2"
  run cmd aoectl enable 0/66/6
  assert_status 1
  assert_contains "$output" "aoectl: e66.6: "
  run cmd aoectl list 3
  assert_status 1
  assert_contains "$output" "channel 3 is not active"
}

@test "a probe asks on its channel only, for the addresses that it names" {
  channels_need
  requires tshark
  make_channels
  cmd aoestart aoechan 0 ether ini0
  cmd aoestart aoechan 1 ether ini1
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2\n1/8/2'
  start_daemon tshark ip netns exec "$NS_INITIATOR" tshark -l -n -i ini0 -i ini1 -T fields \
    -e frame.interface_name -e aoe.major -e aoe.minor 'ether dst ff:ff:ff:ff:ff:ff'
  wait_for "$WAIT_SECONDS" grep -q "Capturing on" "$WORK/tshark.log"
  # The first frames after that line may still be missed: asked until one is seen.
  probe_seen() {
    cmd aoectl probe 1//2 && sleep 0.2 && grep -Eq $'^ini1\t0xffff\t0x02$' "$WORK/tshark.log"
  }
  wait_for "$WAIT_SECONDS" probe_seen
  run grep -E $'^ini0\t0xffff\t0x02$' "$WORK/tshark.log"
  assert_status 1
  run cmd aoectl probe
  assert_status 0
}

@test "the size of frames of a channel is that of its line" {
  channels_need
  make_channels
  cmd aoestart aoechan 0 ether ini0 nojumbo
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2'
  wait_for "$WAIT_SECONDS" payload_is e7.1 1024
  cmd aoestart aoechan 0 ether ini0 maxdata 4096
  wait_for "$WAIT_SECONDS" payload_is e7.1 '(4096|3584)'
  cmd aoestart aoechan 0 ether ini0
  wait_for "$WAIT_SECONDS" payload_is e7.1 8192
}

@test "aoe-init follows aoe.conf, and a refresh does not disturb what stays" {
  channels_need
  make_channels
  printf 'AOECONF=%s\nAOEDIR=%s\nAOEPOSTSTART="echo started"\nAOEPRESTOP="echo stopping"\nAOEMONOPTS="%s"\n' \
    "$WORK/aoe.conf" "$WORK/channels" "--control $WORK/for-aoemon.sock" >"$WORK/options"
  init() { AOEOPTIONS=$WORK/options AOECONTROL=$INITIATORD_CONTROL "$COMPAT/aoe-init" "$@"; }
  run init start
  assert_status 0
  [ "$output" = "" ]
  printf '# two\naoechan 0 ether /dev/ini0\naoechan 1 ether ini1\n' >"$WORK/aoe.conf"
  run init start
  assert_status 0
  [ "$output" = started ]
  [ "$(stat -c %a "$WORK/channels")" = 700 ]
  monitor_runs
  monitor=$(cat "$WORK/channels/aoemon.pid")
  tr '\0' ' ' <"/proc/$monitor/cmdline" | grep -q -- "--control $WORK/for-aoemon.sock"
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2\n1/8/2'
  # ini0 stays: its devices never went down.
  json_run aoed events -o json
  events_before=$(grep -c 'type=path_up' "$WORK/json.fields")
  printf 'aoechan 0 ether ini0\naoechan 5 ether ini1\n' >"$WORK/aoe.conf"
  run init refresh
  assert_status 0
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2\n5/8/2'
  [ "$(cat "$WORK/channels/aoemon.pid")" = "$monitor" ] && monitor_runs
  run aoed events
  assert_lacks "$(grep 'e7\.' <<<"$output")" "down"
  [ "$events_before" -ge 3 ]
  printf 'aoechan 0 ether ini0\naoechan 0 ether ini1\nnonsense\n' >"$WORK/aoe.conf"
  run init refresh
  assert_status 1
  assert_contains "$output" "aoestart: channel 0 is active on ini0 (aoestop 0 first)"
  assert_contains "$output" "'nonsense': expected aoechan"
  targets_are $'0/7/1\n0/7/2'
  run init stop
  assert_status 0
  [ "$output" = stopping ]
  wait_for "$WAIT_SECONDS" not_running monitor_runs
  run cmd aoectl list
  assert_status 1
  run init nonsense
  assert_status 2
}

@test "wrong arguments end with status 2 and say what was expected" {
  requires ours:aoe
  INITIATORD_CONTROL=$WORK/none.sock
  run cmd aoectl
  assert_status 2
  assert_contains "$output" "expected list, enable, disable, probe or names"
  run cmd aoectl list 0/1/2/3
  assert_status 2
  run cmd aoectl disable
  assert_status 2
  run cmd aoestart aoechan 11 ether eth0
  assert_status 2
  assert_contains "$output" "aoechan '11' (expected 0 to 9)"
  run cmd aoestop
  assert_status 2
  run cmd aoestop -a 1
  assert_status 2
  run cmd aoestart aoechan 1 ether eth0
  assert_status 1
  assert_contains "$output" "$WORK/none.sock"
}
