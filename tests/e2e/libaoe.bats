#!/usr/bin/env bats
# libaoe's examples against our target: what a program outside the project sees.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

EXAMPLES=${AOE_BIN%/bin}/examples

# example NAME ARGS..: runs it on the initiator's side.
example() {
  in_initiator "$EXAMPLES/$1" "${@:2}"
}

# start_event_loop URI: commands go to descriptor 7; `says PATTERN` looks at what came out.
start_event_loop() {
  mkfifo "$WORK/commands"
  start_daemon loop event_loop_with_input "$1"
  LOOP_PID=$DAEMON_PID
  exec 7>"$WORK/commands"
}
event_loop_with_input() {
  exec ip netns exec "$NS_INITIATOR" "$EXAMPLES/event_loop" "$1" <"$WORK/commands"
}
says() { grep -q "$1" "$WORK/loop.log"; }

@test "read_sector prints what the disk holds" {
  requires netns "file:$EXAMPLES/read_sector" ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  printf 'hello, sector three' | dd of="$WORK/disk.img" bs=512 seek=3 conv=notrunc status=none
  start_targetd -e "7.1=$WORK/disk.img"
  run example read_sector aoe://ini0/e7.1 3
  assert_status 0
  assert_contains "${lines[0]}" "00000600  68 65 6c 6c 6f 2c 20 73"
  assert_contains "${lines[0]}" "hello, sector th"
  [ "${#lines[@]}" -eq 32 ]
}

@test "errors name the call, the device and the reason" {
  requires netns setpriv "file:$EXAMPLES/read_sector" ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M
  # The end of the device.
  run example read_sector aoe://ini0/e7.1 2048
  assert_status 1
  assert_contains "$output" "aoe_pread: e7.1: read of 512 bytes at 1048576: past the end"
  # No such device.
  run example read_sector aoe://ini0/e7.2
  assert_status 1
  assert_contains "$output" "aoe_open: e7.2: no target answers"
  # No such interface.
  run example read_sector aoe://nowhere0/e7.1
  assert_status 1
  assert_contains "$output" "aoe_open: nowhere0"
  # No interface at all.
  run example read_sector aoe:e7.1
  assert_status 1
  assert_contains "$output" "aoe_open: no interface given"
  # Nonsense.
  run example read_sector aoe://ini0/e7
  assert_status 1
  assert_contains "$output" "'e7' is no device"
  # No right to open packet sockets.
  chmod -R a+rX "$WORK"
  run in_initiator setpriv --reuid=65534 --clear-groups "$EXAMPLES/read_sector" aoe://ini0/e7.1
  assert_status 1
  assert_contains "$output" "aoe_open: ini0"
  assert_contains "$output" "CAP_NET_RAW"
}

@test "copy_async copies a disk through one network, at both frame sizes" {
  requires netns "file:$EXAMPLES/copy_async" ours:aoe-targetd
  for mtu in 1500 9000; do
    make_net --mtu "$mtu"
    # No multiple of the piece, nor of what a frame carries.
    head -c $((33 * 1024 * 1024 + 512 * 7)) /dev/urandom >"$WORK/from.img"
    truncate -s 40M "$WORK/to.img"
    start_targetd -e "7.1=$WORK/from.img,mode=read-only" -e "7.2=$WORK/to.img"
    run example copy_async aoe://ini0/e7.1 aoe:e7.2
    assert_status 0
    assert_contains "$output" "34606592 bytes copied"
    stop_targetd
    cmp -n 34606592 "$WORK/from.img" "$WORK/to.img"
    cleanup
    rm -rf "$WORK"/*.img "$WORK/state"
  done
}

@test "copy_async reports a disk that refuses to be written" {
  requires netns "file:$EXAMPLES/copy_async" ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:4M -e 7.2=memory:4M,mode=read-only
  run example copy_async aoe://ini0/e7.1 aoe:e7.2
  assert_status 1
  assert_contains "$output" "aoe_aio_pwrite: e7.2: write at lba"
}

@test "event_loop serves its input and the device at the same time" {
  requires netns "file:$EXAMPLES/event_loop" ours:aoe-targetd ours:aoe
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  start_event_loop aoe://ini0/e7.1
  wait_for "$WAIT_SECONDS" says '^open: 1048576 bytes'
  printf '%s\n' 'write 1000 between two sectors' wait 'read 1004 11' >&7
  wait_for "$WAIT_SECONDS" says '^read 1004: een two sec'
  # An idle loop hears of another size.
  truncate -s 2M "$WORK/disk.img"
  aoe target resize e7.1 --control "$TARGETD_CONTROL"
  wait_for "$WAIT_SECONDS" says '^size is now 2097152'
  printf '%s\n' size nonsense 'read 9999999 1' flush >&7
  exec 7>&-
  wait_for "$WAIT_SECONDS" says '^flush: done'
  end_process "$LOOP_PID" CONT
  [ "$ENDED_STATUS" -eq 1 ]
  run cat "$WORK/loop.log"
  assert_contains "$output" "size: 2097152"
  assert_contains "$output" "error: nonsense: unknown command"
  assert_contains "$output" "error: aoe_aio_pread: e7.1: read of 1 bytes at 9999999: past the end"
  stop_targetd
  run dd if="$WORK/disk.img" bs=1 skip=1000 count=19 status=none
  [ "$output" = "between two sectors" ]
}

@test "a target that goes away is waited for, and a timeout ends the waiting" {
  requires netns "file:$EXAMPLES/event_loop" ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  start_event_loop 'aoe://ini0/e7.1?timeout=2'
  wait_for "$WAIT_SECONDS" says '^open:'
  stop_targetd
  printf 'write 0 lost?\n' >&7
  wait_for "$WAIT_SECONDS" says '^error: aoe_aio_pwrite: e7.1: read at lba 0: no answer in 2'
  start_targetd -e "7.1=$WORK/disk.img"
  # It comes back by itself; the first tries may still find nobody.
  answers() {
    printf 'read 0 4\n' >&7
    says '^read 0: '
  }
  wait_for "$WAIT_SECONDS" answers
  exec 7>&-
}
