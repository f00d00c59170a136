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
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e0.1 e0.3
    dd if=/dev/etherd/e0.1 bs=1024 count=4 2>/dev/null | hexdump -C
    mkfs.ext3 -q -F /dev/etherd/e0.1; mount /dev/etherd/e0.1 /mnt; fill /mnt; umount /mnt; e2fsck -fn /dev/etherd/e0.1
    fdisk_says "n p 1 - +16M w" /dev/etherd/e0.3; until_true 10 test -b /dev/etherd/e0.3p1
    ls -1 /dev/etherd; mkfs.ext4 -q -F /dev/etherd/e0.3p1; mount /dev/etherd/e0.3p1 /mnt; fill /mnt
    check_filled /mnt; umount /mnt'
  assert_status 0
  has_line '^00001000$'
  has_line '^e0\.3p1$'
  # 5.22: kernels of today say nothing about a disk without partitions.
  run guest 'dmesg | grep -i "partition table"'
  [ -z "$output" ] || fail "$output"
}

@test "2: static nodes, with the scripts of aoetools (aoe_dyndevs=0)" {
  requires_long
  requires_guest
  make_net
  serve 7.1:16M
  boot_guest
  run guest 'nic 0 1500; modprobe aoe aoe_dyndevs=0; find_devices e7.1
    mkdir /run/etherd; env n_shelves=1 aoe-mkdevs /run/etherd; aoe-mkshelf /run/etherd 7
    ls /run/etherd | wc -l
    stat -c "%n %t:%T" /dev/etherd/e7.1; stat -c "%n %t:%T" /run/etherd/e7.1
    make_pattern /run/pattern 16; write_all /run/pattern /run/etherd/e7.1; verify_all /run/pattern /dev/etherd/e7.1
    [ "$(stat -c %t:%T /dev/etherd/e7.1)" = "$(stat -c %t:%T /run/etherd/e7.1)" ]
    echo 1 >/run/etherd/discover'
  assert_status 0
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
  # xfs needs 300 MiB.
  serve 0.0:96M 1.0:96M 2.0:96M 3.0:96M 4.0:96M 5.0:96M
  boot_guest 1024
  run guest 'nic 0 1500; modprobe aoe; find_devices e0.0 e1.0 e2.0 e3.0 e4.0 e5.0
    mdadm -C -n 5 --level=raid5 --run /dev/md0 /dev/etherd/e[0-4].0
    mdadm --examine /dev/etherd/e0.0 | head -n 3; cat /proc/mdstat; mdadm --wait /dev/md0 || true
    mdadm -S /dev/md0; mdadm -A /dev/md0 /dev/etherd/e[0-4].0
    mkfs.xfs -q -f -K /dev/md0; mkdir /mnt/raid; mount /dev/md0 /mnt/raid; fill /mnt/raid
    mdadm --add /dev/md0 /dev/etherd/e5.0'
  assert_status 0
  has_line 'Magic : a92b4efc'
  has_line 'md0 : active .*raid5 etherd/e4\.0.* etherd/e0\.0'
  run guest 'mdadm --fail /dev/md0 /dev/etherd/e2.0; until_true 120 grep -q "\[UUUUU\]" /proc/mdstat
    cat /proc/mdstat; drop_caches; check_filled /mnt/raid; umount /mnt/raid; xfs_repair -n /dev/md0
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
    lvm lvcreate -y -Wn -Zn -l 80%FREE -n disk shelf; lvm vgmknodes; lvm pvs; lvm lvs
    mkfs.ext4 -q -F /dev/shelf/disk; mount /dev/shelf/disk /mnt; fill /mnt; umount /mnt
    lvm vgchange -an shelf; lvm vgscan --mknodes; lvm vgchange -ay shelf; lvm vgmknodes
    mount /dev/shelf/disk /mnt; check_filled /mnt
    # There is no udev that would make the nodes.
    export DM_DISABLE_UDEV=1; lvm lvcreate -y -s -l 100%FREE -n then shelf/disk; lvm vgmknodes
    rm /mnt/large; sync; mkdir /run/then; mount -o ro /dev/shelf/then /run/then; check_filled /run/then
    [ ! -e /mnt/large ]; lvm lvs; umount /run/then /mnt; lvm vgchange -an shelf'
  assert_status 0
  has_line '/dev/etherd/e7\.2 +shelf'
  has_line 'Found volume group "shelf"'
  has_line 'then +shelf +swi-aos--- .* disk'
}

@test "5.16: a disk beyond 2 TB: without partitions, with a GPT, and what a DOS label cannot" {
  requires_long
  requires_guest
  make_net
  serve 7.1:3T
  boot_guest
  run guest 'nic 0 9000; modprobe aoe; find_devices e7.1; echo "large $(sectors_of e7.1)"
    make_pattern /run/pattern 4; dd if=/run/pattern of=/dev/etherd/e7.1 bs=1M seek=3145724 oflag=direct 2>/dev/null
    dd if=/dev/etherd/e7.1 bs=1M skip=3145724 iflag=direct 2>/dev/null | cmp - /run/pattern
    mkfs.xfs -q -f -K /dev/etherd/e7.1; mount /dev/etherd/e7.1 /mnt; fill /mnt; check_filled /mnt; umount /mnt
    dd if=/dev/zero of=/dev/etherd/e7.1 bs=1M count=1 2>/dev/null
    fdisk_says "o n p 1 - - w" /dev/etherd/e7.1; until_true 10 test -b /dev/etherd/e7.1p1
    echo "dos $(cat "/sys/class/block/etherd!e7.1p1/size")"
    fdisk_says "g n 1 - +2560G n 2 - - w" /dev/etherd/e7.1; until_true 10 test -b /dev/etherd/e7.1p2
    /sbin/fdisk -l /dev/etherd/e7.1
    for number in 1 2; do
      part="etherd!e7.1p$number"; echo "p$number $(cat "/sys/class/block/$part/start") $(cat "/sys/class/block/$part/size")"
      mkfs.xfs -q -f -K /dev/etherd/e7.1p$number; mount /dev/etherd/e7.1p$number /mnt; fill /mnt; umount /mnt
    done
    aoe-flush -a; rmmod aoe; modprobe aoe; find_devices e7.1; drop_caches
    for number in 1 2; do
      xfs_repair -n /dev/etherd/e7.1p$number; mount /dev/etherd/e7.1p$number /mnt; check_filled /mnt; umount /mnt
    done'
  assert_status 0
  has_line '^large 6442450944$'
  has_line '^dos 42949[0-9]{5}$'
  # fdisk aligns to the 2 MiB that the driver calls optimal.
  has_line '^p1 4096 5368709120$'
  has_line '^p2 5368713216 1073733632$'
}

# Such a disk gets requests of one sector, but for direct ones, those of a file system and those through an md
# device: the driver counts its frames.
@test "5.23: a disk with an odd number of sectors, and a RAID 0 around it" {
  requires_long
  requires_guest
  make_net
  serve 0.3:33554944
  boot_guest
  run guest 'nic 0 1500; modprobe aoe; find_devices e0.3; echo "odd $(sectors_of e0.3)"
    head -c 33554944 /dev/urandom >/run/odd; dd if=/run/odd of=/dev/etherd/e0.3 bs=512 2>/dev/null; sync; drop_caches
    cmp /run/odd /dev/etherd/e0.3; sha256sum </run/odd'
  assert_status 0
  has_line '^odd 65537$'
  [ "$(tail -n 1 <<<"$output" | cut -d ' ' -f 1)" = "$(sha256sum <"$WORK/0.3.img" | cut -d ' ' -f 1)" ] || fail "the file differs"
  run guest 'frames() { awk "/^\tw:/ { sub(\".*:\", \"\"); print }" /sys/kernel/debug/aoe/e0.3; }
    written() { before=$(frames); "$@"; sync; echo "$(($(frames) - before))"; }
    plain() { dd if=/run/odd of=/dev/etherd/e0.3 bs=1M count=16 conv=notrunc 2>/dev/null; }
    direct() { dd if=/run/odd of=/dev/etherd/e0.3 bs=4M count=4 oflag=direct conv=notrunc 2>/dev/null; }
    echo "frames for 16 MiB: plain $(written plain) direct $(written direct)"
    mdadm -C -l 0 --force -n 1 --run /dev/md1 /dev/etherd/e0.3; echo "md1 $(cat /sys/block/md1/size)"
    wrapped() { dd if=/run/odd of=/dev/md1 bs=1M count=16 conv=notrunc 2>/dev/null; }
    echo "frames for 16 MiB: md1 $(written wrapped)"; mdadm -S /dev/md1
    mkfs.ext4 -q -F /dev/etherd/e0.3; mount /dev/etherd/e0.3 /mnt; sync
    file() { dd if=/run/odd of=/mnt/file bs=1M count=16 2>/dev/null; }
    echo "frames for 16 MiB: file $(written file)"; umount /mnt'
  assert_status 0
  [ "$(($(sed -n 's/^md1 //p' <<<"$output") % 2))" -eq 0 ] || fail "md1 has an odd number of sectors"
  # 512 bytes a frame, or 1024; what the file system writes of its own is little.
  has_line '^frames for 16 MiB: plain 32768 direct 16384$'
  has_line '^frames for 16 MiB: md1 16384$'
  has_line '^frames for 16 MiB: file 1[67][0-9]{3}$'
}

@test "5.19: a file larger than memory is copied, with the settings of today and those of the HOWTO" {
  requires_long
  requires_guest
  make_net
  serve 7.1:1G
  boot_guest 448
  run guest 'nic 0 9000; modprobe aoe; find_devices e7.1; mkfs.ext4 -q -F /dev/etherd/e7.1; mount /dev/etherd/e7.1 /mnt
    awk "/^MemTotal/ { print \"memory\", int(\$2 / 1024) }" /proc/meminfo
    copied() { dd if=/dev/zero of=/mnt/large bs=1M count=600 2>/dev/null; sync; rm /mnt/large; }
    cat /proc/sys/vm/dirty_ratio; copied
    echo 3 >/proc/sys/vm/dirty_ratio; echo 4 >/proc/sys/vm/dirty_background_ratio
    echo 32768 >/proc/sys/vm/min_free_kbytes; copied
    umount /mnt; e2fsck -fn /dev/etherd/e7.1; driver_complaints; dmesg | grep -i "out of memory\|oom" || true'
  assert_status 0
  has_line '^memory [34][0-9][0-9]$'
  assert_lacks "$output" "ut of memory"
  assert_lacks "$output" "oom"
}

@test "5.10, 7.2: RAID 10 from one shelf: by one command with a spare, and from mirrors that share one" {
  requires_long
  requires_guest
  make_net
  serve 1.0:16M 1.1:16M 1.2:16M 1.3:16M 1.4:16M 1.5:16M 1.6:16M 1.7:16M 1.8:16M
  boot_guest 1024
  run guest 'nic 0 1500; modprobe aoe; modprobe raid10; modprobe raid0
    find_devices e1.0 e1.1 e1.2 e1.3 e1.4 e1.5 e1.6 e1.7 e1.8
    mdadm -C /dev/md0 --run --level=raid10 -n 8 -x 1 /dev/etherd/e1.[0-8]; mdadm --wait /dev/md0 || true
    mkfs.ext4 -q -F /dev/md0; mount /dev/md0 /mnt; fill /mnt; cat /proc/mdstat
    mdadm --fail /dev/md0 /dev/etherd/e1.3; until_true 120 grep -q "\[UUUUUUUU\]" /proc/mdstat
    cat /proc/mdstat; drop_caches; check_filled /mnt; umount /mnt; e2fsck -fn /dev/md0
    echo check >/sys/block/md0/md/sync_action; mdadm --wait /dev/md0 || true
    echo "mismatches $(cat /sys/block/md0/md/mismatch_cnt)"; mdadm -S /dev/md0
    mdadm --zero-superblock /dev/etherd/e1.[0-8]'
  assert_status 0
  has_line 'e1\.8\[8\]\(S\)'
  has_line 'e1\.3\[3\]\(F\)'
  has_line '^mismatches 0$'
  # make-raid10.sh, where `-x 2` has one device too few. The monitor moves the spare of md4 to md1.
  run guest 'shelf=1
    mdadm -C /dev/md1 --run -l 1 -n 2 /dev/etherd/e$shelf.0 /dev/etherd/e$shelf.1
    mdadm -C /dev/md2 --run -l 1 -n 2 /dev/etherd/e$shelf.2 /dev/etherd/e$shelf.3
    mdadm -C /dev/md3 --run -l 1 -n 2 /dev/etherd/e$shelf.4 /dev/etherd/e$shelf.5
    mdadm -C /dev/md4 --run -l 1 -n 2 -x 1 /dev/etherd/e$shelf.6 /dev/etherd/e$shelf.7 /dev/etherd/e$shelf.8
    sleep 1
    mdadm -C /dev/md0 --run -l 0 -n 4 /dev/md1 /dev/md2 /dev/md3 /dev/md4
    mkfs.ext4 -q -F /dev/md0; mount /dev/md0 /mnt; fill /mnt
    for array in 1 2 3 4; do mdadm --wait /dev/md$array || true; done
    { echo "DEVICE /dev/etherd/e1.[0-9]"
      echo "ARRAY /dev/md1 devices=/dev/etherd/e1.0,/dev/etherd/e1.1 spare-group=e1"
      echo "ARRAY /dev/md4 devices=/dev/etherd/e1.6,/dev/etherd/e1.7,/dev/etherd/e1.8 spare-group=e1"
      echo "MAILADDR root"; echo "PROGRAM /bin/echo"; } >/run/mdadm-aoe.conf
    mdadm --monitor --config=/run/mdadm-aoe.conf --delay=1 --scan >/run/monitor.log 2>&1 3<&- & monitor=$!
    sleep 2; mdadm --fail /dev/md1 /dev/etherd/e1.1
    moved() { grep -q "^md1 : .*e1.8" /proc/mdstat && ! grep -q "_" /proc/mdstat; }
    until_true 60 moved || { cat /run/monitor.log /proc/mdstat; exit 1; }
    kill $monitor; cat /run/monitor.log /proc/mdstat; drop_caches; check_filled /mnt; umount /mnt
    e2fsck -fn /dev/md0; for array in 0 1 2 3 4; do mdadm -S /dev/md$array; done'
  assert_status 0
  has_line 'MoveSpare'
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
    sets() { dmesg | grep -c "aoe: e7\.1: setting $1 byte data frames"; }
    has_payload() { aoe-discover; sleep 0.3; [ "$(cat "/sys/block/etherd!e7.1/payload")" = "$1" ]; }
    echo "at first $(sets 1024) $(sets 4096)"
    write_and_verify /run/pattern /dev/etherd/e7.1 1
    ip link set eth0 mtu 4200; until_true 30 has_payload 4096; echo "switched on $(sets 1024) $(sets 4096)"
    write_and_verify /run/pattern /dev/etherd/e7.1 1
    before=$(sets 1024)
    ip link set eth0 mtu 1500; until_true 30 has_payload 1024; echo "switched off $(($(sets 1024) - before))"
    write_and_verify /run/pattern /dev/etherd/e7.1 1'
  assert_status 0
  has_line '^at first [1-9][0-9]* 0$'
  has_line '^switched on [0-9]+ [1-9][0-9]*$'
  has_line '^switched off [1-9][0-9]*$'
}

@test "6: a switch that drops jumbo frames: the driver of today does not fall back" {
  requires_long
  requires_guest
  requires "file:$AOE_BIN/../tests/lossbridge"
  make_lossy_net
  serve 7.1:4M
  boot_guest
  run guest 'nic 0 1500; modprobe aoe aoe_deadsecs=8; find_devices e7.1; make_pattern /run/pattern 4
    write_and_verify /run/pattern /dev/etherd/e7.1 1'
  assert_status 0
  bridge 0 max-frame 1514
  run guest 'ip link set eth0 mtu 4200; has_payload() { aoe-discover; sleep 0.3; [ "$(cat "/sys/block/etherd!e7.1/payload")" = "$1" ]; }
    until_true 30 has_payload 4096
    if write_all /run/pattern /dev/etherd/e7.1; then echo written; fi; until_true 30 is_state e7.1 down
    echo "payload $(cat "/sys/block/etherd!e7.1/payload")"; driver_complaints'
  assert_status 0
  assert_lacks "$output" written
  assert_contains "$output" "I/O error, dev etherd/e7.1"
  run guest 'ip link set eth0 mtu 1500; aoe-revalidate e7.1; until_true 30 is_state e7.1 up
    echo "payload $(cat "/sys/block/etherd!e7.1/payload")"; write_and_verify /run/pattern /dev/etherd/e7.1 1'
  assert_status 0
  has_line '^payload 1024$'
}
