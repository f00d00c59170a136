#!/usr/bin/env bats
# Our own initiator in a guest whose kernel has nbd or ublk: the long form (AOE_TEST_LONG=1).
# docs/INTEROP.md has the results.

# The scripts are the guest's to expand:
# shellcheck disable=SC2016
# Each test has a shell of its own, with the output of its own commands:
# shellcheck disable=SC2030,SC2031

load guest/lib

UBLK_KERNEL=${AOE_GUEST_KERNEL:-linux-image-6.12-cloud-amd64}

# boot_with_targets COUNT SIZE [ARGS..]: e7.1 .. e7.COUNT, and a guest with our programs, MTU 9000, the
# initiator daemon and the modules.
boot_with_targets() {
  local number exports=()
  # What boot_guest puts into the guest:
  # shellcheck disable=SC2034
  GUEST_HAS_OURS=1
  make_net
  for ((number = 1; number <= $1; number++)); do
    truncate -s "$2" "$WORK/disk$number.img"
    exports+=(-e "7.$number=$WORK/disk$number.img")
  done
  start_targetd "${exports[@]}"
  boot_guest 1536
  guest 'nic 0 9000; for m in af_packet fuse loop nbd ublk_drv raid10 dm-mod; do modprobe $m 2>/dev/null || true; done
    start_initiator'
}

same_pattern() {
  local sum
  sum=$(guest 'sha256sum </run/pattern')
  [ "${sum%% *}" = "$(sha256sum <"$1" | cut -d ' ' -f 1)" ] || fail "$1 differs from what the guest wrote"
}
no_complaints() {
  run guest 'driver_complaints'
  [ -z "$output" ] || fail "the kernel complains: $output"
}

# life_of_a_disk WAY: what people do with a disk, through it.
life_of_a_disk() {
  run guest "wait_up e7.1; device=\$(aoe attach e7.1 --via $1); echo \"device \$device\"
    readlink /dev/etherd/e7.1; aoe list
    blockdev --getsize64 \$device; blockdev --getss \$device
    make_pattern /run/pattern 64; write_and_verify /run/pattern \$device 1"
  assert_status 0
  assert_contains "$output" "device /dev/$1"
  assert_contains "$output" 67108864
  same_pattern "$WORK/disk1.img"
  run guest 'device=$(readlink /dev/etherd/e7.1); mkfs.ext4 -q -F $device; mount $device /mnt; fill /mnt
    if aoe detach e7.1; then echo "detached while mounted"; fi
    rm /mnt/small/3; sed -i "/small\/3$/d" /mnt/sums; fstrim /mnt; umount /mnt
    e2fsck -fn $device; drop_caches; mount $device /mnt; check_filled /mnt; umount /mnt
    aoe stats e7.1 || true; aoe detach e7.1
    [ ! -L /dev/etherd/e7.1 ]; nothing_left'
  assert_status 0
  assert_contains "$output" "in use: mounted at /mnt"
  assert_lacks "$output" "detached while mounted"
  e2fsck -fn "$WORK/disk1.img"
  no_complaints
}

# A daemon that is killed and started again goes on with the device.
daemon_is_replaced() {
  guest 'kill -9 "$(cat /run/initiatord.pid)"; sleep 1; verify_all /run/pattern "$(readlink /dev/etherd/e7.1)"
    start_initiator; wait_up e7.1'
  run guest 'aoe list; aoe show e7.1 -o json; if aoe attach e7.1; then echo "attached twice"; fi'
  assert_contains "$output" "attached as /dev/$1"
  assert_lacks "$output" "attached twice"
}

@test "nbd: attach, every byte, ext4, discard, detach, nothing left" {
  requires_long
  requires_guest
  boot_with_targets 1 64M
  life_of_a_disk nbd
}

@test "ublk: attach, every byte, ext4, discard, detach, nothing left" {
  requires_long
  AOE_GUEST_KERNEL=$UBLK_KERNEL requires_guest
  boot_with_targets 1 64M
  life_of_a_disk ublk
}

@test "nbd: the daemon and nbdkit are killed; a target that is gone leaves nothing" {
  requires_long
  requires_guest
  boot_with_targets 1 64M
  guest 'wait_up e7.1; aoe attach e7.1 --via nbd; make_pattern /run/pattern 64
    write_all /run/pattern /dev/etherd/e7.1'
  daemon_is_replaced nbd
  # Requests fail then, and what is left of it can be taken away.
  run guest 'kill_all nbdkit
    if dd if=/dev/etherd/e7.1 of=/dev/null bs=4k count=1 iflag=direct; then echo "read without a server"; fi
    aoe detach e7.1; nothing_left; aoe attach e7.1 --via nbd; verify_all /run/pattern /dev/etherd/e7.1
    device=$(readlink /dev/etherd/e7.1); aoe detach e7.1; nothing_left; echo "device $device"'
  assert_status 0
  assert_lacks "$output" "read without a server"
  # It died since it last answered.
  stop_targetd KILL
  run guest 'if aoe attach e7.1 --via nbd; then echo attached; fi; nothing_left'
  assert_status 0
  assert_contains "$output" "e7.1: attach: "
  assert_lacks "$output" "attached"
}

@test "ublk: the server is killed under load, then with its guard and the daemon: no request fails" {
  requires_long
  AOE_GUEST_KERNEL=$UBLK_KERNEL requires_guest
  boot_with_targets 1 64M
  guest 'wait_up e7.1; aoe attach e7.1 >/run/device; grep -q "^/dev/ublkb" /run/device; make_pattern /run/pattern 64
    start load "write_and_verify /run/pattern /dev/etherd/e7.1 4"
    has_written() { [ "$(awk "{ print \$7 }" "/sys/block/$(basename "$(cat /run/device)")/stat")" -ge "$1" ]; }
    until_true 60 has_written 20000
    server=$(pids_of --foreground); kill -9 "$server"; running load
    finish load 200; [ "$(pids_of --foreground)" != "$server" ]'
  same_pattern "$WORK/disk1.img"
  daemon_is_replaced ublk
  # Nobody is left to start another server but the next daemon.
  guest 'kill_all aoe-ublk; kill -9 "$(cat /run/initiatord.pid)"
    start load "verify_all /run/pattern /dev/etherd/e7.1"; sleep 2; running load
    start_initiator; finish load 200'
  # Neither another disk nor a smaller one takes its place.
  guest 'kill_all aoe-ublk'
  stop_targetd KILL
  truncate -s 32M "$WORK/disk1.img"
  start_targetd -e "7.1=$WORK/disk1.img"
  run guest 'if aoe-ublk --resume 0 aoe://eth0/e7.1; then echo "it went on"; fi
    if aoe-ublk --resume 7 aoe://eth0/e7.1; then echo "it went on"; fi
    if aoe-ublk aoe://eth0/e9.9; then echo served; fi; ls /dev/ublkb*'
  assert_status 0
  assert_contains "$output" "/dev/ublkb0: has 67108864 bytes, but e7.1 now only 33554432"
  assert_contains "$output" "e9.9: no target answers"
  assert_lacks "$output" "it went on"
  assert_lacks "$output" "served"
  assert_lacks "$output" "/dev/ublkb1"
  # Another disk of the same size, first by hand, then by a daemon that knows nothing of the one before.
  stop_targetd KILL
  truncate -s 64M "$WORK/other.img"
  start_targetd -e "7.1=$WORK/other.img,serial=ANOTHER"
  run guest 'if aoe-ublk --resume 0 aoe://eth0/e7.1; then echo "it went on"; fi
    kill -9 "$(cat /run/initiatord.pid)"; start_initiator; wait_up e7.1
    until_true 30 grep -q "e7.1 is another disk now" /run/initiatord.log; cat /run/initiatord.log'
  assert_status 0
  assert_contains "$output" 'is another disk now (model "'
  assert_contains "$output" 'serial "ANOTHER"): it is not resumed'
  assert_lacks "$output" "it went on"
  cmp -n 67108864 "$WORK/other.img" /dev/zero
  stop_targetd KILL
  truncate -s 64M "$WORK/disk1.img"
  start_targetd -e "7.1=$WORK/disk1.img"
  # The daemon took the other one for the disk, as nothing of it was in use there.
  guest 'aoe disable e7.1 --force; aoe enable e7.1; wait_up e7.1; dd if=/run/pattern bs=1M count=32 2>/dev/null >/run/half
    dd if=/dev/etherd/e7.1 bs=1M count=32 iflag=direct 2>/dev/null | cmp - /run/half
    aoe detach e7.1; nothing_left'
  no_complaints
}

# many_queues WAY: one for each of four processors, and what only a block device can be asked for.
many_queues() {
  requires blkdiscard
  # shellcheck disable=SC2034
  GUEST_PROGRAMS=(blkdiscard dd) GUEST_QEMU=(-smp 4)
  boot_with_targets 1 64M
  run guest "wait_up e7.1; device=\$(aoe attach e7.1 --via $1); echo \"queues \$(ls /sys/block/\${device#/dev/}/mq | wc -l)\"
    make_pattern /run/pattern 64; write_and_verify /run/pattern \$device 1"
  assert_status 0
  assert_contains "$output" "queues 4"
  same_pattern "$WORK/disk1.img"
  # stat_of FIELD: of the export.
  stat_of() { "$AOE_BIN/aoe" target stats e7.1 --control "$TARGETD_CONTROL" -o json | tr -d ' \n' | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
  local flushes trims
  flushes=$(stat_of flushes) trims=$(stat_of trims)
  guest 'device=$(readlink /dev/etherd/e7.1)
    /ours/bin/dd if=/run/pattern of=$device bs=64k count=8 oflag=direct,dsync conv=notrunc 2>/dev/null
    /ours/bin/blkdiscard -o 16M -l 16M $device; /ours/bin/blkdiscard -z -o 48M -l 8M $device; blockdev --flushbufs $device'
  [ "$(stat_of trims)" -gt "$trims" ]
  [ "$(stat_of flushes)" -gt "$flushes" ]
  cmp -n 16777216 -i 16777216:0 "$WORK/disk1.img" /dev/zero
  cmp -n 8388608 -i 50331648:0 "$WORK/disk1.img" /dev/zero
  # Its names are lost while no daemon runs: the next one finds it, and makes them again.
  run guest 'block=$(readlink /dev/etherd/e7.1); kill -9 "$(cat /run/initiatord.pid)"; rm /dev/etherd/e7.1
    start_initiator; wait_up e7.1; until_true 20 test -L /dev/etherd/e7.1
    [ "$(readlink /dev/etherd/e7.1)" = "$block" ]; aoe list; aoe detach e7.1; nothing_left'
  assert_status 0
  assert_contains "$output" "attached as /dev/$1"
  no_complaints
}

@test "nbd: four connections, write zeroes, durable writes, lost names" {
  requires_long
  requires_guest
  many_queues nbd
}

@test "ublk: four queues, write zeroes, durable writes, lost names" {
  requires_long
  AOE_GUEST_KERNEL=$UBLK_KERNEL requires_guest
  many_queues ublk
}

@test "loop: taken by itself where nbdkit has no plugin, and ext4 grows while it is mounted" {
  requires_long
  requires_guest
  requires resize2fs
  # shellcheck disable=SC2034
  GUEST_PROGRAMS=(resize2fs)
  boot_with_targets 1 64M
  run guest 'mv /ours/lib/nbdkit-aoe-plugin.so /run/; wait_up e7.1; aoe attach e7.1'
  assert_status 0
  assert_contains "$output" "/dev/loop"
  assert_contains "$output" "no nbd: nbdkit cannot load the plugin of this package: "
  guest 'device=$(readlink /dev/etherd/e7.1); mkfs.ext4 -q -F $device; mount $device /mnt; fill /mnt'
  truncate -s 128M "$WORK/disk1.img"
  "$AOE_BIN/aoe" target resize e7.1 --control "$TARGETD_CONTROL"
  run guest 'device=$(readlink /dev/etherd/e7.1); has_grown() { [ "$(blockdev --getsize64 $device)" -eq 134217728 ]; }
    until_true 60 has_grown; resize2fs $device; df -m /mnt; [ "$(df -m /mnt | awk "END { print \$2 }")" -gt 100 ]
    check_filled /mnt; umount /mnt; e2fsck -fn $device; aoe detach e7.1; nothing_left'
  assert_status 0
  assert_contains "$output" "on-line resizing"
  no_complaints
}

# hard_work WAY: what is verified block by block, and the tools that people use on disks.
hard_work() {
  requires fio wipefs sfdisk
  # shellcheck disable=SC2034
  GUEST_PROGRAMS=(fio wipefs sfdisk)
  boot_with_targets 1 400M
  run guest "wait_up e7.1; device=\$(aoe attach e7.1 --via $1); cd /run
    cat >/run/disk.fio <<'JOBS'
$(cat "$BATS_TEST_DIRNAME/../support/disk.fio")
JOBS
    WHERE=filename=\$device ENGINE=libaio SIZE=48M fio --output-format=terse --minimal /run/disk.fio >/dev/null
    echo fio is content
    printf 'label: gpt\nsize=640000\n' | sfdisk -q \$device; aoe revalidate e7.1; until_true 20 test -b /dev/etherd/e7.1p1
    mkfs.xfs -q -f -K /dev/etherd/e7.1p1; mount /dev/etherd/e7.1p1 /mnt; fill /mnt; umount /mnt
    xfs_repair -n /dev/etherd/e7.1p1; drop_caches; mount /dev/etherd/e7.1p1 /mnt; check_filled /mnt; umount /mnt
    wipefs \$device; wipefs -q -a \$device; [ -z \"\$(wipefs \$device)\" ]
    aoe detach e7.1; nothing_left"
  assert_status 0
  assert_contains "$output" "fio is content"
  assert_contains "$output" "gpt"
  no_complaints
}

@test "nbd: fio verifies, partitions, xfs, wipefs" {
  requires_long
  requires_guest
  hard_work nbd
}

@test "ublk: fio verifies, partitions, xfs, wipefs" {
  requires_long
  AOE_GUEST_KERNEL=$UBLK_KERNEL requires_guest
  hard_work ublk
}

# arrays WAY: md RAID 1, 5 and 10 over attached shelves; a member of the RAID 5 really goes away.
arrays() {
  boot_with_targets 4 24M
  guest "printf 'interfaces = [\"eth0\"]\n[[device]]\naddress = \"7.3\"\ntimeout = \"3s\"\n' >/run/i.toml
    kill \$(cat /run/initiatord.pid); sleep 1; start_initiator --config /run/i.toml
    wait_up e7.1 e7.2 e7.3 e7.4; for n in 1 2 3 4; do aoe attach e7.\$n --via $1; done"

  # HOWTO 4.1: RAID 5, stopped and assembled again; requests to e7.3 fail after 3 s.
  guest 'cd /dev/etherd; mdadm --create /dev/md0 --run --level=5 --raid-devices=3 --metadata=1.2 e7.1 e7.2 e7.3
    mdadm --wait /dev/md0 || true; mkfs.ext4 -q -F /dev/md0; mount /dev/md0 /mnt; fill /mnt; umount /mnt
    mdadm --stop /dev/md0; mdadm --assemble /dev/md0 e7.1 e7.2 e7.3; mount /dev/md0 /mnt; check_filled /mnt'
  "$AOE_BIN/aoe" target offline e7.3 --control "$TARGETD_CONTROL"
  guest 'drop_caches; head -c 6000000 /dev/urandom >/mnt/after; sha256sum </mnt/after >/run/after.sum; sync
    until_true 60 grep -q "\[UU_\]" /proc/mdstat; check_filled /mnt'
  "$AOE_BIN/aoe" target online e7.3 --control "$TARGETD_CONTROL"
  run guest 'wait_up e7.3; device=$(basename "$(readlink /dev/etherd/e7.3)")
    until_true 60 mdadm --manage /dev/md0 --remove "/dev/$device"
    until_true 60 dd if="/dev/$device" of=/dev/null bs=4k count=1 iflag=direct
    mdadm --manage /dev/md0 --add "/dev/$device"; until_true 120 grep -q "\[UUU\]" /proc/mdstat
    mdadm --wait /dev/md0 || true
    echo check >/sys/block/md0/md/sync_action; mdadm --wait /dev/md0 || true
    echo "mismatches $(cat /sys/block/md0/md/mismatch_cnt)"; umount /mnt; e2fsck -fn /dev/md0
    mdadm --manage /dev/md0 --fail "$(readlink /dev/etherd/e7.1)"; drop_caches; mount /dev/md0 /mnt; check_filled /mnt
    sha256sum </mnt/after | cmp - /run/after.sum; umount /mnt; mdadm --stop /dev/md0'
  assert_status 0
  assert_contains "$output" "mismatches 0"

  # RAID 1, a member failed and added, as in 5.5; RAID 10, as in 7.2.
  run guest 'cd /dev/etherd; mdadm --zero-superblock e7.1 e7.2 e7.3
    mdadm --create /dev/md1 --run --level=1 --raid-devices=2 --metadata=1.2 --bitmap=internal e7.1 e7.2
    mdadm --wait /dev/md1 || true; mkfs.ext4 -q -F /dev/md1; mount /dev/md1 /mnt; fill /mnt
    member=$(readlink /dev/etherd/e7.2); mdadm --fail /dev/md1 "$member"; echo more >/mnt/more; sync
    until_true 30 mdadm --remove /dev/md1 "$member"; mdadm --add /dev/md1 "$member"
    until_true 120 grep -q "\[UU\]" /proc/mdstat; umount /mnt; mdadm --fail /dev/md1 "$(readlink /dev/etherd/e7.1)"
    drop_caches; mount /dev/md1 /mnt; check_filled /mnt; cat /mnt/more; umount /mnt; mdadm --stop /dev/md1
    mdadm --zero-superblock e7.1 e7.2
    mdadm --create /dev/md2 --run --level=10 --raid-devices=4 --metadata=1.2 e7.1 e7.2 e7.3 e7.4
    mdadm --wait /dev/md2 || true; mkfs.ext4 -q -F /dev/md2; mount /dev/md2 /mnt; fill /mnt; umount /mnt
    mdadm --fail /dev/md2 "$(readlink /dev/etherd/e7.2)"; mdadm --fail /dev/md2 "$(readlink /dev/etherd/e7.3)"
    drop_caches; mount /dev/md2 /mnt; check_filled /mnt; umount /mnt; e2fsck -fn /dev/md2
    mdadm --stop /dev/md2; mdadm --zero-superblock e7.1 e7.2 e7.3 e7.4'
  assert_status 0
  guest 'for n in 1 2 3 4; do aoe detach e7.$n; done; nothing_left'
}

# HOWTO 5.6: LVM over an array and a shelf, grown while mounted.
volumes() {
  boot_with_targets 3 24M
  guest "wait_up e7.1 e7.2 e7.3
    for n in 1 2 3; do aoe attach e7.\$n --via $1; done
    mkdir -p /etc/lvm; printf 'activation { udev_sync = 0 udev_rules = 0 }\n' >/etc/lvm/lvm.conf"
  run guest 'cd /dev/etherd; mdadm --create /dev/md3 --run --level=1 --raid-devices=2 --metadata=1.2 e7.1 e7.2
    mdadm --wait /dev/md3 || true; pvcreate -y /dev/md3 "$(readlink e7.3)"; vgcreate shelves /dev/md3
    lvcreate -y -Zn -Wn -l 100%FREE -n files shelves; vgmknodes; mkfs.ext4 -q -F /dev/shelves/files
    mount /dev/shelves/files /mnt; head -c 9000000 /dev/urandom >/mnt/one; sha256sum </mnt/one >/run/one.sum
    vgextend shelves "$(readlink e7.3)"; lvextend -l +100%FREE /dev/shelves/files; resize2fs /dev/shelves/files
    head -c 15000000 /dev/urandom >/mnt/two; sha256sum </mnt/two >/run/two.sum; sync
    if aoe detach e7.3; then echo "detached under LVM"; fi
    umount /mnt; vgchange -an shelves; vgchange -ay shelves; vgmknodes; e2fsck -fn /dev/shelves/files
    drop_caches; mount /dev/shelves/files /mnt; sha256sum </mnt/one | cmp - /run/one.sum
    sha256sum </mnt/two | cmp - /run/two.sum; umount /mnt; vgchange -an shelves; mdadm --stop /dev/md3
    for n in 1 2 3; do aoe detach e7.$n; done; nothing_left'
  assert_status 0
  assert_contains "$output" "e7.3: detach: "
  assert_lacks "$output" "detached under LVM"
}

@test "ublk: RAID 5 with a member that goes away, RAID 1, RAID 10" {
  requires_long
  AOE_GUEST_KERNEL=$UBLK_KERNEL requires_guest
  arrays ublk
}

@test "nbd: RAID 5 with a member that goes away, RAID 1, RAID 10" {
  requires_long
  requires_guest
  arrays nbd
}

@test "ublk: LVM over an array and a shelf, grown while mounted" {
  requires_long
  AOE_GUEST_KERNEL=$UBLK_KERNEL requires_guest
  volumes ublk
}

@test "nbd: LVM over an array and a shelf, grown while mounted" {
  requires_long
  requires_guest
  volumes nbd
}

@test "a QEMU guest's own disk over the nbdkit plugin, with a target that restarts" {
  requires_long
  requires_guest
  requires nbdkit
  make_net
  truncate -s 64M "$WORK/disk1.img"
  start_targetd -e "7.1=$WORK/disk1.img"
  start_daemon nbdkit ip netns exec "$NS_INITIATOR" nbdkit -f -t 64 -U "$WORK/nbd.sock" -P "$WORK/nbdkit.pid" \
    "$AOE_BIN/../lib/nbdkit-aoe-plugin.so" uri=aoe:e7.1 interface=ini0
  wait_for "$WAIT_SECONDS" test -s "$WORK/nbdkit.pid"
  # shellcheck disable=SC2034
  GUEST_QEMU=(-blockdev "driver=nbd,node-name=disk,server.type=unix,server.path=$WORK/nbd.sock,discard=unmap"
    -device "virtio-blk-pci,drive=disk,serial=aoe-e7.1")
  # It has no network of its own.
  NET_LINKS=0 boot_guest
  guest 'modprobe virtio_blk; until_true 20 test -b /dev/vda; echo "serial $(cat /sys/block/vda/serial)"
    make_pattern /run/pattern 64; start load "write_and_verify /run/pattern /dev/vda 3"
    has_written() { [ "$(awk "{ print \$7 }" /sys/block/vda/stat)" -ge "$1" ]; }; until_true 60 has_written 20000'
  stop_targetd KILL
  guest 'sleep 2; running load'
  start_targetd -e "7.1=$WORK/disk1.img"
  guest 'finish load 200'
  same_pattern "$WORK/disk1.img"
  guest 'mkfs.ext4 -q -F /dev/vda; mount /dev/vda /mnt; fill /mnt; fstrim /mnt; umount /mnt; e2fsck -fn /dev/vda
    drop_caches; mount /dev/vda /mnt; check_filled /mnt; umount /mnt'
  e2fsck -fn "$WORK/disk1.img"
  no_complaints
}
