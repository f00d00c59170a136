#!/usr/bin/env bats
# A Linux whose root file system is an export, booted by iPXE from the same export: firmware, boot loader,
# kernel, the hook of packaging/initramfs-tools, root. The long form (AOE_TEST_LONG=1).

load boot/lib

PARTITION_AT=1048576 # of the boot partition; 40 MiB
ROOT_AT=$((41 * 1048576))
ROOT_UUID=6f1d3c0a-7e71-4a0e-8a2d-5a0e0e070001

# make_linux_disk FILE KERNEL_ARGUMENTS: syslinux, kernel and initramfs in the first partition, the system in
# the second.
make_linux_disk() {
  local file=$1 arguments=$2 tree=$WORK/tree release tools
  release=$(cat "$BOOT_FILES/release")
  tools=$BOOT_FILES/tools
  cp -a "$BOOT_FILES/root" "$tree" || return
  install -m 755 "$AOE_BIN/aoe" "$AOE_BIN/aoe-initiatord" "$tree/usr/bin/" || return
  install -m 755 "$BOOT_SOURCES/init" "$tree/sbin/boot-init" || return
  cp -r "$BOOT_SOURCES/../../../packaging/initramfs-tools/." "$tree/etc/initramfs-tools/" || return
  # Whatever the card needs; with all modules of Debian the firmware would read for minutes.
  sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' "$tree/etc/initramfs-tools/initramfs.conf"
  printf '%s\n' virtio_pci virtio_net ext4 >>"$tree/etc/initramfs-tools/modules"
  chroot "$tree" mkinitramfs -o /boot/initrd.img "$release" >"$WORK/mkinitramfs.log" 2>&1 ||
    fail "mkinitramfs: $(tail -n 3 "$WORK/mkinitramfs.log")" || return

  truncate -s 512M "$file"
  printf '%s\n' 'label: dos' 'start=2048, size=80MiB, type=c, bootable' 'type=83' |
    sed 's/size=80MiB/size=81920/' | sfdisk -q "$file" || return
  dd if="$tools/usr/lib/syslinux/mbr/mbr.bin" of="$file" conv=notrunc status=none || return
  {
    printf 'SERIAL 0 115200\nDEFAULT linux\nPROMPT 0\nLABEL linux\n LINUX vmlinuz\n INITRD initrd.img\n'
    printf ' APPEND console=ttyS0 init=/sbin/boot-init panic=-1 net.ifnames=0 mitigations=off %s\n' "$arguments"
  } >"$WORK/syslinux.cfg"
  local drive=$file@@$PARTITION_AT
  export MTOOLS_SKIP_CHECK=1 PATH=$tools/usr/bin:$PATH
  mformat -i "$drive" -T 81920 -h 255 -s 63 -H 2048 :: || return
  mcopy -i "$drive" "$tree/boot/vmlinuz-$release" ::vmlinuz || return
  mcopy -i "$drive" "$tree/boot/initrd.img" ::initrd.img || return
  mcopy -i "$drive" "$WORK/syslinux.cfg" ::syslinux.cfg || return
  syslinux --install --offset "$PARTITION_AT" "$file" || return
  rm -rf "${tree:?}/boot"
  truncate -s $((512 * 1048576 - ROOT_AT)) "$WORK/root.ext4"
  mke2fs -q -t ext4 -U "$ROOT_UUID" -d "$tree" "$WORK/root.ext4" || return
  dd if="$WORK/root.ext4" of="$file" bs=1M seek=$((ROOT_AT / 1048576)) conv=notrunc,sparse status=none
}

requires_boot_files() {
  local status=0
  BOOT_FILES=$("$BOOT_SOURCES/build_root" 2>"$WORK/boot-build.log") || status=$?
  [ "$status" -ne 77 ] || skip "$(tail -n 1 "$WORK/boot-build.log")"
  [ "$status" -eq 0 ] || fail "$(cat "$WORK/boot-build.log")"
}

serve() { start_targetd -e "7.1=$WORK/disk.img,allow=any" -e "7.2=$WORK/more.img,allow=any"; }

wait_until_said() {
  wait_for "$GUEST_SECONDS" has_said "$1" || fail "not said: $1; $(tail -n 40 "$WORK/serial.log" | tr -d '\r')"
}

# start_linux KERNEL_ARGUMENTS: the machine is switched on.
start_linux() {
  requires_long
  requires sfdisk mke2fs python3 ours:aoe ours:aoe-initiatord
  requires_guest
  requires_boot_files
  make_net
  make_linux_disk "$WORK/disk.img" "$1"
  truncate -s 8M "$WORK/more.img"
  serve
  start_dhcp aoe:e7.1
  boot_from_network virtio-net-pci 768
}

# linux_is_up: it got as far as its own first process, and what that wrote is on the disk.
linux_is_up() {
  wait_until_said "LINUX ROOT OK" || return
  tr -d '\r' <"$WORK/serial.log" | grep -a "^ROOT IS\|^BOOTED FROM\|^DISK\|^DRIVER\|^DAEMON"
  has_said "BOOTED FROM e7.1"
  # What the system wrote, without the system.
  dd if="$WORK/disk.img" of="$WORK/after.ext4" bs=1M skip=$((ROOT_AT / 1048576)) status=none
  e2fsck -fp "$WORK/after.ext4" || [ $? -le 1 ] || fail "the root file system is damaged"
  debugfs -R "dump /written $WORK/written" "$WORK/after.ext4" 2>/dev/null
  debugfs -R "dump /written.sum $WORK/written.sum" "$WORK/after.ext4" 2>/dev/null
  [ "$(sha256sum <"$WORK/written")" = "$(cat "$WORK/written.sum")" ] || fail "the file is not what was written"
}

# The kernel and its initramfs are read: from here on the hook needs the network.
kernel_has_started() { wait_until_said 'Linux version'; }

@test "the root is named: root=aoe:e7.1p2, with the kernel's driver; another disk, and interfaces" {
  start_linux 'root=aoe:e7.1p2 aoe=e7.2 aoe_iflist=eth0'
  linux_is_up
  has_said 'ROOT IS /dev/etherd/e7.1p2 / ext4'
  has_said 'DRIVER iflist eth0$'
  has_said 'DISK /dev/etherd/e7.2 is /dev/etherd/e7.2'
}

@test "nothing names the disk but the table that iPXE left: a root by its path" {
  start_linux 'root=/dev/etherd/e7.1p2'
  linux_is_up
  has_said 'ROOT IS /dev/etherd/e7.1p2 / ext4'
}

@test "nothing names the disk but the table that iPXE left: a root by its UUID" {
  start_linux "root=UUID=$ROOT_UUID"
  linux_is_up
  has_said 'ROOT IS /dev/etherd/e7.1p2 / ext4'
}

@test "our own initiator: aoe_initiator=daemon" {
  start_linux 'root=aoe:e7.1p2 aoe_initiator=daemon'
  linux_is_up
  has_said 'DRIVER none'
  has_said 'DISK /dev/etherd/e7.1 is /dev/loop[0-9]*$'
  # systemd spares such a process at shutdown.
  has_said '^DAEMON @aoe-initiatord '
}

@test "the hook waits for a carrier, and then for the target" {
  start_linux 'root=aoe:e7.1p2'
  kernel_has_started
  plug off
  stop_targetd KILL
  wait_until_said 'no carrier yet on .*eth0, waiting'
  sleep 3
  plug on
  sleep 4
  ! has_said 'ROOT IS' || fail "there was no target"
  serve
  linux_is_up
  has_said 'ROOT IS /dev/etherd/e7.1p2 / ext4'
}

@test "a target that never comes: the hook says so after aoe_timeout, with either initiator" {
  local initiator
  for initiator in driver daemon; do
    start_linux "root=aoe:e7.1p2 aoe_timeout=6 aoe_initiator=$initiator"
    kernel_has_started
    stop_targetd KILL
    wait_until_said 'aoekit: e7.1: not found within 6 s'
    cleanup
    rm -rf "$WORK"/serial.log "$WORK"/disk.img "$WORK"/tree
  done
}
