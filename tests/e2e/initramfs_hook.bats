#!/usr/bin/env bats
# The hook of packaging/initramfs-tools by itself: which disks it looks for, with what, and for how long. Its
# files are in a folder of the test, the programs it calls are stubs, and its time passes when it sleeps.
# tests/interop/boot_long.bats boots with it.

# Scripts of stubs, for other shells to expand:
# shellcheck disable=SC2016

load lib

setup() {
  lib_setup
  F=$WORK/root
  mkdir -p "$F"/{scripts,proc,conf,bin,dev/etherd,run} "$F"/sys/class/net/{lo,eth0/device,eth1/device}
  printf '%s\n' 'log_begin_msg() { echo "Begin: $*"; }' 'log_end_msg() { :; }' 'wait_for_udev() { :; }' \
    >"$F/scripts/functions"
  echo '100.25 90.00' >"$F/proc/uptime"
  echo 1 >"$F/sys/class/net/eth0/carrier"
  echo 0 >"$F/sys/class/net/eth1/carrier"
  # A device node needs root: here any file will do.
  sed -E "s#(^|[ \"'<>=(])/(scripts|proc|conf|dev|run|sys)/#\1$F/\2/#g; s#-b \"#-e \"#" \
    "$BATS_TEST_DIRNAME/../../packaging/initramfs-tools/scripts/local-top/aoekit" >"$WORK/hook"
  ! grep -E "[^a-z]/(scripts|proc|conf|dev|run|sys)/" "$WORK/hook" | grep -v "$F" | grep -v '^ *#' ||
    fail "a path of this machine is left in the hook"
  : >"$WORK/calls"
  # What the stubs do besides being written down; the disks are there after as many questions.
  export CALLS=$WORK/calls F
  stub ip
  stub modprobe
  stub aoe 'case $1 in
      boot-device) [ -e "$F/boot-device" ] && cat "$F/boot-device" ;;
      wait) [ -e "$F/waits-in-vain" ] && exit 1; exit 0 ;;
      attach) : >"$F/dev/etherd/$2" ;;
    esac'
  stub @aoe-initiatord
  stub sleep 'read -r up rest <"$F/proc/uptime"
    echo "$(awk -v up="$up" -v more="$1" "BEGIN { printf \"%.2f\", up + more }") $rest" >"$F/proc/uptime"
    [ ! -x "$F/after-sleep" ] || "$F/after-sleep"'
  chmod +x "$F"/bin/*
}

# stub NAME [SCRIPT]
stub() {
  printf '#!/bin/sh\necho "%s $*" >>"$CALLS"\n%s\n' "$1" "${2:-}" >"$F/bin/$1"
}

# disk_after QUESTIONS NAME: the driver shows it once it was told to discover so often. The control file is a
# plain file, so a sleep looks how much is in it.
disk_after() {
  rm -f "$F/dev/etherd/discover"
  {
    echo '#!/bin/sh'
    echo "count=\$(cat '$F/asked' 2>/dev/null || echo 0); count=\$((count + 1)); echo \$count >'$F/asked'"
    echo "[ \$count -lt $1 ] || : >'$F/dev/etherd/$2'"
  } >"$F/after-sleep"
  chmod +x "$F/after-sleep"
}

# hook COMMAND-LINE: with the shell of an initramfs.
hook() {
  echo "BOOT_IMAGE=/vmlinuz $1 quiet" >"$F/proc/cmdline"
  run env PATH="$F/bin:$PATH" dash "$WORK/hook"
}

# slept: all pauses so far, in a line.
slept() { sed -n 's/^sleep //p' "$CALLS" | tr '\n' ' '; }
called() { grep -qx -- "$1" "$CALLS" || fail "not called: $1; but $(cat "$CALLS")"; }

@test "no disk is named: nothing is done" {
  requires dash
  hook 'root=/dev/sda1'
  assert_status 0
  [ "$(cat "$CALLS")" = 'aoe boot-device' ] || fail "$(cat "$CALLS")"
  [ ! -e "$F/conf/param.conf" ]
}

@test "root=aoe:e7.1p2 is looked for with the driver, on hardware only, with pauses that grow to a second" {
  requires dash
  disk_after 7 e7.1
  hook 'root=aoe:e7.1p2'
  assert_status 0
  called 'ip link set eth0 up'
  called 'ip link set eth1 up'
  [ "$(grep -c '^ip link set' "$CALLS")" -eq 2 ] || fail "$(cat "$CALLS")"
  called 'modprobe -q aoe aoe_iflist=eth0,eth1'
  [ "$(slept)" = '0.1 0.2 0.4 0.8 1 1 1 ' ] || fail "slept $(slept)"
  [ "$(cat "$F/conf/param.conf")" = "ROOT=$F/dev/etherd/e7.1p2" ] || fail "$(cat "$F/conf/param.conf")"
  assert_lacks "$output" 'not found'
}

@test "aoe=, the table that iPXE left, and root=: each disk once; aoe_iflist" {
  requires dash
  echo e7.1 >"$F/boot-device"
  touch "$F"/dev/etherd/{e7.1,e7.2,e8.0}
  hook 'root=UUID=1-2 aoe=e7.1,e7.2,e8.0 aoe_iflist=eth1,eth0'
  assert_status 0
  assert_contains "$output" 'AoE: e7.1 e7.2 e8.0 on eth1 eth0'
  called 'modprobe -q aoe aoe_iflist=eth1,eth0'
  # The root is found by its UUID.
  [ ! -e "$F/conf/param.conf" ]
}

@test "waits for a carrier on one of its interfaces, and says so" {
  requires dash
  echo 0 >"$F/sys/class/net/eth0/carrier"
  printf '#!/bin/sh\n[ "$(cut -d . -f 1 <%s)" -lt 104 ] || echo 1 >%s\n' "$F/proc/uptime" \
    "$F/sys/class/net/eth1/carrier" >"$F/after-sleep"
  chmod +x "$F/after-sleep"
  touch "$F/dev/etherd/e7.1"
  hook 'root=aoe:e7.1'
  assert_status 0
  assert_contains "$output" 'no carrier yet on  eth0 eth1, waiting'
  [ "$(slept)" = '0.1 0.2 0.4 0.8 1 1 1 ' ] || fail "slept $(slept)"
  assert_lacks "$output" 'no carrier on'
}

@test "gives up after aoe_timeout, for the carrier and the disk together" {
  requires dash
  echo 0 >"$F/sys/class/net/eth0/carrier"
  hook 'root=aoe:e7.1 aoe_timeout=5'
  assert_status 0
  assert_contains "$output" 'no carrier on  eth0 eth1 within 5 s'
  assert_contains "$output" 'e7.1: not found within 5 s'
  [ "$(cut -d . -f 1 <"$F/proc/uptime")" -eq 105 ] || fail "up $(cat "$F/proc/uptime")"
}

@test "aoe_initiator=daemon: our own, under the name that systemd spares" {
  requires dash
  hook 'root=aoe:e7.1p1 aoe_initiator=daemon'
  assert_status 0
  called '@aoe-initiatord -i eth0,eth1'
  called 'aoe wait e7.1 --timeout 2s'
  called 'aoe attach e7.1'
  assert_lacks "$(cat "$CALLS")" 'modprobe -q aoe'
  assert_lacks "$output" 'not found'
}

@test "a kernel without the driver takes the daemon; a word that is neither is named" {
  requires dash
  stub modprobe '[ "$2" != aoe ]'
  chmod +x "$F/bin/modprobe"
  hook 'root=aoe:e7.1'
  called '@aoe-initiatord -i eth0,eth1'
  hook 'root=aoe:e7.1 aoe_initiator=both'
  assert_contains "$output" 'aoe_initiator=both: not driver and not daemon'
}
