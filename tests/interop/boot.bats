#!/usr/bin/env bats
# iPXE, in the ROM of QEMU's network cards, boots from our target: told by DHCP alone, and by a script with
# `sanboot`. The short form; boot_long.bats boots a Linux.

load boot/lib

# make_boot_disk FILE: the boot sector, and something to sum up behind it. Below 255 * 63 sectors iPXE sees a
# disk without cylinders, and gives up.
make_boot_disk() {
  as --32 -o "$WORK/boot_sector.o" "$BOOT_SOURCES/boot_sector.s" || return
  ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$WORK/boot_sector.bin" "$WORK/boot_sector.o" || return
  head -c 32M /dev/urandom >"$1"
  dd if="$WORK/boot_sector.bin" of="$1" conv=notrunc status=none
}

sum_of_64_sectors() {
  python3 -c 'import sys; print("%04X" % (sum(open(sys.argv[1], "rb").read()[512:65 * 512]) & 0xFFFF))' "$1"
}

# boots_sector CARD HOW..: the disk, then the DHCP server of HOW, then a machine with that card.
boots_sector() {
  local card=$1
  shift
  requires as ld python3
  requires_guest
  make_net
  make_boot_disk "$WORK/disk.img"
  start_targetd -e "7.1=$WORK/disk.img,allow=any"
  "$@"
  boot_from_network "$card"
  wait_for "$GUEST_SECONDS" has_said "WRITE OK" || fail "$card: $(tr -d '\r' <"$WORK/serial.log")"
  has_said "AOE BOOT OK"
  has_said "READ SUM $(sum_of_64_sectors "$WORK/disk.img")" || fail "$card: another sum"
  cmp -n 512 -i $((64 * 512)):$((100 * 512)) "$WORK/disk.img" "$WORK/disk.img" ||
    fail "$card: the sector that was written is not on the disk"
}

@test "iPXE boots a boot sector that reads and writes: virtio-net, the root path of DHCP" {
  boots_sector virtio-net-pci start_dhcp aoe:e7.1
}

@test "iPXE boots a boot sector that reads and writes: e1000, a script with sanboot aoe:e7.1" {
  boots_sector e1000 start_dhcp_script 'sanboot aoe:e7.1'
}

@test "the other way round: e1000 by the root path, virtio-net by the script" {
  requires_long
  boots_sector e1000 start_dhcp aoe:e7.1
  cleanup
  rm -f "$WORK/serial.log"
  boots_sector virtio-net-pci start_dhcp_script 'sanboot aoe:e7.1'
}
