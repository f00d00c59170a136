#!/usr/bin/env bats
# The commands of aoetools on a host where aoe-initiatord runs in place of the kernel's driver.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

COMPAT=$AOE_BIN/../compat

# old COMMAND ARGS..: one of the old commands, for the initiator daemon of this test.
old() {
  local name=$1
  shift
  nsenter --net="/run/netns/$NS_INITIATOR" "$COMPAT/$name" --control "$INITIATORD_CONTROL" "$@"
}

@test "devices are listed, found, revalidated and flushed through the daemon" {
  requires netns ours:aoe ours:aoe-targetd ours:aoe-initiatord
  [ ! -e /sys/module/aoe ] || skip "aoe: the kernel's driver runs on this host"
  make_net --links 2
  truncate -s 100M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img" -e 7.2=memory:1M
  # The second interface has its path first, and stays the second.
  ip -n "$NS_TARGET" link set tgt0 down
  start_initiatord
  aoed wait e7.1
  aoed wait e7.2
  run old aoe-stat e7.1
  assert_contains "$output" " ini1 8192  up"
  ip -n "$NS_TARGET" link set tgt0 up
  both_paths() { [ "$(old aoe-stat | grep -c ' ini0,ini1 ')" = 2 ]; }
  wait_for "$WAIT_SECONDS" both_paths
  run old aoe-stat
  assert_status 0
  [ "${lines[0]}" = "      e7.1         0.104GB  ini0,ini1 8192  up            " ]
  [ "${lines[1]}" = "      e7.2         0.001GB  ini0,ini1 8192  up            " ]
  [ "${#lines[@]}" -eq 2 ]
  run old aoe-stat e7.2
  [ "${#lines[@]}" -eq 1 ]
  run old aoe-stat e9
  assert_status 1
  old aoe-revalidate e7.1
  run old aoe-revalidate e9.9
  assert_status 1
  assert_contains "$output" "aoe-revalidate: revalidate failed"
  run old aoe-flush e9.9
  assert_status 1
  [ "$output" = 'aoe-flush Error: "e9.9" is not an aoe device' ]
  # An answer to a question from before, over the other path, finds it again.
  is_flushed() { old aoe-flush e7.2 && ! old aoe-stat | grep -q e7.2; }
  wait_for "$WAIT_SECONDS" is_flushed
  old aoe-discover
  back() { old aoe-stat | grep -q e7.2; }
  wait_for "$WAIT_SECONDS" back
  are_flushed() {
    old aoe-flush -a || return
    run old aoe-stat
    [ "$status" -eq 1 ] && [ -z "$output" ]
  }
  wait_for "$WAIT_SECONDS" are_flushed
}

@test "interfaces and versions are those of the daemon" {
  requires netns ours:aoe ours:aoe-initiatord
  [ ! -e /sys/module/aoe ] || skip "aoe: the kernel's driver runs on this host"
  make_net --links 2
  start_initiatord
  run old aoe-interfaces
  [ "$output" = "ini0 ini1" ]
  old aoe-interfaces ini1
  run old aoe-interfaces
  [ "$output" = ini1 ]
  run old aoe-interfaces ini0 nosuch
  assert_status 1
  [ "$output" = 'aoe-interfaces Error: "nosuch" is not a network interface' ]
  run old aoe-interfaces
  [ "$output" = ini1 ]
  old aoe-interfaces "ini0 ini1"
  run old aoe-interfaces
  [ "$output" = "ini0 ini1" ]
  run old aoe-version
  assert_status 0
  [ "${lines[0]}" = $'              aoetools:\t36' ]
  [[ ${lines[2]} == $'    running aoe driver:\taoekit-'* ]]
  stop_initiatord
  run old aoe-version
  [ "${lines[2]}" = $'    running aoe driver:\t(none)' ]
  run old aoe-discover
  assert_status 1
  assert_contains "$output" "/dev/etherd/discover does not exist or is not writeable."
}

@test "a device that is in use stays, and what is down shows as it did" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  [ ! -e /sys/module/aoe ] || skip "aoe: the kernel's driver runs on this host"
  make_net
  truncate -s 1M "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  start_initiatord --mount "$WORK/etherd"
  aoed wait e7.1
  exec 7<"$WORK/etherd/e7.1"
  run old aoe-flush e7.1
  assert_status 1
  assert_contains "$output" "aoe-flush: e7.1: flush: its file is open"
  assert_contains "$output" "aoe-flush: flush failed"
  in_target ip link set tgt0 down
  wait_for "$WAIT_SECONDS" device_is down e7.1
  run old aoe-stat
  [[ ${lines[0]} =~ ^\ {6}e7.1\ {9}0.001GB\ {7}ini0\ [0-9]{4}\ \ down,closewait$ ]] || fail "$output"
  exec 7<&-
  closed() { old aoe-stat | grep -q 'down *$'; }
  wait_for "$WAIT_SECONDS" closed
  old aoe-flush
  run old aoe-stat
  assert_status 1
}

@test "an update file goes to a small device, byte by byte, and not to a large one" {
  requires netns file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  [ ! -e /sys/module/aoe ] || skip "aoe: the kernel's driver runs on this host"
  make_net
  truncate -s 40000K "$WORK/disk.img"
  truncate -s 70001K "$WORK/large.img"
  start_targetd -e "100.40=$WORK/disk.img" -e "100.41=$WORK/large.img"
  start_initiatord --mount "$WORK/etherd"
  aoed wait e100.40
  aoed wait e100.41
  head -c 3000001 /dev/urandom >"$WORK/update.tar"
  tar -C "$WORK" -cf "$WORK/update.tarc" update.tar
  run old coraid-update "$WORK/update.tarc" "$WORK/etherd/e100.40"
  assert_status 0
  [ -z "$output" ]
  cmp -n "$(stat -c %s "$WORK/update.tarc")" "$WORK/update.tarc" "$WORK/disk.img"
  [ "$(stat -c %s "$WORK/disk.img")" -eq 40960000 ]
  run old coraid-update "$WORK/update.tarc" "$WORK/etherd/e100.41"
  assert_status 1
  assert_contains "$output" "e100.41 is too large to be an update target"
  cmp -n 70001K "$WORK/large.img" /dev/zero
  cp "$WORK/update.tar" "$WORK/bad.tarc"
  run old coraid-update "$WORK/bad.tarc" "$WORK/etherd/e100.40"
  assert_status 1
  assert_contains "$output" "does not appear to be a valid tarc file"
}

@test "device nodes are made where neither udev nor dynamic numbers are" {
  { [ "$(id -u)" -eq 0 ] && mknod "$WORK/probe" c 1 3 2>/dev/null; } ||
    skip "device nodes: not permitted here"
  mkdir "$WORK/empty"
  export sysfs_dir=$WORK/empty dev_dir=$WORK/empty run_dir=$WORK/empty proc_dir=$WORK/empty
  n_shelves=2 n_partitions=4 "$COMPAT/aoe-mkdevs" "$WORK/nodes"
  [ "$(find "$WORK/nodes" -type b | wc -l)" -eq 128 ]
  [ "$(find "$WORK/nodes" -type c | wc -l)" -eq 5 ]
  [ "$(stat -c '%a %t %T' "$WORK/nodes/e1.2p3")" = "660 98 4b" ] # 152, (16 + 2) * 4 + 3
  [ "$(stat -c '%a %t %T' "$WORK/nodes/flush")" = "200 98 6" ]
  "$COMPAT/aoe-mkshelf" "$WORK/nodes" 7
  [ "$(stat -c '%a %t %T' "$WORK/nodes/e7.15p15")" = "660 98 7ff" ]
}

@test "aoe-sancheck --strict ends with 1 for any advice, and with 0 otherwise" {
  requires netns ours:aoe-targetd
  make_net
  start_targetd -e 7.1=memory:1M
  run in_initiator "$COMPAT/aoe-sancheck"
  assert_status 0
  assert_contains "$output" e7.1
  run in_initiator "$COMPAT/aoe-sancheck" --strict
  assert_status 0
  ip -n "$NS_INITIATOR" link set ini0 mtu 1500
  run in_initiator "$COMPAT/aoe-sancheck"
  assert_status 0
  assert_contains "$output" "ini0: MTU (1500) not set optimally"
  run in_initiator "$COMPAT/aoe-sancheck" --strict
  assert_status 1
  assert_contains "$output" "ini0: MTU (1500) not set optimally"
}
