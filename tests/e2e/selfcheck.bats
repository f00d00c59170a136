#!/usr/bin/env bats
# The end-to-end library tests itself: its networks carry frames and are gone afterwards, its images
# are checked for real, its waiting ends.

load lib

# write_bats FILE: standard input as a .bats file; TEST stands for the word that bats looks for.
write_bats() {
  { echo "load $BATS_TEST_DIRNAME/lib" && sed 's/^TEST /@test /'; } >"$1"
}

@test "a network joins its two sides by every link, with the MTU asked for" {
  requires netns
  make_net --mtu 4000 --links 2
  for number in 0 1; do
    run ip -n "$NS_TARGET" -o link show "tgt$number"
    assert_status 0
    assert_contains "$output" "mtu 4000"
    assert_contains "$output" "LOWER_UP"
    run ip -n "$NS_INITIATOR" -o link show "ini$number"
    assert_status 0
  done
  ip -n "$NS_TARGET" address add 192.0.2.1/24 dev tgt1
  ip -n "$NS_INITIATOR" address add 192.0.2.2/24 dev ini1
  # Bytes really pass: a listener on one side, a connection from the other.
  start_daemon listener ip netns exec "$NS_TARGET" python3 -c '
import socket
s = socket.create_server(("192.0.2.1", 7))
print("listening", flush=True)
s.accept()[0].sendall(b"frames pass\n")'
  wait_for 10 grep -q listening "$WORK/listener.log"
  run in_initiator bash -c 'cat </dev/tcp/192.0.2.1/7'
  assert_contains "$output" "frames pass"
}

@test "cleanup removes the namespaces and ends what runs in them" {
  requires netns
  make_net
  local target=$NS_TARGET initiator=$NS_INITIATOR
  start_daemon sleeper ip netns exec "$target" sleep 1000
  local pid=$DAEMON_PID
  cleanup
  run ip netns list
  assert_lacks "$output" "$target"
  assert_lacks "$output" "$initiator"
  ! kill -0 "$pid" 2>/dev/null || fail "process $pid survived"
}

@test "a run that was killed leaves nothing that the next one does not sweep" {
  requires netns
  local gone
  gone=$(bash -c 'echo $$')
  ip netns add "aoekit-$gone-t1"
  make_net
  run ip netns list
  assert_lacks "$output" "aoekit-$gone-t1"
  assert_contains "$output" "$NS_TARGET"
}

@test "a test that dies by a signal takes its network with it" {
  requires netns
  write_bats "$WORK/dying.bats" <<X
TEST "dies" {
  make_net
  echo "\$NS_TARGET" >"$WORK/name"
  kill -s TERM \$\$
  sleep 5
}
X
  run bats --formatter tap "$WORK/dying.bats"
  [ "$status" -ne 0 ]
  [ -s "$WORK/name" ]
  run ip netns list
  assert_lacks "$output" "$(cat "$WORK/name")"
}

@test "a failing test prints the logs of its daemons" {
  write_bats "$WORK/failing.bats" <<X
TEST "fails" {
  start_daemon chatty echo "the last words"
  wait_for 5 test -s "\$WORK/chatty.log"
  false
}
X
  run bats --formatter tap "$WORK/failing.bats"
  assert_contains "$output" "not ok 1"
  assert_contains "$output" "the last words"
}

@test "an image is found whole, and found damaged when one byte of a file changes" {
  requires mkfs.ext4 debugfs e2fsck
  make_ext4_image "$WORK/disk.img" 16
  check_ext4_image "$WORK/disk.img" "$WORK/disk.img.sha256"
  local block
  block=$(debugfs -R "blocks /large/file-1" "$WORK/disk.img" 2>/dev/null | awk '{ print $1 }')
  local size
  size=$(dumpe2fs -h "$WORK/disk.img" 2>/dev/null | awk '/^Block size:/ { print $3 }')
  printf 'X!' | dd of="$WORK/disk.img" bs=1 seek=$((block * size + 100)) conv=notrunc status=none
  run check_ext4_image "$WORK/disk.img" "$WORK/disk.img.sha256"
  assert_status 1
  assert_contains "$output" "large/file-1: FAILED"
}

@test "wait_for gives up in time and says what it waited for" {
  run wait_for 1 false
  assert_status 1
  assert_contains "$output" "waited 1 s for: false"
}

@test "requires skips with a reason that names the missing thing" {
  write_bats "$WORK/skipping.bats" <<X
TEST "skips" { requires no-such-program-here; }
X
  run bats --formatter tap "$WORK/skipping.bats"
  assert_status 0
  assert_contains "$output" "# skip no-such-program-here: not installed"
}

# A stand-in for the daemon: says what it is told to, then stays or goes.
fake_targetd() {
  mkdir -p "$WORK/bin"
  printf '#!/usr/bin/env bash\n%s\n' "$1" >"$WORK/bin/aoe-targetd"
  chmod +x "$WORK/bin/aoe-targetd"
  # shellcheck disable=SC2034  # lib.bash reads it
  AOE_BIN=$WORK/bin
}

@test "start_targetd waits for the ready line of every export and stop_targetd takes the status" {
  requires netns
  make_net --links 2
  # shellcheck disable=SC2016  # expanded by the stand-in
  fake_targetd 'trap "exit 0" TERM
echo "arguments: $*"
sleep 0.3; echo "aoe-targetd: e7.1 ready: 8 sectors on tgt0" >&2
sleep 0.3; echo "aoe-targetd: e7.2 ready: 8 sectors on tgt0" >&2
while :; do sleep 0.05; done'
  start_targetd -e 7.1=memory:4K -e 7.2=memory:4K
  run cat "$TARGETD_LOG"
  assert_contains "$output" "-i tgt0,tgt1 -e 7.1=memory:4K"
  assert_contains "$output" "e7.2 ready"
  stop_targetd
  [ "$TARGETD_STATUS" -eq 0 ]
}

@test "start_targetd fails when the daemon ends before it is ready" {
  requires netns
  make_net
  fake_targetd 'echo "aoe-targetd: no such store" >&2; exit 2'
  run start_targetd -e 7.1=nothing
  assert_status 1
  assert_contains "$output" "ended with status 2"
}

@test "an umount below a point reaches the copies of mounts in other namespaces" {
  requires netns
  make_net
  make_point "$WORK/shared/point"
  mount -t tmpfs -o size=64k none "$WORK/shared/point" || skip "mount: not permitted here"
  start_daemon holder ip netns exec "$NS_TARGET" sleep 60
  holds() { grep " $WORK/shared/point " "/proc/$DAEMON_PID/mountinfo" | grep -q " - tmpfs none "; }
  wait_for "$WAIT_SECONDS" holds
  umount "$WORK/shared/point"
  if holds; then fail "it is mounted there still"; fi
  remove_point "$WORK/shared/point"
  if mountpoint -q "$WORK/shared/point"; then fail "something is mounted still"; fi
}
