#!/usr/bin/env bats
# How the initiator daemon starts, is configured, follows its interfaces, and stops.

# Helpers are called through wait_for:
# shellcheck disable=SC2317
# Each test has a shell and a list of daemons of its own:
# shellcheck disable=SC2030,SC2031

load lib

@test "a bad configuration is refused with file, line, key and what was expected" {
  requires ours:aoe-initiatord
  cat >"$WORK/i.toml" <<EOF
interfaces = ["eth1"]
[[device]]
address = "7.1"
timeot = 5
payload = 1000
EOF
  run "$AOE_BIN/aoe-initiatord" --config "$WORK/i.toml"
  assert_status 2
  assert_contains "$output" "$WORK/i.toml:4:1: unknown key \"timeot\" (did you mean \"timeout\"?)"
  assert_contains "$output" "$WORK/i.toml:5:11: payload: 1000 is not a multiple of 512 bytes"
  run "$AOE_BIN/aoe-initiatord"
  assert_status 2
  assert_contains "$output" "-i is missing"
  run "$AOE_BIN/aoe-initiatord" -i lo --mount none --control "$WORK/i.sock"
  assert_status 2
  assert_contains "$output" "lo: open port: not an Ethernet interface"
}

@test "a dump reads back as what was dumped" {
  requires ours:aoe-initiatord
  cat >"$WORK/i.toml" <<EOF
interfaces = "auto"
open = "configured"
[[device]]
address = "e7.1"
read_only = true
timeout = "90s"
EOF
  "$AOE_BIN/aoe-initiatord" --config "$WORK/i.toml" --dump-config >"$WORK/dump.toml"
  "$AOE_BIN/aoe-initiatord" --config "$WORK/dump.toml" --dump-config | cmp - "$WORK/dump.toml"
  grep -q 'timeout = "90s"' "$WORK/dump.toml"
}

@test "only configured devices are opened when the file says so, with its settings" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M -e 7.2=memory:1M
  cat >"$WORK/i.toml" <<EOF
interfaces = ["ini0"]
open = "configured"
[[device]]
address = "7.1"
read_only = true
payload = 1024
EOF
  start_initiatord --config "$WORK/i.toml"
  aoed wait e7.1
  json_run aoed show e7.1 -o json
  [ "$(json read_only)" = true ]
  [ "$(json payload_bytes)" = 1024 ]
  [ "$(json settings payload_bytes)" = 1024 ]
  run aoed wait e7.2
  assert_status 4
}

@test "reload changes what changed and leaves the rest alone" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M -e 7.2=memory:1M -e 7.3=memory:1M
  write_config() {
    printf 'interfaces = ["ini0"]\nopen = "configured"\n' >"$WORK/i.toml"
    printf '[[device]]\naddress = "7.1"\n[[device]]\naddress = "7.2"\n%s\n' "$1" >>"$WORK/i.toml"
  }
  write_config ''
  start_initiatord --config "$WORK/i.toml"
  aoed wait e7.1
  aoed wait e7.2
  write_config $'payload = 512\n[[device]]\naddress = "7.3"'
  kill -HUP "$INITIATORD_PID"
  reloaded() {
    grep -q 'reloaded: 1 added (e7.3), 1 changed (e7.2: payload), 1 unchanged' "$INITIATORD_LOG"
  }
  wait_for "$WAIT_SECONDS" reloaded
  aoed wait e7.3
  aoed wait e7.2
  json_run aoed show e7.2 -o json
  [ "$(json payload_bytes)" = 512 ]
  [ "$(grep -c 'e7.1: up' "$INITIATORD_LOG")" -eq 1 ]
  # A broken file changes nothing.
  echo nonsense >>"$WORK/i.toml"
  run aoed reload
  assert_status 2
  assert_contains "$output" "$WORK/i.toml:"
  device_is up e7.3
}

@test "interfaces are shown and set while it runs" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net --links 2
  start_targetd -e 7.1=memory:1M
  start_initiatord -i ini0
  aoed wait e7.1
  run aoed interfaces
  assert_contains "$output" ini0
  assert_lacks "$output" ini1
  aoed interfaces ini1
  over() { aoed paths e7.1 | grep live | grep -q "$1"; }
  wait_for "$WAIT_SECONDS" over ini1
  run aoed list
  assert_lacks "$output" ini0
  run aoed interfaces lo
  assert_status 1
  assert_contains "$output" "not an Ethernet interface"
  aoed interfaces ini0,ini1
  wait_for "$WAIT_SECONDS" over ini0
}

@test "link flaps and a vanished interface are survived" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  start_initiatord
  aoed wait e7.1
  for _ in 1 2 3; do
    in_initiator ip link set ini0 down
    wait_for "$WAIT_SECONDS" device_is down e7.1
    in_initiator ip link set ini0 up
    aoed wait e7.1
  done
  in_initiator ip link del ini0
  wait_for "$WAIT_SECONDS" device_is down e7.1
  netns_link "$NS_TARGET" tgt0 "$NS_INITIATOR" ini0 9000
  aoed wait e7.1
  stop_initiatord
}

@test "an interface that is not there yet is waited for" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net --links 2
  in_initiator ip link set ini1 down
  in_initiator ip link set ini1 name other
  start_targetd -e 7.1=memory:1M
  start_initiatord -i ini1
  assert_contains "$(cat "$INITIATORD_LOG")" "ini1: no link, or no such interface"
  in_initiator ip link set other name ini1
  in_initiator ip link set ini1 up
  aoed wait e7.1
}

@test "auto without hardware is no error, and virtual interfaces are not taken" {
  requires netns ours:aoe ours:aoe-initiatord
  make_net
  start_initiatord -i auto
  assert_contains "$(cat "$INITIATORD_LOG")" "auto: no Ethernet interface with carrier yet"
  run aoed interfaces -o json
  assert_contains "$output" '"interfaces": []'
}

@test "the service manager hears of start, reload, watchdog and stop" {
  requires netns ours:aoe-initiatord
  make_net
  python3 - "$WORK/notify.sock" >"$WORK/notified" 3>&- <<'PY' &
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
while True:
    print(listener.recv(4096).decode().replace("\n", " "), flush=True)
PY
  DAEMONS+=($!)
  listening() { [ -S "$WORK/notify.sock" ]; }
  wait_for "$WAIT_SECONDS" listening
  NOTIFY_SOCKET=$WORK/notify.sock WATCHDOG_USEC=2000000 start_initiatord
  told() { grep -q "$1" "$WORK/notified"; }
  wait_for "$WAIT_SECONDS" told READY=1
  wait_for "$WAIT_SECONDS" told WATCHDOG=1
  kill -HUP "$INITIATORD_PID"
  wait_for "$WAIT_SECONDS" told RELOADING=1
  stop_initiatord
  wait_for "$WAIT_SECONDS" told STOPPING=1
}

@test "it keeps no privilege but that of packet sockets" {
  requires netns ours:aoe-initiatord
  make_net
  start_initiatord --user nobody
  grep -q '^CapEff:.*0000000000002000$' "/proc/$INITIATORD_PID/status"
  [ "$(awk '/^Uid:/ { print $3 }' "/proc/$INITIATORD_PID/status")" = "$(id -u nobody)" ]
  stop_initiatord
}

@test "aoe stop ends it and removes its socket" {
  requires netns ours:aoe ours:aoe-initiatord
  make_net
  start_initiatord
  aoed stop
  ended() { ! kill -0 "$INITIATORD_PID" 2>/dev/null; }
  wait_for "$WAIT_SECONDS" ended
  [ ! -e "$INITIATORD_CONTROL" ]
}

@test "aoe stop is refused while a device is in use, unless it is forced" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  start_initiatord --mount "$WORK/etherd"
  aoed wait e7.1
  exec 7<"$WORK/etherd/e7.1"
  run aoed stop
  assert_status 1
  assert_contains "$output" "stop: devices are in use: e7.1: its file is open"
  kill -0 "$INITIATORD_PID"
  aoed stop --force
  ended() { ! kill -0 "$INITIATORD_PID" 2>/dev/null; }
  wait_for "$WAIT_SECONDS" ended
  run head -c 1 <&7
  [ "$status" -ne 0 ]
  exec 7<&-
  assert_contains "$(cat "$INITIATORD_LOG")" "stopping although devices are in use: e7.1"
  assert_lacks "$(cat /proc/self/mounts)" " $WORK/etherd "
}

@test "started without rights it says what is missing" {
  requires netns setpriv ours:aoe-initiatord
  make_net
  as_nobody() { in_initiator setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$@"; }
  run as_nobody "$AOE_BIN/aoe-initiatord" -i ini0 --mount none --control "$WORK/nobody.sock"
  assert_status 1
  assert_contains "$output" "ini0: open packet socket (needs CAP_NET_RAW): operation not permitted"
  run as_nobody "$AOE_BIN/aoe-initiatord" -i ini0 --mount "$WORK/etherd" --control "$WORK/nobody.sock"
  assert_status 1
  assert_contains "$output" "$WORK/etherd"
  assert_contains "$output" "(--mount none leaves it out)"
  [ ! -e "$WORK/nobody.sock" ]
}

@test "without FUSE it says so" {
  requires netns ours:aoe ours:aoe-initiatord
  make_net
  without_fuse() { in_initiator unshare -m bash -ec 'mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3
    mknod -m 666 /dev/urandom c 1 9; exec "$@"' bash "$@"; }
  run without_fuse "$AOE_BIN/aoe-initiatord" -i ini0 --mount "$WORK/etherd" --control "$WORK/i.sock"
  assert_status 1
  assert_contains "$output" "$WORK/etherd: mount: this kernel has no FUSE (--mount none leaves it out)"
}

@test "who is trusted, and what requests do without a path, is what the file says" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M,serial=S1 -e 7.2=memory:1M -e 7.3=memory:1M -e 7.4=memory:1M,serial=S4
  local mac
  mac=$(in_target cat /sys/class/net/tgt0/address)
  cat >"$WORK/i.toml" <<EOF
interfaces = ["ini0"]
[[device]]
address = "7.1"
serial = "ANOTHER"
[[device]]
address = "7.2"
macs = ["02:00:00:00:00:99"]
[[device]]
address = "7.3"
on_path_loss = "fail"
policy = "active-passive"
[[device]]
address = "7.4"
serial = "S4"
macs = ["$mac"]
timeout = "never"
fast_io_fail = "1s"
EOF
  start_initiatord --config "$WORK/i.toml" --mount "$WORK/etherd"
  aoed wait e7.3
  aoed wait e7.4
  quarantined() { json_run aoed paths "$1" -o json && [ "$(json paths 0 state) $(json paths 0 quarantine)" = "quarantined not what the settings ask for" ]; }
  wait_for "$WAIT_SECONDS" quarantined e7.1
  quarantined e7.2
  run aoed list
  assert_lacks "$output" "e7.1 up"
  for device in e7.1 e7.2; do
    run aoed wait "$device" --timeout 300ms
    assert_status 3
  done
  in_target ip link set tgt0 down
  wait_for "$WAIT_SECONDS" device_is down e7.3
  wait_for "$WAIT_SECONDS" device_is down e7.4
  # One fails at once, the other one second after its last path: neither waits for 180 s.
  for device in e7.3 e7.4; do
    run timeout 20 dd if="$WORK/etherd/$device" of=/dev/null bs=4k count=1 status=none
    [ "$status" -eq 1 ] || fail "$device: status $status: $output"
  done
  in_target ip link set tgt0 up
  aoed wait e7.4
  dd if="$WORK/etherd/e7.4" of=/dev/null bs=4k count=1 status=none
  stop_initiatord
}

@test "listings in all forms" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  start_initiatord
  aoed wait e7.1
  run aoed list -o wide
  assert_status 0
  assert_contains "$output" e7.1
  # Everything of the usual form, and more columns.
  local wide usual
  wide=$(head -n 1 <<<"$output")
  usual=$(aoed list | head -n 1)
  [ "$(wc -w <<<"$wide")" -gt "$(wc -w <<<"$usual")" ]
  for column in $usual; do
    assert_contains "$wide" "$column"
  done
  json_run aoed list -o json
  [ "$(json version) $(json devices 0 address)" = "1 e7.1" ]
  json_run aoed paths e7.1 -o json
  [ "$(json version) $(json address) $(json paths 0 interface) $(json paths 0 state)" = "1 e7.1 ini0 live" ]
  json_run aoed top -n 1 --interval 10ms -o json
  [ "$(json version)" = 1 ]
}

@test "aoe top draws who works, follows the size of its terminal, and ends with q" {
  requires netns tmux file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 7.1=memory:1M
  start_initiatord --mount "$WORK/etherd"
  aoed wait e7.1
  while :; do dd if="$WORK/etherd/e7.1" of=/dev/null bs=64K status=none; done 3>&- &
  DAEMONS+=($!)
  screen() { tmux -S "$WORK/tmux" "$@"; }
  screen new-session -d -x 100 -y 10 \
    "$AOE_BIN/aoe top --interval 100ms --control $INITIATORD_CONTROL; echo ended; exec cat" 3>&-
  shows() { screen capture-pane -p | grep -q "$1"; }
  wait_for "$WAIT_SECONDS" shows 'e7.1 *up'
  shows 'aoe top, every 100 ms'
  wait_for "$WAIT_SECONDS" shows '^e7.1 *up *[0-9.]* [KMG]iB *[1-9]'
  # Narrower: lines are cut, not wrapped.
  screen resize-window -x 20 -y 10
  narrow() { [ "$(screen capture-pane -p | grep -c e7.1)" -eq 2 ] && ! shows ERRORS; }
  wait_for "$WAIT_SECONDS" narrow
  screen send-keys q
  wait_for "$WAIT_SECONDS" shows ended
  assert_lacks "$(screen capture-pane -p)" e7.1
  screen kill-server
  run aoed top </dev/null
  assert_status 2
  run aoed top -n 2 --interval 10ms
  assert_status 0
  [ "$(grep -c '^e7.1 *up' <<<"$output")" -eq 2 ]
}
