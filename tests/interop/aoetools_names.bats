#!/usr/bin/env bats
# Our commands with the names of aoetools beside Debian's: the same calls, the same output, the same
# status, over the same networks and the same files.

# Helpers are called through wait_for:
# shellcheck disable=SC2317
# Each test has a shell and an environment of its own:
# shellcheck disable=SC2030,SC2031

load ../e2e/lib

OURS=$AOE_BIN/../compat

# of_both COMMAND..: runs Debian's command and ours, each with its streams apart, and fails when they
# differ. $SIDE holds what to run them in. Leaves the output in $OUT and the status in $STATUS.
SIDE=()
of_both() {
  local name=$1 whose program status theirs
  shift
  theirs=$(PATH=/usr/sbin:/sbin command -v "$name") || skip "$name: not installed (package aoetools)"
  for whose in debian ours; do
    # Called by its path getopt's messages would name that.
    program=${theirs%/*}
    [ "$whose" = debian ] || program=$OURS
    status=0
    "${SIDE[@]}" env PATH="$program:/usr/sbin:/usr/bin:/sbin:/bin" "$name" "$@" \
      >"$WORK/$whose.out" 2>"$WORK/$whose.err" </dev/null || status=$?
    echo "status $status" >>"$WORK/$whose.err"
  done
  cmp "$WORK/debian.out" "$WORK/ours.out" && cmp "$WORK/debian.err" "$WORK/ours.err" ||
    fail "$name $*" "$(diff "$WORK/debian.out" "$WORK/ours.out")" \
      "$(diff "$WORK/debian.err" "$WORK/ours.err")" || return
  OUT=$WORK/ours.out
  STATUS=$status
}

# A vblade for e7.0 at the end of the network, whose frames Ethernet pads: veth does not, and Debian's
# aoeping and aoecfg do not see frames below 60 bytes.
start_vblade() {
  truncate -s 10M "$WORK/disk.img"
  start_daemon vblade ip netns exec "$NS_TARGET" vblade 7 0 tgt0 "$WORK/disk.img"
  answers() { in_initiator aoe discover -i ini0 | grep -q e7.0; }
  wait_for "$WAIT_SECONDS" answers
}

@test "wrong calls get the same messages and the same status" {
  requires aoeping aoecfg netns
  make_net --mtu 1500
  SIDE=(ip netns exec "$NS_INITIATOR")
  of_both aoeping
  [ "$STATUS" -eq 1 ]
  for words in "-h" "-x 7 1 ini0" "-s" "-s 0 7 1 ini0" "-s -1 7 1 ini0" "7 1" "7 1 ini0 more" \
    "7 1 nosuch" "-v -t 5 7 1 nosuch"; do
    # shellcheck disable=SC2086  # words
    of_both aoeping $words
  done
  for words in "-c erase" "5" "-t 1 nosuch" "1 2 3 4" "-c"; do
    # shellcheck disable=SC2086  # words
    of_both aoecfg $words
  done
  of_both coraid-update one
  of_both coraid-update one /dev/nosuch
  of_both aoe-mkdevs
  of_both aoe-mkshelf one
  of_both aoe-revalidate
}

@test "where no driver runs they say so in the same words" {
  requires aoe-stat
  [ ! -e /sys/module/aoe ] || skip "aoe: the kernel's driver runs on this host"
  export run_dir=$WORK # no daemon answers there
  for words in aoe-discover "aoe-revalidate e7.1" aoe-flush "aoe-flush -a" "aoe-flush e7.1" \
    aoe-interfaces "aoe-interfaces nosuch lo" "aoe-interfaces lo" "aoe-interfaces -c" \
    "aoe-interfaces -c lo" aoe-stat aoe-version; do
    # shellcheck disable=SC2086  # words
    of_both $words
  done
}

# disk NAME FILE=TEXT..: a disk in the sysfs of this test.
disk() {
  local directory=$sysfs_dir/block/etherd!$1 word
  mkdir -p "$directory"
  shift
  for word in "$@"; do
    printf '%s\n' "${word#*=}" >"$directory/${word%%=*}"
  done
}

@test "aoe-stat lists the disks of a sysfs in the same lines" {
  requires aoe-stat
  # Debian's sees nothing below a path with the letter p in it.
  cd "$WORK"
  export sysfs_dir=sys run_dir=$WORK/run
  of_both aoe-stat
  [ "$STATUS" -eq 1 ]
  grep -q 'sysfs is not mounted' "$WORK/ours.err"
  mkdir -p "$sysfs_dir/block/sda"
  # Drivers of before aoe6-60 have no file for the payload.
  disk e7.1 size=204800 netif=eth0 state=up dev=152:16
  of_both aoe-stat
  [ "$STATUS" -eq 0 ]
  disk e7.1 payload=8704
  disk e10.9 size=21474836480 netif=eth1 state=down,closewait payload=1024 dev=152:32
  disk e1.0 size=0 netif=eth0,eth1,eth2,eth3 state=up,kickme payload=4096
  disk e3.3
  disk e3.4 size=1
  mkdir -p "$sysfs_dir/block/etherd!e7.1p1"
  of_both aoe-stat
  [ "$(wc -l <"$OUT")" -eq 5 ]
  grep -qx '     e10.9     10995.116GB       eth1 1024  down,closewait' "$OUT"
  for expression in e7 'e[17]' 'up.*$' 'e7\.1' closewait nothing 'e1.0'; do
    of_both aoe-stat "$expression"
  done
}

# In a mount namespace of its own, with a /sys and a /dev/etherd of the test: the scripts have these
# paths inside. The control file is a terminal: a character device whose other end shows what came.
@test "orders to the kernel's driver are written into the same files with the same bytes" {
  requires aoe-discover python3 unshare
  cat >"$WORK/orders.py" <<'PY'
import os, pty, subprocess, sys, tty

commands = [["aoe-discover"], ["aoe-revalidate", "e7.1"], ["aoe-flush"], ["aoe-flush", "-a"],
            ["aoe-flush", "e7.1"], ["aoe-flush", "e7.1", "e7.2"], ["aoe-flush", "e9.9"],
            ["aoe-interfaces", "eth0", "eth1"], ["aoe-interfaces", "eth0 eth1"],
            ["aoe-interfaces", "-c"], ["aoe-interfaces", "nosuch", "eth0"], ["aoe-stat"]]
for command in commands:
    seen = []
    for folder in (sys.argv[1], sys.argv[2]):
        ends = [pty.openpty() for _ in range(4)]
        for (_, other), name in zip(ends, ("discover", "revalidate", "flush", "interfaces")):
            tty.setraw(other)
            path = "/dev/etherd/" + name
            if os.path.lexists(path):
                os.unlink(path)
            os.symlink(os.ttyname(other), path)
        environment = dict(os.environ, PATH=folder + ":/usr/sbin:/usr/bin:/sbin:/bin")
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)
        written = []
        for controller, other in ends:
            os.set_blocking(controller, False)
            try:
                written.append(os.read(controller, 4096))
            except BlockingIOError:
                written.append(b"")
            os.close(controller)
            os.close(other)
        seen.append((done.returncode, done.stdout, done.stderr, written))
    print(command, seen[1])
    if seen[0] != seen[1]:
        sys.exit(f"{command}: theirs: {seen[0]}")
PY
  mkdir -p "$WORK"/sys/block/etherd!e7.{1,2} "$WORK"/sys/class/net/eth{0,1}
  export sysfs_dir=$WORK/sys
  disk e7.1 size=204800 netif=eth0 state=up payload=8192
  disk e7.2 size=204800 netif=eth0 state=up payload=8192
  unset sysfs_dir
  cat >"$WORK/orders.sh" <<'SH'
mount --bind "$1/sys" /sys
mount -t tmpfs none /dev
mkdir /dev/etherd /dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 none /dev/pts
ln -s pts/ptmx /dev/ptmx
mknod -m 666 /dev/null c 1 3
python3 "$1/orders.py" /usr/sbin "$2"
SH
  run unshare --mount bash -e "$WORK/orders.sh" "$WORK" "$OURS"
  assert_status 0
  assert_contains "$output" "b'eth0 eth1\\x00'"
  assert_contains "$output" "b'all'"
}

@test "aoeping and aoecfg print the same of our target" {
  requires netns aoeping aoecfg ours:aoe-targetd
  make_net --mtu 1500
  start_targetd -e 7.1=memory:10M,serial=SN-0001,model=interop,allow=any \
    -e 7.2=memory:10M,allow=any -e 7.3=memory:1M,allow=any
  SIDE=(ip netns exec "$NS_INITIATOR")
  of_both aoeping -s 5 7 1 ini0
  [ ! -s "$OUT" ]
  of_both aoeping -v -s 5 7 1 ini0
  grep -q '^found e7.1 with mac ' "$OUT"
  of_both aoeping -i -s 5 7 1 ini0
  [ "$(wc -l <"$OUT")" -eq 33 ]
  of_both aoeping -I -v -t 77 -s 5 7 1 ini0
  grep -qx 'tag: 8000004d' "$OUT"
  grep -qx 'serial_number: SN-0001             ' "$OUT"
  for command in return_status read_log read_log:6 enable offline_immediate nonsense; do
    of_both aoeping -s 5 -S "$command" 7 1 ini0
  done
  # Nobody answers for another slot.
  of_both aoeping -s 1 7 9 ini0
  [ "$STATUS" -eq 142 ]
  # The strings change, so each of both has a device of its own for that.
  for device in 2 3; do
    in_initiator aoe config "aoe://ini0/e7.$device" force "owner one"
  done
  of_both aoecfg -t 5 7 2 ini0
  grep -qx 'owner one' "$OUT"
  for words in "-c set -s two" "-c set -s owner" "-c test -s two" "-c prefix -s own" "-c fset -s two" \
    "-c test -s two" "-c read -s x"; do
    # shellcheck disable=SC2086  # words
    of_both aoecfg $words -t 1 7 2 ini0
  done
  in_initiator aoe config aoe://ini0/e7.2 get | grep -qx two
  of_both aoecfg -c set -s three -t 1 7 2 ini0
  grep -qx '\*badcfg\*' "$OUT"
  [ "$STATUS" -eq 0 ]
  # The order in which many answer is that of the network.
  sorted() { sort -o "$WORK/$1.out" "$WORK/$1.out"; }
  of_both aoecfg -t 2 7 0xff ini0 || { sorted debian && sorted ours && cmp "$WORK/debian.out" "$WORK/ours.out"; }
  grep -qx $'7.2\ttwo' "$WORK/ours.out"
  grep -qx $'7.3\towner one' "$WORK/ours.out"
}

@test "the slips of aoecfg and aoeping are mended by --strict" {
  requires netns ours:aoe-targetd
  make_net --mtu 1500
  start_targetd -e 7.1=memory:10M,allow=any
  in_initiator "$OURS/aoecfg" -c set -s one -t 5 7 1 ini0
  run in_initiator "$OURS/aoecfg" --strict -c set -s two -t 5 7 1 ini0
  assert_status 1
  assert_contains "$output" '*badcfg*'
  run in_initiator "$OURS/aoecfg" --strict -t 1 7 9 ini0
  assert_status 3
  run in_initiator "$OURS/aoeping" --strict -s 1 7 9 ini0
  assert_status 3
  assert_contains "$output" "e7.9: no answer"
}

# Whether Debian's aoe-sancheck took a target on one link for one on another: it opens its sockets of
# all links at once, and until such a socket is bound it hears every link (ethopen() of
# aoe-sancheck.c).
debian_mixed_up_links() {
  local number other mac
  for ((number = 0; number < NET_LINKS; number++)); do
    for ((other = 0; other < NET_LINKS; other++)); do
      [ "$other" -ne "$number" ] || continue
      mac=$(in_target ip -br link show "tgt$other" | awk '{ gsub(":", "", $3); print $3 }')
      sed -n "/^ini$number:\$/,/^\$/p" "$WORK/debian.out" | grep -q " $mac " && return
    done
  done
  return 1
}

@test "aoe-sancheck reports our target and vblade in the same lines" {
  requires netns aoe-sancheck vblade ours:aoe-targetd
  for mtu in 1500 4000; do
    make_net --mtu "$mtu" --links 2
    start_targetd -e 7.1=memory:10M,allow=any
    start_vblade
    SIDE=(ip netns exec "$NS_INITIATOR")
    until of_both aoe-sancheck -v; do
      debian_mixed_up_links || fail "the reports differ"
    done
    grep -q '^e7.0' "$OUT"
    grep -q '^e7.1' "$OUT"
    stop_targetd
    cleanup
  done
}

@test "commands work against vblade, whose short frames Debian's do not see" {
  requires netns vblade ours:aoe
  make_net --mtu 1500
  start_vblade
  run in_initiator "$OURS/aoeping" -I -s 5 7 0 ini0
  assert_status 0
  assert_contains "$output" "model: Coraid EtherDrive vblade                "
  run in_initiator "$OURS/aoeping" -S return_status -s 5 7 0 ini0
  assert_status 1
  assert_contains "$output" "Error: e7.0 does not support SMART"
  run in_initiator "$OURS/aoecfg" -c set -s "by us" -t 5 7 0 ini0
  assert_status 0
  [ "$output" = "by us" ]
  run in_initiator "$OURS/aoecfg" -t 1 ini0
  [ "$output" = $'7.0\tby us' ]
}
