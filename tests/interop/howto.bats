#!/usr/bin/env bats
# The EtherDrive HOWTO, run: what its sections tell a user to type, in a guest with Linux's own aoe driver, with
# aoe-targetd in place of the appliance. docs/HOWTO.md goes through the sections. The long form
# (AOE_TEST_LONG=1).

# The scripts are the guest's to expand:
# shellcheck disable=SC2016

load guest/lib

# serve ADDRESS:SIZE..: an export for each, in a file of its own.
serve() {
  local each exports=()
  for each in "$@"; do
    truncate -s "${each#*:}" "$WORK/${each%:*}.img"
    exports+=(-e "${each%:*}=$WORK/${each%:*}.img,allow=any")
  done
  start_targetd "${exports[@]}"
}

has_line() { grep -Eq "$1" <<<"$output" || fail "no line like: $1" "in: $output"; }

@test "2: nodes by shelf and slot, a file system without partitions, and with them" {
  requires_long
  requires_guest
  make_net
  serve 0.1:32M 0.3:32M
  # The partition table that fdisk would write, from outside.
  printf 'label: dos\nsize=16MiB\n' | sed 's/16MiB/32768/' | sfdisk -q "$WORK/0.3.img"
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e0.1 e0.3
    dd if=/dev/etherd/e0.1 bs=1024 count=4 2>/dev/null | hexdump -C
    mkfs.ext3 -q -F /dev/etherd/e0.1; mount /dev/etherd/e0.1 /mnt; fill /mnt; umount /mnt; e2fsck -fn /dev/etherd/e0.1
    ls -1 /dev/etherd; mkfs.ext4 -q -F /dev/etherd/e0.3p1; mount /dev/etherd/e0.3p1 /mnt; fill /mnt
    check_filled /mnt; umount /mnt'
  assert_status 0
  has_line '^00001000$'
  has_line '^e0\.3p1$'
}

@test "3.1: some interfaces only, when the driver is loaded and later" {
  requires_long
  requires_guest
  make_net --links 2
  serve 7.1:16M
  boot_guest
  run guest 'nic 0 1500; nic 1 1500; modprobe aoe "aoe_iflist=eth1"; find_devices e7.1
    echo "netif $(cat /sys/block/etherd!e7.1/netif)"; aoe-interfaces eth0 eth1; cat /sys/module/aoe/parameters/aoe_iflist
    both() { aoe-discover; sleep 0.3; [ "$(cat /sys/block/etherd!e7.1/netif | tr , "\n" | sort | tr "\n" " ")" = "eth0 eth1 " ]; }
    until_true 60 both; aoe-stat'
  assert_status 0
  has_line '^netif eth1$'
}

@test "4.1: RAID 5 over five shelves: made, stopped, assembled, a spare takes over a lost member" {
  requires_long
  requires_guest
  make_net
  serve 0.0:64M 1.0:64M 2.0:64M 3.0:64M 4.0:64M 5.0:64M
  boot_guest 1024
  run guest 'nic 0 1500; modprobe aoe; find_devices e0.0 e1.0 e2.0 e3.0 e4.0 e5.0
    mdadm -C -n 5 --level=raid5 --run /dev/md0 /dev/etherd/e[0-4].0
    mdadm --examine /dev/etherd/e0.0 | head -n 3; cat /proc/mdstat; mdadm --wait /dev/md0 || true
    mdadm -S /dev/md0; mdadm -A /dev/md0 /dev/etherd/e[0-4].0
    mkfs.ext4 -q /dev/md0; mount /dev/md0 /mnt; fill /mnt
    mdadm --add /dev/md0 /dev/etherd/e5.0'
  assert_status 0
  has_line 'Magic : a92b4efc'
  has_line 'md0 : active .*raid5 etherd/e4\.0.* etherd/e0\.0'
  run guest 'mdadm --fail /dev/md0 /dev/etherd/e2.0; until_true 120 grep -q "\[UUUUU\]" /proc/mdstat
    cat /proc/mdstat; drop_caches; check_filled /mnt; umount /mnt; e2fsck -fn /dev/md0
    echo check >/sys/block/md0/md/sync_action; mdadm --wait /dev/md0 || true
    echo "mismatches $(cat /sys/block/md0/md/mismatch_cnt)"; mdadm -S /dev/md0'
  assert_status 0
  has_line 'etherd/e2\.0\[2\]\(F\)'
  has_line '^mismatches 0$'
}

@test "5.5: a failed member of a RAID 1 is removed, added, and caught up" {
  requires_long
  requires_guest
  make_net
  serve 10.0:32M 10.1:32M
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e10.0 e10.1
    mdadm -C -n 2 --level=raid1 --run /dev/md0 /dev/etherd/e10.0 /dev/etherd/e10.1; mdadm --wait /dev/md0 || true
    make_pattern /run/pattern 24; write_all /run/pattern /dev/md0
    mdadm --fail /dev/md0 /dev/etherd/e10.0; cat /proc/mdstat
    until_true 30 mdadm --remove /dev/md0 /dev/etherd/e10.0
    mdadm --add /dev/md0 /dev/etherd/e10.0; until_true 120 grep -q "\[UU\]" /proc/mdstat
    mdadm --fail /dev/md0 /dev/etherd/e10.1; drop_caches
    dd if=/dev/md0 bs=1M count=24 iflag=direct 2>/dev/null | cmp - /run/pattern; mdadm -S /dev/md0'
  assert_status 0
  has_line 'etherd/e10\.0\[0\]\(F\)'
  has_line '\[2/1\] \[_U\]'
}

@test "5.6: LVM on AoE disks" {
  requires_long
  requires_guest
  make_net
  serve 7.1:64M 7.2:64M
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; modprobe dm-mod; find_devices e7.1 e7.2
    lvm pvcreate -y /dev/etherd/e7.1 /dev/etherd/e7.2; lvm vgcreate shelf /dev/etherd/e7.1 /dev/etherd/e7.2
    lvm lvcreate -y -Wn -Zn -l 100%FREE -n disk shelf; lvm vgmknodes; lvm pvs; lvm lvs
    mkfs.ext4 -q -F /dev/shelf/disk; mount /dev/shelf/disk /mnt; fill /mnt; umount /mnt
    lvm vgchange -an shelf; lvm vgchange -ay shelf; lvm vgmknodes; mount /dev/shelf/disk /mnt; check_filled /mnt
    umount /mnt; lvm vgchange -an shelf'
  assert_status 0
  has_line '/dev/etherd/e7\.2 +shelf'
}

@test "5.16, 5.23: a disk beyond 2 TB, and one with an odd number of sectors" {
  requires_long
  requires_guest
  make_net
  serve 7.1:3T 7.2:33554944
  boot_guest
  run guest 'nic 0 9000; modprobe aoe; find_devices e7.1 e7.2
    echo "large $(sectors_of e7.1) odd $(sectors_of e7.2)"
    make_pattern /run/pattern 4; dd if=/run/pattern of=/dev/etherd/e7.1 bs=1M seek=3145724 oflag=direct 2>/dev/null
    dd if=/dev/etherd/e7.1 bs=1M skip=3145724 iflag=direct 2>/dev/null | cmp - /run/pattern
    head -c 33554944 /dev/urandom >/run/odd; dd if=/run/odd of=/dev/etherd/e7.2 bs=512 2>/dev/null; sync; drop_caches
    cmp /run/odd /dev/etherd/e7.2; sha256sum </run/odd'
  assert_status 0
  has_line '^large 6442450944 odd 65537$'
  [ "$(tail -n 1 <<<"$output" | cut -d ' ' -f 1)" = "$(sha256sum <"$WORK/7.2.img" | cut -d ' ' -f 1)" ] || fail "the file differs"
}

@test "5.14: the order at shutdown: umount, array, driver, and everything is there at the next start" {
  requires_long
  requires_guest
  make_net
  serve 7.1:32M 7.2:32M
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e7.1 e7.2
    mdadm -C -n 2 --level=raid1 --run /dev/md0 /dev/etherd/e7.1 /dev/etherd/e7.2; mdadm --wait /dev/md0 || true
    mkfs.ext4 -q -F /dev/md0; mount /dev/md0 /mnt; fill /mnt
    umount /mnt; mdadm -S /dev/md0; aoe-flush -a; rmmod aoe; ip link set eth0 down
    nic 0 1500; modprobe aoe; find_devices e7.1 e7.2; mdadm -A /dev/md0 /dev/etherd/e7.1 /dev/etherd/e7.2
    mount /dev/md0 /mnt; check_filled /mnt; umount /mnt; mdadm -S /dev/md0'
  assert_status 0
}

@test "5.30: SMART, which the driver cannot ask for and aoeping can" {
  requires_long
  requires_guest
  make_net
  serve 7.1:16M
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e7.1; aoeping -S return_status 7 1 eth0'
  assert_status 0
  has_line 'LBA Mid: 0x4f'
}

@test "6.1: jumbo frames switched on while the disk is in use, and the line in the log" {
  requires_long
  requires_guest
  make_net
  serve 7.1:32M
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e7.1; make_pattern /run/pattern 32
    write_and_verify /run/pattern /dev/etherd/e7.1 1; ip link set eth0 mtu 4200; aoe-discover
    grown() { aoe-revalidate e7.1; sleep 0.5; [ "$(cat /sys/block/etherd!e7.1/payload)" = 4096 ]; }
    until_true 30 grown; write_and_verify /run/pattern /dev/etherd/e7.1 1; dmesg | grep "byte data frames"'
  assert_status 0
  has_line 'aoe: e7\.1: setting 1024 byte data frames'
  has_line 'aoe: e7\.1: setting 4096 byte data frames'
}
