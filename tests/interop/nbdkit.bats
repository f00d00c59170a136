#!/usr/bin/env bats
# The nbdkit plugin between NBD clients and targets: ours, and Debian's vblade.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load ../e2e/lib

PUBLIC=''

teardown() {
  lib_teardown
  [ -z "$PUBLIC" ] || rm -rf "$PUBLIC"
}

PLUGIN=${AOE_BIN%/bin}/lib/nbdkit-aoe-plugin.so
# A sanitised plugin needs its runtime before everything else.
preload() {
  case ${AOE_SANITIZE:-} in
    *address*) printf 'LD_PRELOAD=%s' "$(clang -print-file-name=libclang_rt.asan-x86_64.so)" ;;
    *) printf 'LC_ALL=C' ;;
  esac
}

# start_nbdkit ARGS..: serves on $SOCKET in the initiator's namespace, e7.1 on ini0 unless ARGS name
# the plugin themselves.
start_nbdkit() {
  SOCKET=$WORK/nbd.sock
  URI="nbd+unix:///?socket=$SOCKET"
  rm -f "$SOCKET" "$WORK/nbdkit.pid"
  start_daemon nbdkit ip netns exec "$NS_INITIATOR" env "$(preload)" \
    nbdkit -f -t 64 -U "$SOCKET" -P "$WORK/nbdkit.pid" "$@"
  NBDKIT_PID=$DAEMON_PID
  wait_for "$WAIT_SECONDS" test -s "$WORK/nbdkit.pid" -o ! -e "/proc/$NBDKIT_PID" &&
    kill -0 "$NBDKIT_PID"
}

stop_nbdkit() {
  end_process "$NBDKIT_PID"
  [ "$ENDED_STATUS" -eq 0 ] || fail "nbdkit ended with status $ENDED_STATUS"
}

# serve_image SIZE: $WORK/disk.img as e7.1, and nbdkit in front of it.
serve_image() {
  make_net
  truncate -s "$1" "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img,serial=SN-7,model=interop"
  start_nbdkit "$PLUGIN" aoe:e7.1 interface=ini0
}

@test "nbdinfo shows size, block sizes and what the export can do" {
  requires netns nbdkit nbdinfo jq ours:aoe-targetd "file:$PLUGIN"
  serve_image 64M
  run nbdinfo --json "$URI"
  assert_status 0
  info=$output
  expect() {
    local value
    value=$(jq -r ".exports[0].$1" <<<"$info")
    [ "$value" = "$2" ] || fail "$1 is $value, expected $2"
  }
  expect '"export-size"' 67108864
  expect description 'e7.1: interop, serial SN-7'
  expect is_read_only false
  expect can_flush true
  expect can_fua true
  expect can_multi_conn true
  expect can_trim true
  expect can_zero true
  expect can_fast_zero true
  expect block_size_minimum 512
  expect block_size_preferred 8192
  stop_nbdkit
}

@test "the preferred block follows what a frame carries" {
  requires netns nbdkit nbdinfo jq ours:aoe-targetd "file:$PLUGIN"
  # In memory: a file would have blocks of its file system, which are longer than these frames.
  make_net --mtu 1500
  start_targetd -e 7.1=memory:1M
  start_nbdkit "$PLUGIN" aoe:e7.1 interface=ini0
  preferred=$(nbdinfo --json "$URI" | jq '.exports[0].block_size_preferred')
  [ "$preferred" = 1024 ] || fail "it is $preferred"
}

@test "nbdcopy round trip over several connections" {
  requires netns nbdkit nbdcopy ours:aoe-targetd "file:$PLUGIN"
  serve_image 100M
  head -c 100M /dev/urandom >"$WORK/source.img"
  nbdcopy --flush --connections=4 "$WORK/source.img" "$URI"
  nbdcopy --connections=4 "$URI" "$WORK/copy.img"
  assert_same_bytes "$WORK/source.img" "$WORK/copy.img"
  stop_nbdkit
  stop_targetd
  assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
}

@test "qemu-img converts and compares, qemu-io writes, trims and zeroes" {
  requires netns nbdkit qemu-img qemu-io ours:aoe-targetd "file:$PLUGIN"
  serve_image 64M
  head -c 64M /dev/urandom >"$WORK/source.img"
  qemu-img convert -n -f raw -O raw "$WORK/source.img" "$URI"
  qemu-img compare -f raw -F raw "$WORK/source.img" "$URI"
  commands=()
  # Aligned, unaligned, through FUA, and over what was written before.
  for command in 'write -P 0x11 1M 1M' 'write -P 0x22 3000 5001' 'write -f -P 0x33 1500k 64k' \
    'write -z 2M 1M' 'write -z -u 3M 1M' 'write -z 4000001 3333' 'discard 8M 1M' flush \
    'read -P 0x22 3000 5001' 'read -P 0 2M 2M' 'read -P 0 4000001 3333' 'read -P 0x33 1500k 64k' \
    'read -P 0x11 1M 476k'; do
    commands+=(-c "$command")
  done
  run qemu-io -f raw "${commands[@]}" "$URI"
  assert_status 0
  assert_lacks "$output" "Pattern verification failed"
  assert_lacks "$output" "failed"
  # The same to a local file must give the same bytes, but for what was discarded.
  qemu-io -f raw "${commands[@]}" "$WORK/source.img" >/dev/null
  stop_nbdkit
  stop_targetd
  cmp -n 8M "$WORK/source.img" "$WORK/disk.img"
  cmp -i 9M "$WORK/source.img" "$WORK/disk.img"
}

@test "clients that keep to no block size are served" {
  requires netns nbdkit qemu-io ours:aoe-targetd "file:$PLUGIN"
  make_net
  head -c 1M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/model.img"
  start_targetd -e "7.1=$WORK/disk.img"
  # Without the constraints qemu sends bytes as they come.
  start_nbdkit --filter=blocksize-policy "$PLUGIN" aoe:e7.1 interface=ini0 blocksize-minimum=1 \
    blocksize-preferred=4096
  commands=()
  for ((i = 1; i <= 40; i++)); do
    commands+=(-c "write -P $i $((i * 20011)) $((i * 97))" -c "write -z $((i * 13007)) $((i * 5))")
  done
  qemu-io -f raw "${commands[@]}" "$URI" >/dev/null
  qemu-io -f raw "${commands[@]}" "$WORK/model.img" >/dev/null
  stop_nbdkit
  stop_targetd
  assert_same_bytes "$WORK/model.img" "$WORK/disk.img"
}

@test "fio's nbd engine verifies what many requests wrote and trimmed" {
  requires netns nbdkit fio ours:aoe-targetd "file:$PLUGIN"
  serve_image 64M
  fio --enghelp=nbd >/dev/null 2>&1 || skip "fio: built without the nbd engine"
  run_disk_jobs "uri=$URI" nbd 64M
  cd "$WORK"  # where it leaves its state
  # Again, by reading alone.
  fio --name=mixed --ioengine=nbd --uri="$URI" --rw=randread --bs=4k --size=64M --iodepth=64 \
    --output="$WORK/fio-read.log"
  stop_nbdkit
}

@test "filters: cow leaves the target alone, partition and stats see it as it is" {
  requires netns nbdkit nbdcopy nbdinfo qemu-io ours:aoe-targetd "file:$PLUGIN"
  make_net
  head -c 8M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  start_targetd -e "7.1=$WORK/disk.img"
  start_nbdkit --filter=cow "$PLUGIN" aoe:e7.1 interface=ini0
  qemu-io -f raw -c 'write -P 0x55 0 1M' -c 'read -P 0x55 0 1M' "$URI"
  stop_nbdkit
  assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
  start_nbdkit --filter=stats --filter=offset --filter=delay "$PLUGIN" aoe:e7.1 interface=ini0 \
    statsfile="$WORK/stats" offset=1M range=4M rdelay=1ms
  [ "$(nbdinfo --size "$URI")" = 4194304 ]
  nbdcopy "$URI" "$WORK/part.img"
  stop_nbdkit
  cmp -n 4M -i 1M:0 "$WORK/before.img" "$WORK/part.img"
  run cat "$WORK/stats"
  assert_contains "$output" "read:"
}

@test "a read-only server writes nothing" {
  requires netns nbdkit qemu-io nbdinfo ours:aoe-targetd "file:$PLUGIN"
  make_net
  start_targetd -e 7.1=memory:1M
  start_nbdkit -r "$PLUGIN" aoe:e7.1 interface=ini0
  nbdinfo --is read-only "$URI"
  run qemu-io -f raw -c 'write 0 512' "$URI"
  [ "$status" -ne 0 ]
}

@test "a new connection sees another size" {
  requires netns nbdkit nbdinfo ours:aoe ours:aoe-targetd "file:$PLUGIN"
  serve_image 1M
  [ "$(nbdinfo --size "$URI")" = 1048576 ]
  truncate -s 3M "$WORK/disk.img"
  aoe target resize e7.1 --control "$TARGETD_CONTROL"
  has_grown() { [ "$(nbdinfo --size "$URI")" = 3145728 ]; }
  wait_for "$WAIT_SECONDS" has_grown
}

@test "requests wait while the target is away" {
  requires netns nbdkit nbdcopy ours:aoe-targetd "file:$PLUGIN"
  serve_image 200M
  head -c 200M /dev/urandom >"$WORK/source.img"
  start_daemon nbdcopy nbdcopy --flush "$WORK/source.img" "$URI"
  copy=$DAEMON_PID
  has_begun() { [ "$(du -k "$WORK/disk.img" | cut -f1)" -gt 1024 ]; }
  wait_for "$WAIT_SECONDS" has_begun
  stop_targetd
  sleep 1
  start_targetd -e "7.1=$WORK/disk.img,serial=SN-7,model=interop"
  wait "$copy"
  stop_nbdkit
  stop_targetd
  assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
}

@test "a timeout is an I/O error with a text in the log" {
  requires netns nbdkit qemu-io ours:aoe-targetd "file:$PLUGIN"
  make_net
  start_targetd -e 7.1=memory:1M
  start_nbdkit "$PLUGIN" aoe:e7.1 interface=ini0 timeout=1.5
  qemu-io -f raw -c 'read 0 512' "$URI"
  stop_targetd
  run qemu-io -f raw -c 'read 0 512' "$URI"
  assert_contains "$output" "Input/output error"
  grep -q 'aoe_pread: e7.1: read at lba 0: no answer in 1.5 s' "$WORK/nbdkit.log"
}

@test "it goes into the background and gives up its privileges" {
  requires netns nbdkit nbdcopy ours:aoe-targetd "file:$PLUGIN"
  make_net
  head -c 4M /dev/urandom >"$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img"
  # It writes its pid file as nobody, who cannot get at our directory.
  PUBLIC=$(mktemp -d)
  chmod 777 "$PUBLIC"
  in_initiator env "$(preload)" nbdkit -u nobody -U "$WORK/nbd.sock" -P "$PUBLIC/nbdkit.pid" \
    "$PLUGIN" aoe:e7.1 interface=ini0
  wait_for "$WAIT_SECONDS" test -s "$PUBLIC/nbdkit.pid"
  pid=$(cat "$PUBLIC/nbdkit.pid")
  nbdcopy "nbd+unix:///?socket=$WORK/nbd.sock" "$WORK/copy.img"
  owner=$(stat -c %U "/proc/$pid")
  kill "$pid"
  wait_for "$WAIT_SECONDS" test ! -e "/proc/$pid"
  [ "$owner" = nobody ]
  assert_same_bytes "$WORK/disk.img" "$WORK/copy.img"
}

@test "bad parameters and missing devices end the start" {
  requires netns nbdkit ours:aoe-targetd "file:$PLUGIN"
  make_net
  start_targetd -e 7.1=memory:1M
  refused() {
    local text=$1
    shift
    run in_initiator env "$(preload)" nbdkit -U "$WORK/nbd.sock" "$PLUGIN" "$@" --run true
    [ "$status" -ne 0 ] || fail "no failure: $*"
    assert_contains "$output" "$text"
  }
  refused "no device is named" interface=ini0
  refused "unknown parameter 'colour'" aoe:e7.1 interface=ini0 colour=blue
  refused "no interface given" aoe:e7.1
  refused "nowhere0" aoe:e7.1 interface=nowhere0
  refused "'e7' is no device" aoe:e7 interface=ini0
  refused "interface name ''" aoe:e7.1 interface=ini0,
  refused "expected 1 or more" aoe:e7.1 interface=ini0 timeout=never
  refused "multiple of 512" aoe:e7.1 interface=ini0 payload=1000
  refused "e7.9: no target answers in 0.3 s" aoe:e7.9 interface=ini0 open-timeout=0.3
  # And with nothing wrong it runs the command.
  in_initiator env "$(preload)" nbdkit -U "$WORK/nbd.sock" "$PLUGIN" \
    'aoe://ini0/e7.1?timeout=30&payload=1024' --run true
}

@test "--dump-plugin tells versions and features" {
  requires nbdkit "file:$PLUGIN"
  run env "$(preload)" nbdkit "$PLUGIN" --dump-plugin
  assert_status 0
  assert_contains "$output" "name=aoe"
  assert_contains "$output" "thread_model=parallel"
  assert_contains "$output" "magic_config_key=uri"
  assert_contains "$output" "aoe_libaoe_version="
}

@test "vblade behind it: nbdcopy round trip, qemu-io, fio" {
  requires netns nbdkit nbdcopy qemu-io fio vblade "file:$PLUGIN"
  make_net --mtu 1500
  truncate -s 32M "$WORK/disk.img"
  head -c 32M /dev/urandom >"$WORK/source.img"
  start_daemon vblade ip netns exec "$NS_TARGET" vblade 7 1 tgt0 "$WORK/disk.img"
  start_nbdkit "$PLUGIN" aoe:e7.1 interface=ini0 open-timeout=20
  nbdcopy --flush "$WORK/source.img" "$URI"
  nbdcopy "$URI" "$WORK/copy.img"
  assert_same_bytes "$WORK/source.img" "$WORK/copy.img"
  assert_same_bytes "$WORK/source.img" "$WORK/disk.img"
  run qemu-io -f raw -c 'write -P 0x11 1M 1M' -c 'write -P 0x22 1000 3000' -c 'write -z 2M 1M' \
    -c flush -c 'read -P 0x22 1000 3000' -c 'read -P 0 2M 1M' "$URI"
  assert_status 0
  assert_lacks "$output" "failed"
  # vblade has no trim, and says so.
  run qemu-io -f raw -c 'read -P 0x11 1M 1M' "$URI"
  assert_lacks "$output" "failed"
  cd "$WORK"
  fio --name=vblade --ioengine=nbd --uri="$URI" --rw=randwrite --bs=4k --size=8M --iodepth=32 \
    --verify=crc32c --verify_fatal=1 --output="$WORK/fio.log"
  stop_nbdkit
}
