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
# this machine's. GUEST_HAS_NAMES=1: our aoetools, at /ours/names.

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

# boot_guest [MIB]: (GUEST_QEMU has more arguments for QEMU) after make_net or make_lossy_net; one NIC for each link. Returns once it takes
# scripts.
boot_guest() {
  local number arguments=() overlay=$WORK/overlay
  mkdir -p "$overlay"
  cp "$GUEST_SOURCES/init" "$GUEST_SOURCES/helpers.sh" "$overlay/"
  chmod +x "$overlay/init"
  # The kernel unpacks one archive over the other.
  [ -z "${GUEST_HAS_OURS:-}" ] || add_our_programs "$overlay" || return
  [ -z "${GUEST_HAS_NAMES:-}" ] || add_our_names "$overlay" || return
  { cat "$GUEST_FILES/initramfs.cpio" &&
    (cd "$overlay" && find . -mindepth 1 | "$GUEST_FILES/busybox" cpio -o -H newc 2>/dev/null); } \
    >"$WORK/initramfs" || return
  for ((number = 0; number < NET_LINKS; number++)); do
    bridge_tap "$number" || return
    arguments+=(-netdev "tap,id=net$number,ifname=tap$number,script=no,downscript=no"
      -device "virtio-net-pci,netdev=net$number,mac=52:54:00:aa:00:0$number,romfile=")
  done
  mkfifo "$WORK/guest.in" "$WORK/guest.out"
  start_daemon qemu ip netns exec "$NS_INITIATOR" qemu-system-x86_64 -accel tcg -m "${1:-768}" -smp 1 \
    -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt -nodefaults -no-user-config -display none -no-reboot \
    -kernel "$GUEST_FILES/vmlinuz" -initrd "$WORK/initramfs" \
    -append "console=ttyS0 quiet loglevel=5 panic=-1 net.ifnames=0 tsc=unstable no_timer_check mitigations=off" \
    -serial "file:$WORK/guest-console.log" \
    -device virtio-serial-pci -chardev "pipe,id=port,path=$WORK/guest" -device virtserialport,chardev=port \
    "${arguments[@]}" ${GUEST_QEMU[@]+"${GUEST_QEMU[@]}"}
  QEMU_PID=$DAEMON_PID
  # QEMU holds both pipes open for both directions, so neither of these waits for ever.
  start_daemon guest-port cat "$WORK/guest.out"
  wait_for_guest '^ready '
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

bridge_tap() {
  local number=$1 mtu
  mtu=$(in_initiator cat "/sys/class/net/ini$number/mtu")
  ip -n "$NS_INITIATOR" link add "br$number" mtu "$mtu" type bridge || return
  ip -n "$NS_INITIATOR" tuntap add "tap$number" mode tap || return
  ip -n "$NS_INITIATOR" link set "tap$number" mtu "$mtu" master "br$number" up || return
  ip -n "$NS_INITIATOR" link set "ini$number" master "br$number" || return
  ip -n "$NS_INITIATOR" link set "br$number" mtu "$mtu" up
}

guest_said() { grep -aq "$1" "$WORK/guest-port.log"; }
# A guest that is gone says nothing more.
guest_said_or_gone() { guest_said "$1" || ! kill -0 "$QEMU_PID" 2>/dev/null; }
wait_for_guest() {
  wait_for "$GUEST_SECONDS" guest_said_or_gone "$1" || return
  guest_said "$1" || fail "the guest has ended"
}

# guest SCRIPT: runs it under `sh -e`, after helpers.sh.
guest() {
  local number
  number=$(($(cat "$WORK/guest.number" 2>/dev/null || echo 0) + 1))
  echo "$number" >"$WORK/guest.number"
  printf '%s %s\n' "$number" "$(printf '. /helpers.sh\n%s\n' "$1" | base64 -w 0)" >"$WORK/guest.in"
  wait_for_guest "^end $number " || return
  awk -v number="$number" '
    $0 == "end " number " " $3 && /^end / { exit $3 }
    inside { print substr($0, 2) }
    $0 == "begin " number { inside = 1 }' "$WORK/guest-port.log"
}

# end_guest: the machine is switched off at once.
end_guest() { end_process "$QEMU_PID" KILL; }
