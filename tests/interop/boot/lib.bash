# Machines that boot over the network: `load boot/lib` in a .bats file of tests/interop.

# Checked by itself, as guest/lib.bash is.
# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../guest/lib.bash"

# For the tests:
# shellcheck disable=SC2034
BOOT_SOURCES=${BASH_SOURCE[0]%/*}

# start_dhcp ROOT_PATH: who boots is told to boot from there.
start_dhcp() {
  ip -n "$NS_TARGET" address add 10.71.0.1/24 dev tgt0 || return
  {
    printf 'start 10.71.0.10\nend 10.71.0.20\ninterface tgt0\nmax_leases 4\n'
    printf 'lease_file %s\npidfile %s\n' "$WORK/leases" "$WORK/udhcpd.pid"
    printf 'option subnet 255.255.255.0\noption rootpath %s\n' "$1"
  } >"$WORK/udhcpd.conf"
  : >"$WORK/leases"
  start_daemon udhcpd ip netns exec "$NS_TARGET" "$GUEST_FILES/busybox" udhcpd -f "$WORK/udhcpd.conf"
}

# boot_from_network CARD [MIB]: a machine without a disk; what it says goes to $WORK/serial.log.
boot_from_network() {
  bridge_tap 0 || return
  start_daemon qemu ip netns exec "$NS_INITIATOR" qemu-system-x86_64 -accel tcg -m "${2:-256}" -smp 1 \
    -machine pc,graphics=off -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt -nodefaults -no-user-config -display none \
    -serial "file:$WORK/serial.log" -boot n \
    -netdev tap,id=net0,ifname=tap0,script=no,downscript=no \
    -device "$1,netdev=net0,mac=52:54:00:aa:00:00,bootindex=1"
  # shellcheck disable=SC2034
  QEMU_PID=$DAEMON_PID
}

has_said() { tr -d '\r' <"$WORK/serial.log" 2>/dev/null | grep -aq "$1"; }
