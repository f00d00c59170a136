# shellcheck shell=dash
# For the scripts that a test runs in the guest; sourced in front of each of them.

uptime_seconds() { cut -d . -f 1 /proc/uptime; }

# until_true SECONDS COMMAND..: polls.
until_true() {
  until_second=$(($(uptime_seconds) + $1))
  shift
  until "$@"; do
    if [ "$(uptime_seconds)" -ge "$until_second" ]; then
      echo "waited for: $*"
      return 1
    fi
    sleep 0.2
  done
}

state_of() { cat "/sys/block/etherd!$1/state" 2>/dev/null; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }
is_gone() { [ ! -e "/sys/block/etherd!$1" ]; }
sectors_of() { cat "/sys/block/etherd!$1/size"; }
has_sectors() { [ "$(sectors_of "$1")" = "$2" ]; }

# nic NUMBER MTU: eth0 or eth1 up.
nic() {
  ip link set "eth$1" mtu "$2"
  ip link set "eth$1" up
}

# find_devices DEVICE..: asks again and again, as the first question may be sent before the link carries
# anything.
discovered() {
  aoe-discover
  sleep 0.3
  is_state "$1" up
}
find_devices() {
  for device in "$@"; do
    until_true 60 discovered "$device"
  done
}

# make_pattern FILE MIB
make_pattern() { dd if=/dev/urandom of="$1" bs=1M count="$2" 2>/dev/null; }
write_all() { dd if="$1" of="$2" bs=1M oflag=direct conv=notrunc 2>/dev/null; }
# verify_all FILE DEVICE: every byte, once past the page cache.
verify_all() { dd if="$2" bs=1M iflag=direct 2>/dev/null | cmp - "$1"; }

# start NAME SCRIPT: in the background; finish NAME waits for it and has its output and status.
start() {
  rm -f "/run/$1.status"
  # The function is called from a script whose descriptors are the test's output.
  (sh -ec ". /helpers.sh; $2" >"/run/$1.log" 2>&1 && echo 0 >"/run/$1.status" ||
    echo 1 >"/run/$1.status") >/dev/null 2>&1 &
}
running() { [ ! -e "/run/$1.status" ]; }
has_ended() { [ -e "/run/$1.status" ]; }
finish() {
  until_true "${2:-120}" has_ended "$1"
  cat "/run/$1.log"
  return "$(cat "/run/$1.status")"
}

# fdisk_says "WORD.." DEVICE: what is typed at its prompts; - is a bare return. (The shell prefers the
# fdisk of busybox.)
fdisk_says() {
  for word in $1; do
    [ "$word" = - ] && echo || echo "$word"
  done | /sbin/fdisk --wipe always --wipe-partitions always "$2"
}

# fill DIRECTORY: files of many sizes and their checksums.
fill() {
  mkdir "$1/small"
  number=0
  while [ "$number" -lt 60 ]; do
    head -c $((number * 700 + 1)) /dev/urandom >"$1/small/$number"
    number=$((number + 1))
  done
  head -c 12000000 /dev/urandom >"$1/large"
  (cd "$1" && sha256sum large small/* >sums && sync)
}
check_filled() { (cd "$1" && sha256sum -c sums >/run/sums.log) || { grep -v OK /run/sums.log; return 1; }; }
drop_caches() { sync && echo 3 >/proc/sys/vm/drop_caches; }

# driver_complaints: what the driver and the block layer said that they should not have.
driver_complaints() {
  dmesg | grep -E 'aoe: .*(error|runt|unexpected|invalid|could not)|I/O error|Buffer I/O|BUG|Oops|Call Trace|hung' |
    grep -v 'unknown ioctl' || true
}

# has_written DEVICE SECTORS: since it was found.
has_written() { [ "$(awk '{ print $7 }' "/sys/block/etherd!$1/stat")" -ge "$2" ]; }
# write_and_verify FILE DEVICE TIMES: a load that ends.
write_and_verify() {
  times=$3
  while [ "$times" -gt 0 ]; do
    write_all "$1" "$2" && verify_all "$1" "$2" || return 1
    times=$((times - 1))
  done
}

# ---- our own initiator (GUEST_HAS_OURS=1) ----

start_initiator() {
  # A file of its own for each, so that the line of the last one is not taken for its.
  : >/run/initiatord.log
  aoe-initiatord -i eth0 "$@" >>/run/initiatord.log 2>&1 3<&- &
  echo $! >/run/initiatord.pid
  until_true 60 grep -q 'ready on' /run/initiatord.log
}
wait_up() { for device in "$@"; do aoe wait "$device" --timeout 60s; done; }
# pids_of PATTERN: of the processes whose command line has it.
pids_of() {
  for process in /proc/[0-9]*; do
    # It may be gone by now.
    if tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -q -- "$1"; then echo "${process#/proc/}"; fi
  done
}
has_no_process() { [ -z "$(pids_of "$1" 2>/dev/null)" ]; }
# kill_all PATTERN: with whatever they start meanwhile.
kill_all() {
  until has_no_process "$1"; do
    for process_id in $(pids_of "$1" 2>/dev/null); do kill -9 "$process_id" 2>/dev/null || true; done
  done
}
# nothing_left: no process and no device of an attachment.
nothing_left() {
  until_true 20 has_no_process 'nbdkit'
  until_true 20 has_no_process 'aoe-ublk'
  [ -z "$(ls -d /dev/ublkb* /sys/block/nbd*/pid 2>/dev/null)" ]
  [ -z "$(ls -d /run/aoekit-nbd.* 2>/dev/null)" ]
}
