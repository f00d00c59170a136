#!/usr/bin/env bats
# Our target by the command lines of vblade and AoEde.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

COMPAT=$AOE_BIN/../compat

# blade NAME ARGS..: starts one of the commands on the target's side, with places below $WORK, and waits
# until the initiator's side sees $DEVICE.
blade() {
  local name=$1
  shift
  BLADES=$((${BLADES:-0} + 1))
  run_dir=$WORK start_daemon "blade-$BLADES" ip netns exec "$NS_TARGET" "$COMPAT/$name" \
    --state-dir "$WORK/state-$BLADES" "$@"
  BLADE_PID=$DAEMON_PID BLADE_LOG=$WORK/blade-$BLADES.log
  answers() { in_initiator aoe discover -i ini0 | grep -q "$DEVICE"; }
  wait_for "$WAIT_SECONDS" answers
}

@test "vblade serves a file under its pid, in the words and with the window of vblade" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  head -c 10M /dev/urandom >"$WORK/disk,1.img"
  DEVICE=e11.1 blade vblade -o 8 -l 2000 11 1 tgt0 "$WORK/disk,1.img"
  grep -qx "pid $BLADE_PID: e11.1, 2000 sectors O_RDWR" "$BLADE_LOG"
  in_initiator aoe copy -q aoe://ini0/e11.1 "$WORK/copy.img"
  [ "$(stat -c %s "$WORK/copy.img")" -eq 1024000 ]
  tail -c +4097 "$WORK/disk,1.img" | cmp -n 1024000 - "$WORK/copy.img"
  run in_initiator aoe identify aoe://ini0/e11.1
  assert_contains "$output" "11.1:"
  # What is written lies in the window, and nothing outside is touched.
  head -c 1024000 /dev/urandom >"$WORK/new.img"
  cp "$WORK/disk,1.img" "$WORK/expected.img"
  dd if="$WORK/new.img" of="$WORK/expected.img" bs=4096 seek=1 conv=notrunc status=none
  in_initiator aoe copy -q "$WORK/new.img" aoe://ini0/e11.1
  cmp "$WORK/expected.img" "$WORK/disk,1.img"
}

@test "vblade -r refuses writes, and -m everybody else" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  DEVICE=e7.1 blade vblade -r -b 4 7 1 tgt0 "$WORK/disk.img"
  grep -qx "pid $BLADE_PID: e7.1, 2048 sectors O_RDONLY" "$BLADE_LOG"
  head -c 1M /dev/urandom >"$WORK/new.img"
  run in_initiator aoe copy -q "$WORK/new.img" aoe://ini0/e7.1
  [ "$status" -ne 0 ]
  cmp -n 1M "$WORK/disk.img" /dev/zero
  mac=$(in_initiator ip -br link show ini0 | awk '{print $3}')
  DEVICE=e7.2 blade vblade -m "${mac//:/}" 7 2 tgt0 "$WORK/disk.img"
  # The mask of somebody else: silence.
  BLADES=9 run_dir=$WORK start_daemon blade-9 ip netns exec "$NS_TARGET" "$COMPAT/vblade" \
    --state-dir "$WORK/state-9" -m 020000000001 7 3 tgt0 "$WORK/disk.img"
  serves() { grep -q 'e7.3 ready' "$WORK/blade-9.log"; }
  wait_for "$WAIT_SECONDS" serves
  run in_initiator aoe discover -i ini0 --wait 1
  assert_contains "$output" e7.2
  assert_lacks "$output" e7.3
}

@test "aoede serves on several interfaces, and takes a shadow" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --links 2
  truncate -s 1M "$WORK/disk.img"
  DEVICE=e1.4 blade aoede 1 4 tgt0 tgt1 "$WORK/disk.img"
  run in_initiator aoe discover -i ini0 -i ini1
  [ "$(grep -c e1.4 <<<"$output")" -eq 2 ]
  end_process "$BLADE_PID"
  # As aoe-targetd -e ..,shadow=: whatever that says to it.
  run_dir=$WORK start_daemon aoede-shadow ip netns exec "$NS_TARGET" "$COMPAT/aoede" \
    --state-dir "$WORK/state-s" 1 5 tgt0 "$WORK/disk.img" -f "$WORK/shadow"
  said() { grep -Eq 'e1.5 ready|shadow' "$WORK/aoede-shadow.log"; }
  wait_for "$WAIT_SECONDS" said
}

@test "two processes serve a file on an interface each" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --links 2
  truncate -s 1M "$WORK/disk.img"
  DEVICE=e7.1 blade vblade 7 1 tgt0 "$WORK/disk.img"
  run_dir=$WORK start_daemon blade-b ip netns exec "$NS_TARGET" "$COMPAT/vblade" \
    --state-dir "$WORK/state-b" 7 1 tgt1 "$WORK/disk.img"
  both() { [ "$(in_initiator aoe discover -i ini0 -i ini1 | grep -c e7.1)" -eq 2 ]; }
  wait_for "$WAIT_SECONDS" both
}

@test "vbladed goes to the background, and its lines to the logger" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  mkdir "$WORK/bin"
  printf '#!/bin/sh\nexec cat >>"%s"\n' "$WORK/syslog" >"$WORK/bin/logger"
  chmod +x "$WORK/bin/logger"
  run env PATH="$WORK/bin:$PATH" run_dir="$WORK" ip netns exec "$NS_TARGET" "$COMPAT/vbladed" \
    --state-dir "$WORK/state" 7 1 tgt0 "$WORK/disk.img" 3>&-
  assert_status 0
  [ -z "$output" ]
  logged() { grep -q 'e7.1 ready' "$WORK/syslog"; }
  wait_for "$WAIT_SECONDS" logged
  pid=$(sed -n 's/^pid \([0-9]*\): e7.1, 2048 sectors O_RDWR$/\1/p' "$WORK/syslog")
  DAEMONS+=("$pid")
  [ "$(cat "/proc/$pid/comm")" = aoe-targetd ]
  run in_initiator aoe ping -q -c 1 aoe://ini0/e7.1
  assert_status 0
  kill "$pid"
  gone() { [ ! -e "/proc/$pid" ]; }
  wait_for "$WAIT_SECONDS" gone
}

@test "wrong calls get the messages and the status of vblade" {
  requires ours:aoe-targetd
  theirs=$(command -v vblade) || skip "vblade: not installed (tools/setup/install test)"
  truncate -s 512 "$WORK/one"
  : >"$WORK/none"
  mkdir "$WORK/ours" "$WORK/theirs"
  ln -s "$COMPAT/vblade" "$WORK/ours/vblade"
  ln -s "$theirs" "$WORK/theirs/vblade"
  for words in "" "7 1 lo" "7 1 lo $WORK/one more" "-b 0 7 1 lo $WORK/one" "-x" "-o -1 7 1 lo $WORK/one" \
    "-l 0 7 1 lo $WORK/one" "7 1 lo $WORK/nosuch" "7 1 lo $WORK/none" "-o 5 7 1 lo $WORK/one"; do
    for whose in ours theirs; do
      status=0
      # shellcheck disable=SC2086  # words
      (cd "$WORK/$whose" && ./vblade $words) >"$WORK/$whose.out" 2>&1 </dev/null || status=$?
      echo "status $status" >>"$WORK/$whose.out"
    done
    cmp "$WORK/ours.out" "$WORK/theirs.out" || fail "$words" "$(cat "$WORK/ours.out" "$WORK/theirs.out")"
  done
}
