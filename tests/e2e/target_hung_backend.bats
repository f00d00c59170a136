#!/usr/bin/env bats
# A backend that does not answer costs its own export only, and never keeps the daemon from ending.

load lib

teardown() {
  # The daemons first: what they hold open would otherwise keep the mount busy.
  cleanup
  umount -l "$WORK/hung" 2>/dev/null || true
  lib_teardown
}

# serve_hung: e7.1 on a file whose file system stands still, with a request under way; e7.2 beside it.
serve_hung() {
  requires netns python3 fuse ours:aoe ours:aoe-targetd
  make_net
  mkdir "$WORK/hung"
  start_daemon fuse python3 "$BATS_TEST_DIRNAME/../support/fuse_file.py" "$WORK/hung" 4194304
  FUSE_PID=$DAEMON_PID
  wait_for "$WAIT_SECONDS" grep -q ready "$WORK/fuse.log"
  # The kernel learns at the first close that this file system does not want to hear of closes.
  head -c 1 "$WORK/hung/disk.img" >"$WORK/byte"
  start_targetd -e "7.1=$WORK/hung/disk.img" -e 7.2=memory:1M
  head -c 1M /dev/urandom >"$WORK/source.img"
  in_initiator aoe copy --verify "$WORK/source.img" aoe://ini0/e7.1
  kill -s STOP "$FUSE_PID"
  run in_initiator aoe ping aoe://ini0/e7.1 --io -c 2 --interval 0 --timeout 0.3
  assert_status 3
}

@test "other exports are served, and the hung one still says that it is there" {
  serve_hung
  in_initiator aoe ping aoe://ini0/e7.1 -c 1
  in_initiator aoe ping aoe://ini0/e7.2 --io -c 1 --timeout 10
  in_initiator aoe copy --verify --size 512K "$WORK/source.img" aoe://ini0/e7.2
  kill -s CONT "$FUSE_PID"
  in_initiator aoe copy --verify "$WORK/source.img" aoe://ini0/e7.1
  stop_targetd
}

@test "a write that hangs waits for its backend, and is done when that goes on" {
  serve_hung
  head -c 1M /dev/urandom >"$WORK/second.img"
  start_daemon copy ip netns exec "$NS_INITIATOR" aoe copy --verify --timeout 100 \
    "$WORK/second.img" aoe://ini0/e7.1
  copy=$DAEMON_PID
  sleep 1
  kill -0 "$copy"
  kill -s CONT "$FUSE_PID"
  wait "$copy"
  in_initiator aoe copy aoe://ini0/e7.1 "$WORK/whole.img"
  cmp -n 1048576 "$WORK/second.img" "$WORK/whole.img"
}

@test "a write that hangs holds no slot of the receive ring: others are served for more than its length" {
  requires jq ours:../bench/bin/aoe-load
  serve_hung
  head -c 64K /dev/urandom >"$WORK/second.img"
  start_daemon copy ip netns exec "$NS_INITIATOR" aoe copy --timeout 100 "$WORK/second.img" aoe://ini0/e7.1
  sleep 1
  kill -0 "$DAEMON_PID"
  mac=$(ip -n "$NS_TARGET" -j link show tgt0 | jq -r '.[0].address')
  # 2048 slots at this MTU.
  in_initiator "$AOE_BIN/../bench/bin/aoe-load" -i ini0 --to "$mac" --device e7.2 --bs 4096 --depth 8 --span 1048576 --requests 9000 \
    >"$WORK/load.json"
  assert_contains "$(cat "$WORK/load.json")" '"unanswered":0'
  kill -s CONT "$FUSE_PID"
}

@test "the daemon ends cleanly while a backend hangs" {
  serve_hung
  in_initiator aoe config aoe://ini0/e7.1 set "before the end"
  stop_targetd
  [ ! -e "$TARGETD_CONTROL" ] || fail "the control socket is still there"
  # Nothing was harmed: the export comes back with its state and its data.
  kill -s CONT "$FUSE_PID"
  start_targetd -e "7.1=$WORK/hung/disk.img"
  run in_initiator aoe config aoe://ini0/e7.1 get
  assert_contains "$output" "before the end"
  in_initiator aoe copy aoe://ini0/e7.1 "$WORK/whole.img"
  cmp -n 1048576 "$WORK/source.img" "$WORK/whole.img"
}
