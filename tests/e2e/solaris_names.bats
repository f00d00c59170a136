#!/usr/bin/env bats
# The Solaris package's names of disks and slices: aoectl names.

# Each test has a shell and a list of daemons of its own:
# shellcheck disable=SC2030,SC2031

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

@test "attached disks and their slices are named in dsk and rdsk" {
  requires netns loop file:/dev/fuse partx ours:aoe ours:aoe-targetd ours:aoe-initiatord
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
  run cmd aoectl names --root "$WORK/dev"
  assert_status 0
  assert_contains "$output" "aoectl: cad107s0: $DEVICE has no partition of "
  [ "$(links dsk)" = "cad107 $DEVICE" ]
  partx -a "$DEVICE"
  run cmd aoectl names --root "$WORK/dev"
  assert_status 0
  assert_contains "$(links dsk)" "cad107s0 ${DEVICE}p1"
  [ "$(links dsk)" = "$(links rdsk)" ]
  printf 'name="aoed" parent="pseudo" instance=5 aoechan=0 aoemaj=1 aoemin=7;\n' >"$WORK/aoed.conf"
  cmd aoectl names --root "$WORK/dev" --conf "$WORK/aoed.conf"
  assert_contains "$(links dsk)" "cad5s0 ${DEVICE}p1"
  assert_lacks "$(links dsk)" cad107
  partx -d "$DEVICE"
  aoed detach e1.7
  cmd aoectl names --root "$WORK/dev"
  [ -z "$(ls "$WORK/dev/dsk")" ]
}
