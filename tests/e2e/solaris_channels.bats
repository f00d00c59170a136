#!/usr/bin/env bats
# The Solaris package's channels and targets over our daemon: aoectl, aoestart, aoestop, aoe-init.

# Each test has a shell and a list of daemons of its own, and helpers are called through wait_for:
# shellcheck disable=SC2030,SC2031,SC2317

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
  printf 'AOECONF=%s\nAOEDIR=%s\nAOEPOSTSTART="echo started"\nAOEPRESTOP="echo stopping"\nAOEMONOPTS="%s"\nAOENAMES=\nAOEDCONF=%s\n' \
    "$WORK/aoe.conf" "$WORK/channels" "--control $WORK/for-aoemon.sock" "$WORK/aoed.conf" >"$WORK/options"
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

setting() { aoed show "$1" -o json | python3 -c "import json, sys; print(json.load(sys.stdin)$2)"; }

@test "the settings of aoed.conf are in force at once, over a reload, and until the file lacks them" {
  channels_need
  requires python3
  make_channels
  cmd aoestart aoechan 0 ether ini0
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2'
  entry='name="aoed" parent="pseudo" aoechan=0 aoemaj=7'
  printf '%s instance=5 aoemin=1 maxdata=1024 maxbuf=3 timeout=700 hd=16 sec=63;\n%s instance=6 aoemin=2;\n' \
    "$entry" "$entry" >"$WORK/aoed.conf"
  run cmd aoectl update --conf "$WORK/aoed.conf"
  assert_status 0
  [ "$output" = "" ]
  [ "$(setting e7.1 '["settings"]["payload_bytes"]')" = 1024 ]
  [ "$(setting e7.1 '["settings"]["window_frames"]')" = 3 ]
  [ "$(setting e7.1 '["settings"]["timeout_ns"]')" = 14000000000 ]
  [ "$(setting e7.1 '["settings_from"]')" = "$WORK/aoed.conf" ]
  [ "$(setting e7.2 '["settings_from"]')" = None ]
  wait_for "$WAIT_SECONDS" payload_is e7.1 1024
  payload_is e7.2 '[48]...'
  # The tables have the numbers and settings of that file without being told.
  run cmd aoekstat -n aoed5,conf
  assert_status 0
  [ "$(awk '/cylsize|maxdata|timeout/ { print $2 }' <<<"$output" | xargs)" = "1008 1024 700" ]
  [ "$(awk '$1 == "maxbuf" { print $2 }' <<<"$output")" -le 3 ]
  kill -HUP "$INITIATORD_PID"
  wait_for "$WAIT_SECONDS" grep -q reloaded "$INITIATORD_LOG"
  payload_is e7.1 1024
  # A mistake changes nothing.
  printf '%s instance=5 aoemin=1 maxdata=100;\n' "$entry" >"$WORK/bad.conf"
  run cmd aoectl update --conf "$WORK/bad.conf"
  assert_status 1
  assert_contains "$output" "$WORK/bad.conf:1: maxdata=100: expected a number from 512"
  payload_is e7.1 1024
  printf '%s instance=5 aoemin=1;\n' "$entry" >"$WORK/aoed.conf"
  cmd aoectl update --conf "$WORK/aoed.conf"
  [ "$(setting e7.1 '["settings_from"]')" = None ]
  wait_for "$WAIT_SECONDS" payload_is e7.1 '[48]...'
  run aoed events
  assert_lacks "$output" "e7.1: down"
}

@test "aoe-init starts the daemon where none runs, gives it aoed.conf, and says why when it cannot" {
  channels_need
  requires file:/dev/fuse
  make_net
  start_targetd -e 1.7=memory:1M
  printf 'AOECONF=%s\nAOENAMES=\nAOEDCONF=%s\n' "$WORK/aoe.conf" "$WORK/aoed.conf" >"$WORK/options"
  printf 'aoechan 0 ether ini0\n' >"$WORK/aoe.conf"
  printf 'name="aoed" parent="pseudo" instance=5 aoechan=0 aoemaj=1 aoemin=7 maxdata=1024;\n' >"$WORK/aoed.conf"
  mkdir -p "$WORK/run"
  init() {
    in_initiator env AOEOPTIONS="$WORK/options" run_dir="$WORK/run" dev_dir="$WORK/dev" "$COMPAT/aoe-init" "$@"
  }
  INITIATORD_CONTROL=$WORK/run/aoekit/initiator.sock
  # A file where the directory of devices is to be: the daemon's own words come through.
  mkdir -p "$WORK/run/aoekit"
  touch "$WORK/run/aoekit/etherd"
  run init start
  assert_status 1
  assert_contains "$output" "no daemon answers, and aoe-initiatord cannot be started: "
  assert_contains "$output" "$WORK/run/aoekit/etherd"
  rm "$WORK/run/aoekit/etherd"
  run init start
  assert_status 0
  ln -s "$WORK/run/aoekit/channels" "$WORK/channels"
  wait_for "$WAIT_SECONDS" targets_are 0/1/7
  wait_for "$WAIT_SECONDS" payload_is e1.7 1024
  run init stop
  assert_status 0
  aoed stop
  wait_for "$WAIT_SECONDS" test ! -S "$INITIATORD_CONTROL"
}

@test "a daemon that is started anew is told its channels and settings by aoemon" {
  channels_need
  make_net
  start_targetd -e 1.7=memory:1M
  start_initiatord -i lo-none
  cmd aoestart aoechan 0 ether ini0
  printf 'name="aoed" parent="pseudo" instance=5 aoechan=0 aoemaj=1 aoemin=7 maxdata=1024;\n' >"$WORK/aoed.conf"
  cmd aoectl update --conf "$WORK/aoed.conf"
  wait_for "$WAIT_SECONDS" payload_is e1.7 1024
  start_daemon aoemon nsenter --net="/run/netns/$NS_INITIATOR" \
    "$COMPAT/aoemon" --control "$INITIATORD_CONTROL" -d "$WORK/channels" --debug
  stop_initiatord
  start_initiatord -i lo-none
  wait_for "$WAIT_SECONDS" payload_is e1.7 1024
}

@test "wrong arguments end with status 2 and say what was expected" {
  requires ours:aoe
  INITIATORD_CONTROL=$WORK/none.sock
  run cmd aoectl
  assert_status 2
  assert_contains "$output" "expected list, enable, disable, probe, update or names"
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
