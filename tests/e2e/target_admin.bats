#!/usr/bin/env bats
# Exports come, go, grow and change while the daemon runs.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }

@test "growth of the backing file is seen, announced and usable" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  truncate -s 3M "$WORK/disk.img"
  grown() { in_initiator aoe identify aoe://ini0/e7.1 | grep -q '6144 sectors'; }
  wait_for "$WAIT_SECONDS" grown
  head -c 3M /dev/urandom >"$WORK/source.img"
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 --verify
  assert_contains "$(cat "$TARGETD_LOG")" "size changed: 6144 sectors"
}

@test "a backing file that shrinks is an error to its readers, never zeros" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  head -c 2M /dev/urandom >"$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  truncate -s 1M "$WORK/disk.img"
  run in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
  assert_status 1
  assert_contains "$(cat "$TARGETD_LOG")" "store error: truncated"
  run target resize e7.1
  assert_status 1
  assert_contains "$output" "shrunk from 4096 to 2048"
  target resize e7.1 --force
  in_initiator aoe copy aoe://ini0/e7.1 "$WORK/copy.img"
  assert_same_bytes "$WORK/disk.img" "$WORK/copy.img"
}

@test "export, offline, online and unexport by command" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M
  target export 7.2 memory:2M mode=write-back
  found() { in_initiator aoe discover -i ini0 | grep -q e7.2; }
  wait_for "$WAIT_SECONDS" found
  run target export 7.2 memory:2M
  assert_status 1
  assert_contains "$output" "in use"
  target offline e7.2
  run in_initiator aoe discover -i ini0
  assert_lacks "$output" e7.2
  target online e7.2
  wait_for "$WAIT_SECONDS" found
  target unexport e7.2
  run target show e7.2
  assert_status 4
  run target list
  assert_contains "$output" e7.1
  assert_lacks "$output" e7.2
}

@test "reload applies what changed and does not touch the rest" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  cat >"$WORK/t.toml" <<EOF
interfaces = ["tgt0"]
[[export]]
address = "7.1"
store = "memory:64M"
allow = "any"
[[export]]
address = "7.2"
store = "memory:1M"
allow = "any"
EOF
  EXPECT_EXPORTS=2 start_targetd --config "$WORK/t.toml"
  head -c 32M /dev/urandom >"$WORK/source.img"
  in_initiator aoe copy "$WORK/source.img" aoe://ini0/e7.1 &
  copy=$!
  sed -i 's/7\.2/7.3/' "$WORK/t.toml"
  kill -HUP "$TARGETD_PID"
  found() { in_initiator aoe discover -i ini0 | grep -q e7.3; }
  wait_for "$WAIT_SECONDS" found
  wait "$copy"
  in_initiator aoe copy aoe://ini0/e7.1 - | head -c 32M | cmp - "$WORK/source.img"
  run in_initiator aoe discover -i ini0
  assert_lacks "$output" e7.2
  # A broken file changes nothing.
  echo 'nonsense' >>"$WORK/t.toml"
  run target reload
  assert_status 2
  assert_contains "$output" "$WORK/t.toml:"
  run in_initiator aoe discover -i ini0
  assert_contains "$output" e7.1
  assert_contains "$output" e7.3
  [ "$(grep -c 'e7.1 ready' "$TARGETD_LOG")" -eq 1 ]
}

@test "an access list and a mask keep others out, silently" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --links 2
  mac=$(in_initiator ip -br link show ini0 | awk '{print $3}')
  start_targetd -e "7.1=memory:1M,allow=$mac" -e 7.2=memory:1M
  run in_initiator aoe discover -i ini1
  assert_lacks "$output" e7.1
  assert_contains "$output" e7.2
  run in_initiator aoe discover -i ini0
  assert_contains "$output" e7.1
  in_initiator aoe mask aoe://ini0/e7.2 add "$mac"
  run in_initiator aoe discover -i ini1
  assert_lacks "$output" e7.2
  in_initiator aoe mask aoe://ini0/e7.2 remove "$mac"
  run in_initiator aoe discover -i ini1
  assert_contains "$output" e7.2
}
