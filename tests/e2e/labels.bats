#!/usr/bin/env bats
# Solaris labels as others read them: util-linux, gdisk and parted are the judges.

load lib

# The commands of older packages; links beside the programs.
COMPAT=${AOE_BIN%/bin}/compat

label_needs() { requires ours:aoe sfdisk partx sgdisk parted "$@"; }

# Sparse, of any size; the file system decides how big a file may be, so memory it is.
make_disk() {
  rm -f "$SHM/disk"
  truncate -s "$1" "$SHM/disk"
}

setup() {
  lib_setup
  SHM=$(mktemp -d /dev/shm/aoekit-labels-XXXXXX)
}

teardown() {
  rm -rf "$SHM"
  lib_teardown
}

# What `partx` reads, "NR START SECTORS" a line.
partx_reads() { partx --show --noheadings --output NR,START,SECTORS "$1" 2>/dev/null | tr -s ' ' | sed 's/^ //;s/ $//'; }

@test "fdisk, partx and parted read a SPARC label of every size" {
  label_needs
  for size in 1M 100M 1G 3G 100G 1T; do
    make_disk "$size"
    run aoe label init "$SHM/disk"
    assert_status 0
    run aoe label show "$SHM/disk"
    assert_status 0
    assert_contains "$output" "label:     vtoc-sparc"
    assert_contains "$output" "backups:   5 of 5 good"
    sectors=$(awk '$1 == "s0" { print $3 }' <<<"$output")
    run sfdisk --dump "$SHM/disk"
    assert_status 0
    assert_contains "$output" "label: sun"
    assert_contains "$(tr -d ' ' <<<"$output")" "disk1:start=0,size=$sectors,type=4"
    assert_contains "$(tr -d ' ' <<<"$output")" "disk3:start=0,size=$sectors,type=5"
    [ "$(partx_reads "$SHM/disk")" = "1 0 $sectors" ] || fail "$size: partx: $(partx_reads "$SHM/disk")"
    run parted --script "$SHM/disk" unit s print
    assert_status 0
    assert_contains "$output" "Partition Table: sun"
    assert_contains "$output" "${sectors}s"
  done
}

@test "fdisk and parted read the DOS partition of an x86 label, and partx its slices" {
  label_needs
  for size in 3M 1G 1T; do
    make_disk "$size"
    run aoe label init --type vtoc-x86 "$SHM/disk"
    assert_status 0
    run aoe label show "$SHM/disk"
    assert_status 0
    read -r start sectors < <(awk '$1 == "p1" { print $2, $3 }' <<<"$output")
    slices=$(awk '$1 == "s0" || $1 == "s8" { print $2, $3 }' <<<"$output")
    run sfdisk --dump "$SHM/disk"
    assert_contains "$(tr -d ' ' <<<"$output")" "disk1:start=$start,size=$sectors,type=bf,bootable"
    run sfdisk --verify "$SHM/disk"
    assert_contains "$output" "No errors detected"
    run parted --script "$SHM/disk" unit s print
    assert_status 0
    assert_contains "$output" "Partition Table: msdos"
    # partx looks for slices in partitions of the older type only.
    printf '\x82' | dd of="$SHM/disk" bs=1 seek=450 conv=notrunc status=none
    [ "$(partx_reads "$SHM/disk" | sed 1d | cut -d' ' -f2,3)" = "$slices" ] ||
      fail "$size: partx: $(partx_reads "$SHM/disk"), ours: $slices"
    run aoe label show "$SHM/disk"
    assert_status 0
    assert_contains "$output" "label:     vtoc-x86"
  done
}

@test "sgdisk, sfdisk and parted find nothing wrong with an EFI label up to 128 PiB" {
  label_needs
  for size in 10M 1G 3T 128P; do
    make_disk "$size"
    run aoe label init --type efi "$SHM/disk"
    assert_status 0
    run sgdisk --verify "$SHM/disk"
    assert_status 0
    assert_contains "$output" "No problems found"
    last=$(($(stat -c %s "$SHM/disk") / 512 - 34))
    run sgdisk --print "$SHM/disk"
    assert_contains "$(tr -s ' ' <<<"$output")" " 1 256 $((last - 16384)) "
    assert_contains "$(tr -s ' ' <<<"$output")" " 9 $((last - 16383)) $last "
    assert_contains "$output" BF01
    run sfdisk --verify "$SHM/disk"
    assert_contains "$output" "No errors detected"
    run parted --script "$SHM/disk" unit s print
    assert_status 0
    assert_contains "$output" "Partition Table: gpt"
  done
  # Without its first sectors the label is read from its backup, by others too.
  dd if=/dev/zero of="$SHM/disk" bs=512 seek=1 count=33 conv=notrunc status=none
  run aoe label show "$SHM/disk"
  assert_status 1
  assert_contains "$output" "the backup is used"
  run sgdisk --print "$SHM/disk"
  assert_contains "$output" BF01
}

@test "what sgdisk and sfdisk write is read as they do" {
  label_needs
  make_disk 3T
  sgdisk --new=1:2048:+1G --typecode=1:bf02 --new=2:0:+1G "$SHM/disk" >/dev/null
  run aoe label show "$SHM/disk"
  assert_status 0
  assert_contains "$(tr -s ' ' <<<"$output")" "s0 2048 2097152 wm swap"
  assert_contains "$(tr -s ' ' <<<"$output")" "s1 2099200 2097152 wm Linux data"
  make_disk 1G
  printf 'label: sun\n1: start=0, size=204800, type=2\n' | sfdisk --quiet "$SHM/disk"
  run aoe label show "$SHM/disk"
  assert_contains "$(tr -s ' ' <<<"$output")" "wm root"
  assert_contains "$output" "label:     vtoc-sparc"
}

@test "aoelabinit takes VTOC up to 1 TiB, EFI above, and refuses what has a label" {
  label_needs
  make_disk 1T
  run "$COMPAT/aoelabinit" "$SHM/disk"
  assert_status 0
  run aoe label show "$SHM/disk"
  assert_contains "$output" vtoc-sparc
  sum=$(head -c 1M "$SHM/disk" | sha256sum)
  run "$COMPAT/aoelabinit" "$SHM/disk"
  assert_status 1
  assert_contains "$output" "aoelabinit: $SHM/disk: label: it has a label already: vtoc-sparc (-f replaces it)"
  [ "$(head -c 1M "$SHM/disk" | sha256sum)" = "$sum" ]
  run "$COMPAT/aoelabinit" -f --type vtoc-x86 "$SHM/disk"
  assert_status 0
  truncate -s $(((1 << 40) + 512)) "$SHM/other"
  run "$COMPAT/aoelabinit" "$SHM/other"
  assert_status 0
  run aoe label show "$SHM/other"
  assert_contains "$output" "label:     efi"
  # What others wrote is a label, too.
  make_disk 1G
  printf 'label: dos\n1: start=2048, type=83\n' | sfdisk --quiet "$SHM/disk"
  run "$COMPAT/aoelabinit" "$SHM/disk"
  assert_status 1
  assert_contains "$output" "dos"
}

@test "aoeunlabel destroys VTOC and EFI labels so that nobody finds one" {
  label_needs
  for kind in vtoc-sparc vtoc-x86 efi; do
    make_disk 1G
    aoe label init --type "$kind" "$SHM/disk"
    run "$COMPAT/aoeunlabel" "$SHM/disk"
    assert_status 0
    run cmp -n $((1 << 30)) "$SHM/disk" /dev/zero
    assert_status 0
    run sfdisk --dump "$SHM/disk"
    assert_status 1
  done
  run "$COMPAT/aoeunlabel" "$SHM/none" "$SHM/disk"
  assert_status 1
  assert_contains "$output" "aoeunlabel: $SHM/none: open: "
}

@test "wrong arguments end with status 2 and the usage" {
  requires ours:aoe
  run "$COMPAT/aoelabinit"
  assert_status 2
  assert_contains "$output" "usage: aoelabinit [-f]"
  run "$COMPAT/aoelabinit" --type sun disk
  assert_status 1
  assert_contains "$output" "sun: no kind of label (auto, vtoc-sparc, vtoc-x86, efi)"
  run "$COMPAT/aoeunlabel" -x disk
  assert_status 2
  assert_contains "$output" "invalid option -- 'x'"
  run aoe label init --heads 4 "$WORK/none"
  assert_status 2
  run aoe label show "$WORK/none"
  assert_status 4
}

@test "a device of 128 PiB is labelled over the wire and read from its store" {
  label_needs netns ours:aoe-targetd
  # IDENTIFY has no number for the last sector of 128 PiB.
  sectors=281474976710654
  truncate -s $((sectors * 512)) "$SHM/disk"
  make_net
  start_targetd -e "7.1=$SHM/disk" -e "7.2=null:${sectors}s"
  run in_initiator aoe label init aoe://ini0/e7.1
  assert_status 0
  run in_initiator aoe label show aoe://ini0/e7.1 -o json
  assert_status 0
  assert_contains "$output" '"label": "efi"'
  run sgdisk --verify "$SHM/disk"
  assert_contains "$output" "No problems found"
  run in_initiator "$COMPAT/aoelabinit" -i ini0 aoe:e7.1
  assert_status 1
  assert_contains "$output" "e7.1: label: it has a label already: efi"
  run in_initiator "$COMPAT/aoeunlabel" -i ini0 aoe:e7.1
  assert_status 0
  run in_initiator aoe label show aoe://ini0/e7.1
  assert_contains "$output" "label:     none"
  # A store that forgets everything takes a label and has none.
  run in_initiator aoe label init aoe://ini0/e7.2
  assert_status 0
  run in_initiator aoe label show aoe://ini0/e7.2
  assert_contains "$output" "label:     none"
}
