#!/usr/bin/env bats
# Every kind of bad configuration ends with status 2 and a message that says what and where.

load lib

# refuses TEXT ARGS..: aoe-targetd with ARGS ends with status 2 and says TEXT.
refuses() {
  local text=$1
  shift
  run in_target timeout 10 aoe-targetd --state-dir "$WORK/state" --control "$WORK/c.sock" "$@"
  assert_status 2 || return
  assert_contains "$output" "$text"
}

@test "bad command lines" {
  requires netns ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  head -c 100 /dev/zero >"$WORK/tiny.img"
  refuses "expected one of write-through, write-back, read-only" -i tgt0 \
    -e "7.1=$WORK/disk.img,mode=sometimes"
  refuses "bufers" -i tgt0 -e "7.1=$WORK/disk.img,bufers=9"
  refuses "buffers" -i tgt0 -e "7.1=$WORK/disk.img,buffers=1"
  refuses "02:00:zz" -i tgt0 -e "7.1=$WORK/disk.img,allow=02:00:zz"
  refuses "7.1" -i tgt0 -e "7.1=$WORK/disk.img" -e "7.1=$WORK/disk.img"
  refuses "65535" -i tgt0 -e "65535.1=$WORK/disk.img"
  refuses "255" -i tgt0 -e "7.255=$WORK/disk.img"
  refuses "4095" -i tgt0 -e "4095.1=$WORK/disk.img"
  refuses "missing.img" -i tgt0 -e "7.1=$WORK/missing.img"
  refuses "tiny.img" -i tgt0 -e "7.1=$WORK/tiny.img"
  refuses "nosuchif" -i nosuchif -e "7.1=$WORK/disk.img"
  refuses "lo" -i lo -e "7.1=$WORK/disk.img"
  refuses "shadow_full" -i tgt0 -e "7.1=$WORK/disk.img,shadow_full=perhaps"
  refuses "-i" -e "7.1=$WORK/disk.img"
  refuses "--nonsense" --nonsense
  refuses "$WORK" -i tgt0 -e "7.1=$WORK"
}

@test "bad configuration files name file and line" {
  requires netns ours:aoe-targetd
  make_net
  truncate -s 1M "$WORK/disk.img"
  cat >"$WORK/a.toml" <<EOF
interfaces = ["tgt0"]
[[export]]
address = "7.1"
store = "$WORK/disk.img"
EOF
  refuses "allow" --config "$WORK/a.toml"
  printf 'allow = "any"\nsped = 3\n' >>"$WORK/a.toml"
  refuses "$WORK/a.toml:6" --config "$WORK/a.toml"
  printf 'interfaces = [\n' >"$WORK/b.toml"
  refuses "$WORK/b.toml:" --config "$WORK/b.toml"
  refuses "missing.toml" --config "$WORK/missing.toml"
}

@test "an odd number of sectors, and a tail that is no sector, are served with a warning" {
  requires netns ours:aoe ours:aoe-targetd
  make_net
  head -c $((513 * 512 + 100)) /dev/zero >"$WORK/odd.img"
  start_targetd -e "7.1=$WORK/odd.img"
  run cat "$TARGETD_LOG"
  assert_contains "$output" "513 sectors is an odd number"
  assert_contains "$output" "100 bytes"
  run in_initiator aoe identify aoe://ini0/e7.1
  assert_contains "$output" "513 sectors"
}
