#!/usr/bin/env bats
# Exports that are frozen, copied and thawed while initiators use them.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }
state() { target show e7.1 -o json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d.get("freeze",{}).get("state","absent"))'; }
state_is() { [ "$(state)" = "$1" ]; }
shadow_gone() { [ ! -e "$WORK/state/e7.1.shadow" ] && [ ! -e "$WORK/state/e7.1.freeze" ]; }
read_back() { in_initiator aoe copy -q aoe://ini0/e7.1 "$1"; }
write_all() { in_initiator aoe copy -q "$1" aoe://ini0/e7.1; }

# make_images: $WORK/disk.img of 8 MiB, its content as $WORK/old.img, another content as new.img.
make_images() {
  head -c 8M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/old.img"
  head -c 8M /dev/urandom >"$WORK/new.img"
}

@test "while it is frozen the file stays as it is; thawed it has everything" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  start_targetd -e "7.1=$WORK/disk.img"
  state_is none
  target freeze e7.1
  state_is frozen
  target freeze e7.1
  write_all "$WORK/new.img"
  assert_same_bytes "$WORK/old.img" "$WORK/disk.img"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  run target resize e7.1
  assert_status 1
  assert_contains "$output" "it is frozen"
  run target unexport e7.1
  assert_status 1
  assert_contains "$output" "thaw it"
  target thaw e7.1 --wait --rate 0
  assert_same_bytes "$WORK/new.img" "$WORK/disk.img"
  shadow_gone
  state_is none
  target thaw e7.1
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  assert_contains "$(cat "$TARGETD_LOG")" "e7.1: thawed"
}

@test "AoEde's signals freeze and thaw the exports that have a shadow" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  truncate -s 1M "$WORK/other.img"
  start_targetd -e "7.1=$WORK/disk.img,shadow=$WORK/shadow" -e "7.2=$WORK/other.img"
  kill -USR1 "$TARGETD_PID"
  sleep 0.1
  kill -USR2 "$TARGETD_PID"
  wait_for "$WAIT_SECONDS" state_is frozen
  [ -e "$WORK/shadow" ]
  assert_contains "$(target show e7.2)" "none"
  write_all "$WORK/new.img"
  assert_same_bytes "$WORK/old.img" "$WORK/disk.img"
  for signal in USR1 USR1 USR2; do
    kill -"$signal" "$TARGETD_PID"
    sleep 0.1
  done
  wait_for "$WAIT_SECONDS" state_is none
  [ ! -e "$WORK/shadow" ]
  assert_same_bytes "$WORK/new.img" "$WORK/disk.img"
  kill -USR2 "$TARGETD_PID"
  ignored() { grep -q "signals ignored: USR1 USR2 freezes" "$TARGETD_LOG"; }
  wait_for "$WAIT_SECONDS" ignored
}

@test "frozen or half thawed, it goes on where kill -9 stopped it" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  start_targetd -e "7.1=$WORK/disk.img"
  target freeze e7.1
  write_all "$WORK/new.img"
  stop_targetd KILL
  start_targetd -e "7.1=$WORK/disk.img"
  wait_for "$WAIT_SECONDS" state_is frozen
  assert_same_bytes "$WORK/old.img" "$WORK/disk.img"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  target thaw e7.1 --rate 512K
  run target freeze e7.1
  assert_status 1
  assert_contains "$output" "being thawed"
  begun() { ! cmp -s -n 65536 "$WORK/old.img" "$WORK/disk.img"; }
  wait_for "$WAIT_SECONDS" begun
  stop_targetd KILL
  run cmp -s "$WORK/new.img" "$WORK/disk.img"
  [ "$status" -ne 0 ] || fail "the thaw was done before it was killed"
  start_targetd -e "7.1=$WORK/disk.img,thaw_rate=0"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  wait_for "$WAIT_SECONDS" shadow_gone
  assert_same_bytes "$WORK/new.img" "$WORK/disk.img"
}

@test "kill -9 at random moments of freezing, writing and thawing loses nothing" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  cp "$WORK/old.img" "$WORK/now.img"
  for _ in 1 2 3 4 5 6 7 8; do
    start_targetd -e "7.1=$WORK/disk.img,thaw_rate=8M"
    read_back "$WORK/copy.img"
    assert_same_bytes "$WORK/now.img" "$WORK/copy.img"
    if state_is none; then target freeze e7.1; else target thaw e7.1; fi
    head -c 2M /dev/urandom >"$WORK/piece.img"
    in_initiator aoe copy -q "$WORK/piece.img" aoe://ini0/e7.1
    dd if="$WORK/piece.img" of="$WORK/now.img" conv=notrunc status=none
    sleep "0.$((RANDOM % 3))"
    stop_targetd KILL
  done
  start_targetd -e "7.1=$WORK/disk.img,thaw_rate=0"
  target thaw e7.1 --wait
  assert_same_bytes "$WORK/now.img" "$WORK/disk.img"
}

@test "a shadow without room gives up the frozen state, not a write" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  mkdir "$WORK/small"
  mount -t tmpfs -o size=3m none "$WORK/small" || skip "mount: not permitted here"
  start_targetd -e "7.1=$WORK/disk.img,shadow=$WORK/small/shadow,thaw_rate=0"
  target freeze e7.1
  write_all "$WORK/new.img"
  wait_for "$WAIT_SECONDS" state_is none
  umount -l "$WORK/small"
  assert_same_bytes "$WORK/new.img" "$WORK/disk.img"
  assert_contains "$(cat "$TARGETD_LOG")" "the frozen state is given up"
}

@test "with shadow_full=refuse a shadow without room fails writes and keeps the frozen state" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  mkdir "$WORK/small"
  mount -t tmpfs -o size=3m none "$WORK/small" || skip "mount: not permitted here"
  start_targetd -e "7.1=$WORK/disk.img,shadow=$WORK/small/shadow,shadow_full=refuse"
  target freeze e7.1
  run write_all "$WORK/new.img"
  assert_status 1
  state_is frozen
  assert_same_bytes "$WORK/old.img" "$WORK/disk.img"
  target thaw e7.1 --wait --rate 0
  umount -l "$WORK/small"
  assert_contains "$(cat "$TARGETD_LOG")" "store error: no_space"
}

@test "a shadow that is lost, damaged or of another disk is not served over" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  start_targetd -e "7.1=$WORK/disk.img"
  target freeze e7.1
  write_all "$WORK/new.img"
  stop_targetd
  daemon() {
    run in_target aoe-targetd -i tgt0 --state-dir "$WORK/state" --control "$WORK/t.sock" \
      -e "7.1=$1"
    [ "$status" -eq 2 ] || fail "status $status: $output"
  }
  mv "$WORK/state/e7.1.shadow" "$WORK/away"
  daemon "$WORK/disk.img"
  assert_contains "$output" "e7.1: the export is frozen, and its shadow"
  assert_contains "$output" "is not there"
  # The base alone is what was frozen: for reading, and only for who says so.
  start_targetd -e "7.1=$WORK/disk.img,mode=read-only"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/old.img" "$WORK/copy.img"
  assert_contains "$(cat "$TARGETD_LOG")" "is lost: served as it was when it was frozen"
  stop_targetd
  head -c 1M /dev/zero >"$WORK/state/e7.1.shadow"
  daemon "$WORK/disk.img"
  assert_contains "$output" "no layer of ours"
  rm "$WORK/state/e7.1.shadow"
  mv "$WORK/away" "$WORK/state/e7.1.shadow"
  daemon "$WORK/new.img"
  assert_contains "$output" "another store"
  daemon "$WORK/disk.img,length=100"
  assert_contains "$output" "made over 16384 sectors, and 100 are there"
  daemon "$WORK/disk.img,mode=read-only"
  assert_contains "$output" "it cannot be served like this"
  mv "$WORK/state/e7.1.freeze" "$WORK/away"
  daemon "$WORK/disk.img"
  assert_contains "$output" "is a shadow that holds writes"
  mv "$WORK/away" "$WORK/state/e7.1.freeze"
  start_targetd -e "7.1=$WORK/disk.img"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
}

@test "backup copies one moment while it is written to, and thaws" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  start_targetd -e "7.1=$WORK/disk.img"
  in_initiator aoe bench aoe://ini0/e7.1 --op write --bs 4K --depth 8 --time 3 >/dev/null &
  load=$!
  target backup e7.1 "$WORK/backup.img"
  [ "$(stat -c %s "$WORK/backup.img")" -eq $((8 << 20)) ]
  [ ! -e "$WORK/backup.img.part" ]
  wait "$load"
  wait_for "$WAIT_SECONDS" state_is none
  # With nobody writing, the backup is the disk.
  target backup e7.1 "$WORK/backup.img"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/backup.img" "$WORK/copy.img"
  # A window of a file; an export that was frozen before stays frozen.
  wait_for "$WAIT_SECONDS" state_is none
  target export e7.2 "$WORK/old.img" offset=2048 length=4096
  target freeze e7.2
  target backup e7.2 "$WORK/window.img"
  dd if="$WORK/old.img" of="$WORK/expected.img" bs=512 skip=2048 count=4096 status=none
  assert_same_bytes "$WORK/expected.img" "$WORK/window.img"
  assert_contains "$(target show e7.2)" "frozen"
  run target backup e7.1 "$WORK/no/such/place.img"
  [ "$status" -ne 0 ]
  assert_contains "$output" "no such file"
  wait_for "$WAIT_SECONDS" state_is none
}

@test "what cannot be frozen says so; events tell of what happens" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  start_targetd -e "7.1=$WORK/disk.img" -e 7.2=memory:1M -e "7.3=$WORK/old.img,mode=read-only"
  for export in e7.2 e7.3; do
    run target freeze "$export"
    assert_status 1
    assert_contains "$output" "can be frozen"
  done
  run target freeze e7.9
  assert_status 1
  start_daemon events "$AOE_BIN/aoe" target events --control "$TARGETD_CONTROL"
  freeze_seen() { target freeze e7.1 && grep -q "e7.1: frozen: writes go to" "$WORK/events.log"; }
  # The subscription may come after the first freeze.
  tries() { freeze_seen || { target thaw e7.1 --wait && false; }; }
  wait_for "$WAIT_SECONDS" tries
  write_all "$WORK/new.img"
  target thaw e7.1 --wait
  seen() { grep -q "e7.1: thawed" "$WORK/events.log" && grep -q "thawing: 100 %" "$WORK/events.log"; }
  wait_for "$WAIT_SECONDS" seen
}

@test "TRIM of a frozen export hides what the file has, and reaches it with the thaw" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  start_targetd -e "7.1=$WORK/disk.img,mode=write-back"
  target freeze e7.1
  mac=$(in_target ip -br link show tgt0 | awk '{print $3}')
  run in_initiator python3 "$BATS_TEST_DIRNAME/../support/raw_aoe.py" ini0 trim "$mac" 7.1 2048 4096
  assert_contains "$output" "status 40 flags 18"
  cp "$WORK/old.img" "$WORK/expected.img"
  dd if=/dev/zero of="$WORK/expected.img" bs=512 seek=2048 count=4096 conv=notrunc status=none
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/expected.img" "$WORK/copy.img"
  assert_same_bytes "$WORK/old.img" "$WORK/disk.img"
  target thaw e7.1 --wait
  assert_same_bytes "$WORK/expected.img" "$WORK/disk.img"
}

@test "a reload leaves a frozen export over its store, and takes a new rate" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_images
  config() {
    printf 'interfaces = ["tgt0"]\n[[export]]\naddress = "7.1"\nallow = "any"\nstore = "%s"\n%s\n' \
      "$1" "$2" >"$WORK/t.toml"
  }
  config "$WORK/disk.img" ''
  EXPECT_EXPORTS=1 start_targetd --config "$WORK/t.toml"
  target freeze e7.1
  write_all "$WORK/new.img"
  config "$WORK/old.img" ''
  run target reload
  assert_status 1
  assert_contains "$output" "it is frozen: its store"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  config "$WORK/disk.img" 'thaw_rate = "0"'
  target reload
  # Opened anew while it is frozen: the shadow goes with it.
  config "$WORK/disk.img" 'buffers = 32'
  target reload
  reopened() { target show e7.1 | grep -Eq '^buffers: +32$'; }
  wait_for "$WAIT_SECONDS" reopened
  wait_for "$WAIT_SECONDS" state_is frozen
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  target thaw e7.1 --wait --rate 0
  assert_same_bytes "$WORK/new.img" "$WORK/disk.img"
}
