# A Linux guest with the kernel's own aoe driver on the test's network: `load guest/lib` in a .bats file
# of tests/interop.
#
# The guest is built by tests/interop/guest/build and runs in QEMU (software emulation) inside the
# initiator's namespace, its eth0 bridged to ini0, eth1 to ini1:
#
#     guest eth0 --- tap0 [br0] ini0 --- tgt0 aoe-targetd
#
# `guest SCRIPT` runs a script in it, as `run` would: output and status are the script's.

# Checked by itself; following it from here takes shellcheck 0.9 many minutes.
# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../../e2e/lossy_net.bash"

GUEST_SOURCES=${BASH_SOURCE[0]%/*}
# Only a failing test waits that long: for the boot, and for a script.
GUEST_SECONDS=${AOE_GUEST_WAIT:-240}

# GUEST_HAS_OURS=1 before boot_guest puts our programs into it, at /ours/bin; GUEST_PROGRAMS=(fio ..) more of
# this machine's. GUEST_HAS_NAMES=1: our aoetools, at /ours/names. GUEST_IS_WATCHED=1: disks that stand still are
# described, and set going again (see init).

# requires_guest: skips with the reason where a guest cannot be built or run. Sets GUEST_FILES.
requires_guest() {
  local status=0
  requires netns ours:aoe-targetd qemu-system-x86_64
  # The node is there without a driver behind it on some kernels, and in a namespace for nobody.
  { : <>/dev/net/tun; } 2>/dev/null || skip "/dev/net/tun: not here, or not for us"
  GUEST_FILES=$("$GUEST_SOURCES/build" 2>"$WORK/guest-build.log") || status=$?
  [ "$status" -ne 77 ] || skip "$(tail -n 1 "$WORK/guest-build.log")"
  [ "$status" -eq 0 ] || fail "$(cat "$WORK/guest-build.log")"
}

requires_long() { [ "${AOE_TEST_LONG:-}" = 1 ] || skip "long form only (AOE_TEST_LONG=1)"; }

# boot_guest [MIB]: after make_net or make_lossy_net (GUEST_QEMU has more arguments for QEMU). One NIC for
# each link. Returns once it takes scripts.
boot_guest() {
  local overlay=$WORK/overlay
  mkdir -p "$overlay"
  [ -z "${GUEST_HAS_OURS:-}" ] || add_our_programs "$overlay" || return
  [ -z "${GUEST_HAS_NAMES:-}" ] || add_our_names "$overlay" || return
  [ -z "${GUEST_IS_WATCHED:-}" ] || : >"$overlay/watch-disks"
  boot_machine guest "$NS_INITIATOR" ini "$overlay" "${1:-768}" ${GUEST_QEMU[@]+"${GUEST_QEMU[@]}"}
}

# boot_target_guest FILE..: a machine of its own for the target, on the other end of the cables, which can lose
# its power: aoe-targetd is in it, and the files are its disks /dev/vda, /dev/vdb ..
boot_target_guest() {
  local overlay=$WORK/target-overlay file disks=()
  mkdir -p "$overlay/ours/bin" "$overlay/ours/lib"
  strip -o "$overlay/ours/bin/aoe-targetd" "$AOE_BIN/aoe-targetd" || return
  add_libraries "$overlay" "$AOE_BIN/aoe-targetd" || return
  for file in "$@"; do
    disks+=(-drive "file=$file,format=raw,if=virtio,cache=writeback")
  done
  boot_machine target "$NS_TARGET" tgt "$overlay" 512 "${disks[@]}"
}

# boot_machine NAME NAMESPACE INTERFACES OVERLAY MIB [QEMU ARGS..]: the machine NAME, its eth0 bridged to
# INTERFACES0 of the namespace, and so on. Its console, its pid and what it answers are in $WORK/NAME*.
boot_machine() {
  local name=$1 namespace=$2 interfaces=$3 overlay=$4 mib=$5 number octet=aa arguments=()
  shift 5
  [ "$name" = guest ] || octet=bb
  cp "$GUEST_SOURCES/init" "$GUEST_SOURCES/helpers.sh" "$overlay/"
  chmod +x "$overlay/init"
  # The kernel unpacks one archive over the other.
  { cat "$GUEST_FILES/initramfs.cpio" &&
    (cd "$overlay" && find . -mindepth 1 | "$GUEST_FILES/busybox" cpio -o -H newc 2>/dev/null); } \
    >"$WORK/$name-initramfs" || return
  for ((number = 0; number < NET_LINKS; number++)); do
    bridge_tap "$namespace" "$interfaces" "$number" || return
    arguments+=(-netdev "tap,id=net$number,ifname=tap$number,script=no,downscript=no"
      -device "virtio-net-pci,netdev=net$number,mac=52:54:00:$octet:00:0$number,romfile=")
  done
  rm -f "$WORK/$name.in" "$WORK/$name.out" "$WORK/$name.number" "$WORK/$name-port.log"
  mkfifo "$WORK/$name.in" "$WORK/$name.out"
  start_daemon "qemu-$name" ip netns exec "$namespace" qemu-system-x86_64 -accel tcg -m "$mib" -smp 1 \
    -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt -nodefaults -no-user-config -display none -no-reboot \
    -kernel "$GUEST_FILES/vmlinuz" -initrd "$WORK/$name-initramfs" \
    -append "console=ttyS0 quiet loglevel=5 panic=-1 net.ifnames=0 tsc=unstable no_timer_check mitigations=off \
unknown_nmi_panic=1 panic_print=1" \
    -monitor "unix:$WORK/$name.monitor,server=on,wait=off" \
    -serial "file:$WORK/$name-console.log" \
    -device virtio-serial-pci -chardev "pipe,id=port,path=$WORK/$name" -device virtserialport,chardev=port \
    "${arguments[@]}" "$@"
  echo "$DAEMON_PID" >"$WORK/$name.pid"
  # QEMU holds both pipes open for both directions, so neither of these waits for ever.
  start_daemon "$name-port" cat "$WORK/$name.out"
  wait_for_machine "$name" '^ready '
}

# Our initiator's programs at /ours, nbdkit, and the libraries of both that the guest lacks.
add_our_programs() {
  local overlay=$1 lib=/usr/lib/x86_64-linux-gnu file
  mkdir -p "$overlay/ours/bin" "$overlay/ours/lib" "$overlay/usr/sbin" "$overlay$lib/nbdkit/filters"
  for file in aoe aoe-initiatord aoe-ublk; do
    strip -o "$overlay/ours/bin/$file" "$AOE_BIN/$file" || return
  done
  cp -L "$AOE_BIN/../lib/nbdkit-aoe-plugin.so" "$AOE_BIN/../lib/libaoe.so.0" "$overlay/ours/lib/" || return
  cp "$(command -v nbdkit)" "$overlay/usr/sbin/nbdkit" || return
  cp "$lib/nbdkit/filters/nbdkit-exitlast-filter.so" "$overlay$lib/nbdkit/filters/" || return
  local more=()
  for file in ${GUEST_PROGRAMS[@]+"${GUEST_PROGRAMS[@]}"}; do
    more+=("$(command -v "$file")")
    cp -L "${more[-1]}" "$overlay/ours/bin/" || return
  done
  add_libraries "$overlay" "$AOE_BIN/aoe" "$AOE_BIN/aoe-initiatord" "$AOE_BIN/aoe-ublk" "$(command -v nbdkit)" \
    "$AOE_BIN/../lib/libaoe.so.0" ${more[@]+"${more[@]}"}
}

# Our aoetools, by their names.
add_our_names() {
  local overlay=$1 program=$AOE_BIN/../libexec/aoekit/aoetools link
  mkdir -p "$overlay/ours/names"
  strip -o "$overlay/ours/names/aoetools" "$program" || return
  for link in "$AOE_BIN"/../compat/*; do
    [ "$(readlink -f "$link")" != "$(readlink -f "$program")" ] ||
      ln -s aoetools "$overlay/ours/names/${link##*/}" || return
  done
  add_libraries "$overlay" "$program"
}

# add_libraries OVERLAY PROGRAM..: what they need and the guest lacks.
add_libraries() {
  local overlay=$1 file
  shift
  "$GUEST_FILES/busybox" cpio -t <"$GUEST_FILES/initramfs.cpio" 2>/dev/null >"$WORK/guest-names"
  ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    while read -r file; do
      case $file in "$AOE_BIN"/*) continue ;; esac
      grep -Eq "/${file##*/}\$" "$WORK/guest-names" && continue
      mkdir -p "$overlay$(dirname "$file")"
      cp -L "$file" "$overlay$file"
    done
}

# bridge_tap NAMESPACE INTERFACES NUMBER: a tap device there, bridged to INTERFACESNUMBER.
bridge_tap() {
  local namespace=$1 cable=$2$3 number=$3 mtu
  # A machine that was switched off leaves its bridge.
  ! ip -n "$namespace" link show "br$number" >/dev/null 2>&1 || return 0
  mtu=$(ip netns exec "$namespace" cat "/sys/class/net/$cable/mtu")
  ip -n "$namespace" link add "br$number" mtu "$mtu" type bridge || return
  ip -n "$namespace" tuntap add "tap$number" mode tap || return
  ip -n "$namespace" link set "tap$number" mtu "$mtu" master "br$number" up || return
  ip -n "$namespace" link set "$cable" master "br$number" || return
  ip -n "$namespace" link set "br$number" mtu "$mtu" up
}

machine_said() { grep -aq "$2" "$WORK/$1-port.log"; }
# One that is gone says nothing more.
machine_said_or_gone() { machine_said "$1" "$2" || machine_has_ended "$1"; }
# One that is silent for a minute has a line that says so.
wait_for_machine() {
  local left=$GUEST_SECONDS
  until wait_for "$((left < 60 ? left : 60))" machine_said_or_gone "$1" "$2" >"$WORK/waited"; do
    left=$((left - 60))
    if [ "$left" -le 0 ]; then
      cat "$WORK/waited"
      why_is_silent "$1"
      return 1
    fi
    printf '# the machine %s was silent for a minute; waiting for: %s\n' "$1" "$2" >&3 || true
  done
  machine_said "$1" "$2" || fail "the machine '$1' has ended"
}

# ask_machine NAME COMMAND: of QEMU's monitor, with what it says.
ask_machine() {
  python3 - "$WORK/$1.monitor" "$2" <<'END'
import socket, sys, time
with socket.socket(socket.AF_UNIX) as monitor:
    monitor.settimeout(2)
    monitor.connect(sys.argv[1])
    monitor.sendall(sys.argv[2].encode() + b"\n")
    time.sleep(1)
    print(monitor.recv(65536).decode(errors="replace"))
END
}

# What the target has counted. All of it: rows that end with a zero say something, too.
target_counters() { [ -z "${TARGETD_CONTROL:-}" ] || aoe target stats --control "$TARGETD_CONTROL" || true; }

# why_is_silent NAME: what the target has counted, where the processor of the machine is and when its timer is
# due, and what all of its tasks do, which an interrupt that cannot be masked has its kernel write; it ends with
# that.
why_is_silent() {
  target_counters
  ask_machine "$1" "info registers" | grep -E '^(RIP|RSP)' || true
  ask_machine "$1" "info lapic" || true
  ps -o pid,stat,time,args -p "$(cat "$WORK/$1.pid")" || true
  ask_machine "$1" nmi >/dev/null || true
  wait_for 20 machine_has_ended "$1" || true
  grep -a '^standstill: ' "$WORK/$1-console.log" || true
  grep -a -A 12 -E 'NMI received|Kernel panic' "$WORK/$1-console.log" || true
  grep -a -A 14 -E 'task:(dd|aoe|sh|cmp|kworker/0:[0-9]*H)' "$WORK/$1-console.log" || true
}
machine_has_ended() { ! kill -0 "$(cat "$WORK/$1.pid")" 2>/dev/null; }

# in_machine NAME SCRIPT: runs it there under `sh -e`, after helpers.sh.
in_machine() {
  local name=$1 number
  number=$(($(cat "$WORK/$name.number" 2>/dev/null || echo 0) + 1))
  echo "$number" >"$WORK/$name.number"
  printf '%s %s\n' "$number" "$(printf '. /helpers.sh\n%s\n' "$2" | base64 -w 0)" >"$WORK/$name.in"
  wait_for_machine "$name" "^end $number " || return
  tell_standstills "$name"
  awk -v number="$number" '
    $0 == "end " number " " $3 && /^end / { exit $3 }
    inside { print substr($0, 2) }
    $0 == "begin " number { inside = 1 }' "$WORK/$name-port.log"
}
# Says once what its disks had to say when they stood still: that the test passed all the same is no secret.
tell_standstills() {
  local lines
  lines=$(grep -a '^standstill: ' "$WORK/$1-console.log") || return 0
  [ "$lines" != "$(cat "$WORK/$1-standstills" 2>/dev/null)" ] || return 0
  printf '%s\n' "$lines" >"$WORK/$1-standstills"
  { printf 'the machine %s:\n' "$1" && target_counters && printf '%s\n' "$lines"; } | sed 's/^/# /' >&3
}
guest() { in_machine guest "$1"; }
target_guest() { in_machine target "$1"; }

# end_machine NAME: switched off at once. What its kernel had in memory only is gone; what it had handed to its
# disks is in their files.
end_machine() { end_process "$(cat "$WORK/$1.pid")" KILL; }
