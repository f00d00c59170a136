# Machines that boot over the network: `load boot/lib` in a .bats file of tests/interop.

# Checked by itself, as guest/lib.bash is.
# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../guest/lib.bash"

# For the tests:
# shellcheck disable=SC2034
BOOT_SOURCES=${BASH_SOURCE[0]%/*}

# start_dhcp ROOT_PATH: who boots is told to boot from there.
start_dhcp() { start_dhcp_with "option rootpath $1"; }

# start_dhcp_script LINE..: who boots is told to fetch an iPXE script of these lines, by TFTP.
start_dhcp_script() {
  mkdir -p "$WORK/tftp"
  { echo '#!ipxe' && printf '%s\n' "$@"; } >"$WORK/tftp/script.ipxe"
  start_dhcp_with 'siaddr 10.71.0.1' 'boot_file script.ipxe' || return
  start_daemon tftpd ip netns exec "$NS_TARGET" python3 "$BOOT_SOURCES/tftpd.py" 10.71.0.1 "$WORK/tftp"
}

# start_dhcp_with LINE..: of udhcpd's configuration.
start_dhcp_with() {
  ip -n "$NS_TARGET" address add 10.71.0.1/24 dev tgt0 || return
  {
    printf 'start 10.71.0.10\nend 10.71.0.20\ninterface tgt0\nmax_leases 4\n'
    printf 'lease_file %s\npidfile %s\n' "$WORK/leases" "$WORK/udhcpd.pid"
    printf '%s\n' 'option subnet 255.255.255.0' "$@"
  } >"$WORK/udhcpd.conf"
  : >"$WORK/leases"
  start_daemon udhcpd ip netns exec "$NS_TARGET" "$GUEST_FILES/busybox" udhcpd -f "$WORK/udhcpd.conf"
}

# boot_from_network CARD [MIB]: a machine without a disk; what it says goes to $WORK/serial.log.
boot_from_network() {
  bridge_tap "$NS_INITIATOR" ini 0 || return
  start_daemon qemu ip netns exec "$NS_INITIATOR" qemu-system-x86_64 -accel tcg -m "${2:-256}" -smp 1 \
    -machine pc,graphics=off -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt -nodefaults -no-user-config -display none \
    -serial "file:$WORK/serial.log" -boot n -monitor "unix:$WORK/monitor.sock,server=on,wait=off" \
    -netdev tap,id=net0,ifname=tap0,script=no,downscript=no \
    -device "$1,netdev=net0,mac=52:54:00:aa:00:00,bootindex=1"
}

# plug on|off: the machine's network cable.
plug() {
  python3 - "$WORK/monitor.sock" "set_link net0 $1" <<'PYTHON'
import socket
import sys
monitor = socket.socket(socket.AF_UNIX)
monitor.connect(sys.argv[1])
monitor.sendall(sys.argv[2].encode() + b"\n")
heard = b""
while heard.count(b"(qemu)") < 2:
    heard += monitor.recv(4096)
PYTHON
}

has_said() { tr -d '\r' <"$WORK/serial.log" 2>/dev/null | grep -aq "$1"; }
