#!/usr/bin/env bats
# Many initiators over one image, each with a layer of its own.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }
overlay() { aoe target overlay "$@" --control "$TARGETD_CONTROL"; }
read_back() { in_initiator aoe copy -q aoe://ini0/e7.1 "$1"; }
write_all() { in_initiator aoe copy -q "$1" aoe://ini0/e7.1; }
host_mac() { printf '02:aa:00:00:%02x:%02x' $(($1 >> 8)) $(($1 & 255)); }
# hosts COUNT VERB SEED: see tests/support/overlay_hosts.py.
hosts() {
  in_initiator python3 "$BATS_TEST_DIRNAME/../support/overlay_hosts.py" ini0 \
    "$(in_target cat /sys/class/net/tgt0/address)" 7.1 "$WORK/golden.orig" "$@"
}
ini_mac() { in_initiator cat /sys/class/net/ini0/address; }
layers() { find "$WORK/layers" -name '*.overlay' | wc -l; }

# make_golden SIZE: the image, and a copy that nobody touches.
make_golden() {
  head -c "$1" /dev/urandom >"$WORK/golden.img"
  cp "$WORK/golden.img" "$WORK/golden.orig"
}

@test "every initiator has its own disk over one image, also after a kill, and the image stays as it is" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_golden 1M
  count=6
  [ -z "${AOE_TEST_LONG:-}" ] || count=64
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers"
  hosts "$count" verify 0
  [ "$(layers)" -eq 0 ]
  hosts "$count" write 7
  hosts "$count" verify 7
  [ "$(layers)" -eq "$count" ]
  assert_contains "$(overlay list e7.1)" "$(host_mac 3)"
  assert_same_bytes "$WORK/golden.orig" "$WORK/golden.img"
  stop_targetd KILL
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers"
  hosts "$count" verify 7
  stop_targetd
  assert_same_bytes "$WORK/golden.orig" "$WORK/golden.img"
  # A second pass over layers that are there.
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers,mode=write-back"
  hosts "$count" verify 7
  [ "$(layers)" -eq "$count" ]
  stop_targetd
}

@test "drop and reset give the image back, and refuse while a layer is in use" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_golden 1M
  head -c 1M /dev/urandom >"$WORK/new.img"
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers" -e "7.2=memory:1M"
  write_all "$WORK/new.img"
  hosts 2 write 5
  [ "$(layers)" -eq 3 ]
  mac=$(ini_mac)
  run overlay drop e7.1 "$mac"
  assert_status 1
  assert_contains "$output" "2048 sectors that it wrote would be"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  overlay drop e7.1 "$mac" --force
  [ "$(layers)" -eq 2 ]
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/golden.orig" "$WORK/copy.img"
  hosts 2 verify 5
  overlay drop e7.1 "$mac"
  write_all "$WORK/new.img"
  overlay reset e7.1 "$mac" --force
  [ "$(layers)" -eq 3 ]
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/golden.orig" "$WORK/copy.img"
  overlay drop e7.1 --force
  [ "$(layers)" -eq 0 ]
  hosts 2 verify 0
  run overlay list e7.2
  assert_status 1
  assert_contains "$output" "the export has none"
  run overlay drop e7.1 nonsense
  assert_status 2
  run target freeze e7.1
  assert_status 1
}

@test "a commit puts a layer into the image for everybody; an interrupted one goes on" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_golden 4M
  head -c 4M /dev/urandom >"$WORK/new.img"
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers"
  write_all "$WORK/new.img"
  hosts 1 write 5
  mac=$(ini_mac)
  run overlay commit e7.1
  assert_status 2
  run overlay commit e7.1 "$mac"
  assert_status 1
  assert_contains "$output" "1 others have layers"
  overlay drop e7.1 "$(host_mac 0)" --force
  run overlay commit e7.1 "$mac"
  assert_status 1
  assert_contains "$output" "the export is online"
  assert_same_bytes "$WORK/golden.orig" "$WORK/golden.img"
  target offline e7.1
  overlay commit e7.1 "$mac"
  assert_same_bytes "$WORK/new.img" "$WORK/golden.img"
  [ "$(layers)" -eq 0 ]
  overlay commit e7.1 "$mac"
  target online e7.1
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/new.img" "$WORK/copy.img"
  # The layer of another one goes with a forced commit; a kill in the middle of it loses nothing.
  write_all "$WORK/golden.orig"
  cp "$WORK/golden.img" "$WORK/before.img"
  overlay commit e7.1 "$mac" --force >/dev/null 2>&1 &
  stop_targetd KILL
  wait
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers"
  read_back "$WORK/copy.img"
  assert_same_bytes "$WORK/golden.orig" "$WORK/copy.img"
}

@test "there are only so many layers, and a changed image is noticed" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_golden 1M
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers,overlay_max=2"
  hosts 2 write 5
  run hosts 3 write 5
  assert_status 1
  assert_contains "$output" "host 2: "
  assert_contains "$(cat "$TARGETD_LOG")" "there are 2 already"
  hosts 2 verify 5
  overlay drop e7.1 "$(host_mac 0)" --force
  write_all "$WORK/golden.orig"
  stop_targetd
  touch "$WORK/golden.img"
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/layers"
  assert_contains "$(cat "$TARGETD_LOG")" "the base was written to since it was made"
  run read_back "$WORK/copy.img"
  [ "$status" -ne 0 ]
  assert_contains "$(overlay list e7.1)" unusable
  # Without a request of its initiator for a minute nothing has to be forced.
  overlay drop e7.1 "$(host_mac 1)"
  hosts 2 verify 0
}

@test "a file system that is full fails the writes of one initiator, and nothing else" {
  requires netns python3 ours:aoe ours:aoe-targetd
  make_net
  make_golden 1M
  make_point "$WORK/mnt/small"
  mount -t tmpfs -o size=600k none "$WORK/mnt/small"
  start_targetd -e "7.1=$WORK/golden.img,overlay=$WORK/mnt/small/layers"
  hosts 1 write 5
  run write_all "$WORK/golden.orig"
  [ "$status" -ne 0 ]
  told() { grep -q "has no room left: its writes fail" "$TARGETD_LOG"; }
  wait_for "$WAIT_SECONDS" told
  hosts 1 verify 5
  assert_same_bytes "$WORK/golden.orig" "$WORK/golden.img"
  stop_targetd
  remove_point "$WORK/mnt/small"
}
