#!/usr/bin/env bats
# The Solaris package's names of disks and slices: aoectl names.

# Each test has a shell and a list of daemons of its own, and helpers are called through wait_for:
# shellcheck disable=SC2030,SC2031,SC2317

load lib

COMPAT=${AOE_BIN%/bin}/compat

cmd() {
  local name=$1
  shift
  "$COMPAT/$name" --control "$INITIATORD_CONTROL" -d "$WORK/channels" "$@"
}

# Whatever a failed test leaves attached would outlive it.
teardown() {
  [ -z "${DEVICE:-}" ] || losetup -d "$DEVICE" 2>/dev/null || true
  lib_teardown
}

links() { (cd "$WORK/dev/$1" && for link in *; do echo "$link $(readlink "$link")"; done); }

names_need() { requires netns loop file:/dev/fuse partx ours:aoe ours:aoe-targetd ours:aoe-initiatord; }

links_are() { [ "$(links "$1" 2>/dev/null)" = "$2" ]; }

@test "slices of VTOC labels are named, except those that overlap, which are said" {
  names_need
  make_net
  truncate -s 64M "$WORK/disk.img"
  start_targetd -e "1.7=$WORK/disk.img"
  start_initiatord -i lo-none --mount "$WORK/etherd"
  cmd aoestart aoechan 0 ether ini0
  aoed wait e1.7
  DEVICE=$(aoed attach e1.7 2>/dev/null)
  "$COMPAT/aoelabinit" --type vtoc-sparc "$DEVICE"
  partx -d "$DEVICE" 2>/dev/null || true
  run cmd aoectl names --root "$WORK/dev"
  assert_status 0
  assert_contains "$(links dsk)" "cad107s0 ${DEVICE}p1"
  # Over the DOS partition of a VTOC label of x86 only a kernel that knows these labels has slices.
  partx -d "$DEVICE"
  "$COMPAT/aoeunlabel" "$DEVICE"
  "$COMPAT/aoelabinit" --type vtoc-x86 "$DEVICE"
  partx -a "$DEVICE" 2>/dev/null || true
  run cmd aoectl names --root "$WORK/dev"
  assert_status 0
  assert_contains "$(links dsk)" "cad107p1 $DEVICE"
  if ! grep -q cad107s0 <<<"$(links dsk)"; then
    assert_contains "$output" "aoectl: cad107s0: $DEVICE has no partition of "
    assert_contains "$output" ": it overlaps a partition that Linux has"
  fi
  partx -d "$DEVICE"
  aoed detach e1.7
}

@test "aoemon keeps the names in step with what is attached and with its partitions" {
  names_need
  make_net
  truncate -s 64M "$WORK/disk.img"
  start_targetd -e "1.7=$WORK/disk.img"
  start_initiatord -i lo-none --mount "$WORK/etherd"
  start_daemon aoemon nsenter --net="/run/netns/$NS_INITIATOR" \
    "$COMPAT/aoemon" --control "$INITIATORD_CONTROL" -d "$WORK/channels" --names "$WORK/dev" --debug
  cmd aoestart aoechan 0 ether ini0
  aoed wait e1.7
  DEVICE=$(aoed attach e1.7 2>/dev/null)
  wait_for "$WAIT_SECONDS" links_are dsk "cad107 $DEVICE"
  wait_for "$WAIT_SECONDS" links_are rdsk "cad107 $DEVICE"
  # A label comes: Linux is told to look, and that is an event.
  "$COMPAT/aoelabinit" --type efi "$DEVICE"
  partx -d "$DEVICE" 2>/dev/null || true
  partx -a "$DEVICE"
  has_slice() { links dsk | grep -q "^cad107s0 ${DEVICE}p1\$"; }
  wait_for "$WAIT_SECONDS" has_slice
  partx -d "$DEVICE"
  aoed detach e1.7
  nothing_is_named() { [ -z "$(ls "$WORK/dev/dsk")" ]; }
  wait_for "$WAIT_SECONDS" nothing_is_named
  DEVICE=''
}

@test "attached disks and their slices are named in dsk and rdsk" {
  names_need
  make_net
  truncate -s 64M "$WORK/disk.img"
  start_targetd -e "1.7=$WORK/disk.img" -e 1.8=memory:1M
  start_initiatord -i lo-none --mount "$WORK/etherd"
  cmd aoestart aoechan 0 ether ini0
  aoed wait e1.7
  cmd aoectl names --root "$WORK/dev"
  [ -z "$(ls "$WORK/dev/dsk")" ]
  DEVICE=$(aoed attach e1.7 2>/dev/null)
  [ -b "$DEVICE" ]
  run cmd aoectl names --root "$WORK/dev"
  assert_status 0
  [ "$output" = "" ]
  [ "$(links dsk)" = "cad107 $DEVICE" ]
  [ "$(links rdsk)" = "cad107 $DEVICE" ]
  "$COMPAT/aoelabinit" --type efi "$DEVICE"
  # Whether Linux reads the label by itself is a matter of how it was built.
  partx -d "$DEVICE" 2>/dev/null || true
  # What Linux did not read becomes a partition.
  run cmd aoectl names --root "$WORK/dev"
  assert_status 0
  [ "$output" = "" ]
  assert_contains "$(links dsk)" "cad107s0 ${DEVICE}p1"
  [ "$(links dsk)" = "$(links rdsk)" ]
  [ "$(cat "/sys/class/block/${DEVICE##*/}p1/start")" = "$("$AOE_BIN/aoe" label show "$DEVICE" | awk '$1 == "s0" { print $2 }')" ]
  printf 'name="aoed" parent="pseudo" instance=5 aoechan=0 aoemaj=1 aoemin=7;\n' >"$WORK/aoed.conf"
  cmd aoectl names --root "$WORK/dev" --conf "$WORK/aoed.conf"
  assert_contains "$(links dsk)" "cad5s0 ${DEVICE}p1"
  assert_lacks "$(links dsk)" cad107
  partx -d "$DEVICE"
  aoed detach e1.7
  cmd aoectl names --root "$WORK/dev"
  [ -z "$(ls "$WORK/dev/dsk")" ]
}
