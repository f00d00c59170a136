#!/usr/bin/env bats
# The Solaris package's monitor of channels: aoemon.

# Each test has a shell and a list of daemons of its own:
# shellcheck disable=SC2030,SC2031

load lib

COMPAT=${AOE_BIN%/bin}/compat
RAW=$BATS_TEST_DIRNAME/../support/raw_aoe.py
# Behind the source address: an answer of e7.1 to the request with tag 5.
HEADER='88a2 18 00 0007 01'

cmd() {
  local name=$1
  shift
  "$COMPAT/$name" --control "$INITIATORD_CONTROL" -d "$WORK/channels" "$@"
}

# Sends a frame from the target's side.
frame() { in_target python3 "$RAW" tgt0 send "$(mac_of_initiator)" "$1"; }

mac_of_initiator() { in_initiator cat /sys/class/net/ini0/address; }

logged() { grep -q -- "$1" "$WORK/aoemon.log"; }

start_aoemon() {
  start_daemon aoemon nsenter --net="/run/netns/$NS_INITIATOR" \
    "$COMPAT/aoemon" --control "$INITIATORD_CONTROL" -d "$WORK/channels" --debug
  MONITOR=$DAEMON_PID
  wait_for "$WAIT_SECONDS" test -s "$WORK/channels/aoemon.pid"
}

targets_are() { [ "$(cmd aoectl list)" = "$1" ]; }

@test "a disabled target is enabled when it starts anew or answers a probe, not before" {
  requires netns ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M -e 7.2=memory:1M
  start_initiatord -i lo-none
  start_aoemon
  cmd aoestart aoechan 0 ether ini0
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2'
  # The channel was followed before its targets answered, or they answer the next question.
  wait_for "$WAIT_SECONDS" check_in_seen
  cmd aoectl disable 0/7/1
  targets_are "0/7/2"
  # Answers to the questions of others enable nothing.
  in_initiator "$AOE_BIN/aoe" discover -i ini0
  sleep 0.3
  targets_are "0/7/2"
  cmd aoectl probe 0//2
  sleep 0.3
  targets_are "0/7/2"
  cmd aoectl probe 0/7/1
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2'
  wait_for "$WAIT_SECONDS" logged 'aoemon: info: 0/7/1: enabled'
  cmd aoectl disable 0/7
  # Who has answered the probe does not answer it again.
  in_initiator "$AOE_BIN/aoe" discover -i ini0
  sleep 0.3
  targets_are ""
  stop_targetd
  start_targetd -e 7.1=memory:1M -e 7.2=memory:1M
  wait_for "$WAIT_SECONDS" targets_are $'0/7/1\n0/7/2'
}

check_in_seen() {
  in_initiator "$AOE_BIN/aoe" discover -i ini0 >/dev/null
  logged 'aoemon: info: 0/7/1: checked in'
}

@test "odd messages and errors are logged with their bytes, without a daemon too" {
  requires netns python3
  make_net
  INITIATORD_CONTROL=$WORK/none.sock
  mkdir "$WORK/channels"
  echo "aoechan 3 ether /dev/ini0" >"$WORK/channels/3"
  start_aoemon
  # The port may not be open yet.
  odd_is_logged() {
    frame '88a2 38 00 0007 01 01 00000005 0000 0000 02 00 0000 0000'
    sleep 0.1
    logged 'aoemon: notice: channel 3: AoE version 3'
  }
  wait_for "$WAIT_SECONDS" odd_is_logged
  logged 'aoemon: notice: channel 3: 0000  '
  frame "88a2 1c 02 0007 01 00 00000005 00000000 000000000000 0000 $(printf '%048d' 0)"
  wait_for "$WAIT_SECONDS" logged 'notice: 3/7/1: AoE error 2 (bad argument'
  frame "$HEADER 00 00000005 00 10 00 41 000000000000 0000 $(printf '%048d' 0)"
  wait_for "$WAIT_SECONDS" logged 'notice: 3/7/1: ATA error 10h (IDNF), status 41h (DRDY ERR)'
  logged 'notice: 3/7/1: .* e7.1 reply 00000005 ATA status DRDY ERR error IDNF'
  # A good answer is nobody's business; what follows it shows that it has passed.
  frame "$HEADER 00 00000077 00 00 00 40 000000000000 0000 $(printf '%048d' 0)"
  frame '88a2 18 00 0007 02 01 00000000 0010 4019 02 10 0000'
  wait_for "$WAIT_SECONDS" logged 'info: 3/7/2: checked in'
  wait_for "$WAIT_SECONDS" logged "error: nothing is enabled: .*$WORK/none.sock"
  run logged 00000077
  assert_status 1
}

@test "a command that is never answered is logged with its frame" {
  requires netns file:/dev/fuse ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  start_initiatord -i lo-none --mount "$WORK/etherd"
  start_aoemon
  cmd aoestart aoechan 0 ether ini0
  printf 'name="aoed" parent="pseudo" instance=71 aoechan=0 aoemaj=7 aoemin=1 timeout=25;\n' >"$WORK/aoed.conf"
  cmd aoectl update --conf "$WORK/aoed.conf"
  wait_for "$WAIT_SECONDS" targets_are 0/7/1
  aoed wait e7.1
  kill -STOP "$TARGETD_PID"
  run dd if="$WORK/etherd/e7.1" of=/dev/null bs=512 skip=9 count=1
  kill -CONT "$TARGETD_PID"
  assert_status 1
  wait_for "$WAIT_SECONDS" logged 'notice: 0/7/1: no answer: a command timed out after it was sent [0-9]* times'
  logged 'notice: 0/7/1: .* e7.1 request .* READ SECTORS EXT lba '
  logged "notice: 0/7/1: 0020  "
  # kstat's counter of these.
  run "$COMPAT/aoekstat" --control "$INITIATORD_CONTROL" -d "$WORK/channels" -n aoed71,stats
  [ "$(awk '$1 == "errtimeout" { print $2 }' <<<"$output")" -ge 1 ]
}

@test "a flood does not fill the log, and a second aoemon ends" {
  requires netns python3
  make_net
  INITIATORD_CONTROL=$WORK/none.sock
  mkdir "$WORK/channels"
  echo "aoechan 0 ether /dev/ini0" >"$WORK/channels/0"
  start_aoemon
  run cmd aoemon --debug
  assert_status 1
  assert_contains "$output" "$WORK/channels/aoemon.pid: another aoemon is running"
  in_target python3 "$RAW" tgt0 flood "$(mac_of_initiator)" 7.1 5000 1
  kill -0 "$MONITOR"
  [ "$(wc -l <"$WORK/aoemon.log")" -le 400 ]
  [ "$(wc -l <"$WORK/aoemon.log")" -ge 20 ]
  end_process "$MONITOR"
  [ "$ENDED_STATUS" -eq 0 ]
}

# In a mount namespace of its own there may be a /dev/log.
@test "in the background it speaks to syslog, facility daemon" {
  requires netns python3 unshare
  make_net
  mkdir "$WORK/channels"
  echo "aoechan 0 ether /dev/ini0" >"$WORK/channels/0"
  cat >"$WORK/syslogd.py" <<'EOF'
import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
out = open(sys.argv[1], "w", buffering=1)
while True:
    out.write(log.recv(4096).decode() + "\n")
EOF
  cat >"$WORK/system" <<EOF
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9
python3 "$WORK/syslogd.py" "$WORK/syslog.log" &
while [ ! -S /dev/log ]; do sleep 0.05; done
"$COMPAT/aoemon" --control "$WORK/none.sock" -d "$WORK/channels" && echo started
wait
EOF
  start_daemon system nsenter --net="/run/netns/$NS_INITIATOR" unshare -m --kill-child --pid --fork \
    sh "$WORK/system"
  wait_for "$WAIT_SECONDS" grep -q started "$WORK/system.log"
  syslog_has_it() {
    frame '88a2 38 00 0007 01 01 00000005 0000 0000 02 00 0000 0000'
    sleep 0.1
    # daemon (3) * 8 + notice (5)
    grep -q '^<29>.*aoemon\[[0-9]*\]: channel 0: AoE version 3' "$WORK/syslog.log"
  }
  wait_for "$WAIT_SECONDS" syslog_has_it
  [ -s "$WORK/channels/aoemon.pid" ]
}
