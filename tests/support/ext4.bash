# ext4 images full of files, and the proof that a copy of one is whole.
# Sourced by tests/e2e/lib.bash and ./demo.

# ext4_fill DIRECTORY BYTES: many small files, a few large ones, links and odd names; about BYTES.
ext4_fill() {
  local directory=$1 bytes=$2 number large_bytes=$(($2 / 8))
  mkdir -p "$directory/small" "$directory/large" "$directory/deep/er/still" || return 1
  for number in 1 2 3 4; do
    head -c "$large_bytes" /dev/urandom >"$directory/large/file-$number" || return 1
  done
  # 64 files cut from one stream.
  head -c $((bytes / 8)) /dev/urandom | split -b $((bytes / 512)) -a 3 -d - "$directory/small/part-" ||
    return 1
  printf 'hello\n' >"$directory/a file with spaces"
  : >"$directory/empty"
  printf 'deep\n' >"$directory/deep/er/still/down"
  ln -s ../large/file-1 "$directory/small/link" || return 1
}

# make_ext4_image FILE MIB: an ext4 image of MIB MiB, half full; FILE.sha256 lists its files.
make_ext4_image() {
  local file=$1 mib=$2 tree
  tree=$(mktemp -d "$file.tree.XXXXXX") || return 1
  ext4_fill "$tree" $((mib * 1024 * 1024 / 2)) &&
    (cd "$tree" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$file.sha256" &&
    truncate -s "${mib}M" "$file" &&
    mkfs.ext4 -q -F -d "$tree" -L aoekit "$file" </dev/null
  local status=$?
  rm -rf "$tree"
  return $status
}

# check_ext4_image FILE SUMS: the file system is clean and every file listed in SUMS is as it was.
# Needs no mount: debugfs takes the files out.
check_ext4_image() {
  local file=$1 sums=$2 tree status=0
  e2fsck -fn "$file" >"$file.fsck" 2>&1 || {
    cat "$file.fsck"
    return 1
  }
  rm -f "$file.fsck"
  tree=$(mktemp -d "$file.out.XXXXXX") || return 1
  # debugfs reports trouble on standard error and exits 0 all the same: the checksums decide.
  debugfs -R "rdump / $tree" "$file" >/dev/null 2>"$tree.log"
  (cd "$tree" && sha256sum --quiet --strict -c -) <"$sums" || status=1
  [ "$status" -eq 0 ] || cat "$tree.log"
  rm -rf "$tree" "$tree.log"
  return $status
}
