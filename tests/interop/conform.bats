#!/usr/bin/env bats
# `aoe conform` over a network: our target keeps every rule, and Debian's vblade breaks the ones that
# docs/INTEROP.md lists.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load ../e2e/lib

answers() { in_initiator aoe discover -i ini0 | grep -q e7.1; }

# verdict NAME: of a check in $WORK/report.json.
verdict() { jq -r --arg name "$1" '.checks[] | select(.name == $name) | .verdict' "$WORK/report.json"; }

assert_equal() { [ "$1" = "$2" ] || fail "is '$1', not '$2'"; }

# assert_counts RIGHT WRONG DANGEROUS: those of docs/INTEROP.md.
assert_counts() {
  assert_equal "$(jq '.right, .wrong, .dangerous' "$WORK/report.json" | tr '\n' ' ')" "$* "
}

assert_verdicts() {
  local expected=$1 name
  shift
  for name in "$@"; do
    assert_equal "$name $(verdict "$name")" "$name $expected"
  done
}

@test "our target keeps every rule, at both frame sizes, and has its data afterwards" {
  requires netns jq ours:aoe ours:aoe-targetd
  for mtu in 1500 9000; do
    make_net --mtu "$mtu"
    head -c 4M /dev/urandom >"$WORK/disk.img"
    cp "$WORK/disk.img" "$WORK/before.img"
    start_targetd --export "7.1=$WORK/disk.img,allow=any"
    wait_for "$WAIT_SECONDS" answers
    run in_initiator aoe conform e7.1 -i ini0 --destructive
    echo "$output"
    assert_status 0
    assert_contains "$output" ", 0 wrong, 0 dangerous, 0 not tried"
    assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
    cleanup
  done
}

@test "vblade without writing: what it does wrong and dangerously" {
  requires netns jq vblade ours:aoe
  make_net --mtu 1500
  truncate -s 4M "$WORK/disk.img"
  start_daemon vblade ip netns exec "$NS_TARGET" vblade 7 1 tgt0 "$WORK/disk.img"
  wait_for "$WAIT_SECONDS" answers
  local status=0
  in_initiator aoe conform e7.1 -i ini0 -o json >"$WORK/report.json" || status=$?
  assert_equal "$status" 1
  assert_verdicts dangerous header.group_source
  assert_verdicts wrong header.error_flag header.reserved_flags header.other_version header.padded \
    ata.count_zero ata.flush ata.read_write_flag
  assert_verdicts right header.reply config.test ata.read_past_end ata.identify_broadcast
  assert_verdicts not_tried write.read_back mask.edit
  assert_counts 39 7 1
}

@test "vblade with writing: its mask ends it" {
  requires netns jq vblade ours:aoe
  make_net --mtu 1500
  head -c 4M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  start_daemon vblade ip netns exec "$NS_TARGET" vblade -b 64 7 1 tgt0 "$WORK/disk.img"
  wait_for "$WAIT_SECONDS" answers
  in_initiator aoe conform e7.1 -i ini0 --destructive -o json >"$WORK/report.json" || true
  assert_verdicts dangerous header.group_source write.wildcard write.late_copy mask.edit
  assert_verdicts right write.read_back write.short_data write.across_end reserve.fences
  assert_contains "$(jq -r '.checks[] | select(.name == "mask.edit") | .found' "$WORK/report.json")" \
    "does not answer any more"
  assert_counts 53 7 4
  assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
}

@test "a disk that is read-only is all right, and nothing else is written" {
  requires netns jq ours:aoe ours:aoe-targetd
  make_net --mtu 1500
  head -c 1M /dev/urandom >"$WORK/disk.img"
  cp "$WORK/disk.img" "$WORK/before.img"
  start_targetd --export "7.1=$WORK/disk.img,allow=any,mode=read-only"
  wait_for "$WAIT_SECONDS" answers
  in_initiator aoe conform e7.1 -i ini0 --destructive --only write -o json >"$WORK/report.json"
  assert_verdicts right write.accepted
  assert_verdicts not_tried write.read_back write.trim
  assert_same_bytes "$WORK/before.img" "$WORK/disk.img"
}

@test "nothing that can be tried is nothing right" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --mtu 1500
  truncate -s 1M "$WORK/disk.img"
  start_targetd --export "7.1=$WORK/disk.img,allow=any"
  wait_for "$WAIT_SECONDS" answers
  run in_initiator aoe conform e7.1 -i ini0 --only write
  assert_status 1
  assert_contains "$output" "0 right, 0 wrong, 0 dangerous, "
}

@test "a device that is not there, and a check that is not there" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --mtu 1500
  truncate -s 1M "$WORK/disk.img"
  start_targetd --export "7.1=$WORK/disk.img,allow=any"
  wait_for "$WAIT_SECONDS" answers
  run in_initiator aoe conform e7.2 -i ini0
  assert_status 4
  assert_contains "$output" "e7.2: discover: no answer"
  run in_initiator aoe conform e7.1 -i ini0 --only nonsense
  assert_status 2
  assert_contains "$output" "no check has such a name"
}
