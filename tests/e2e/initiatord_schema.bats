#!/usr/bin/env bats
# What the control socket answers is what docs/CONTROL.md says, to the last member.

# Helpers are called through wait_for:
# shellcheck disable=SC2317

load lib

@test "every result has the members of the page, and no other" {
  requires netns loop file:/dev/fuse ours:aoe ours:aoe-targetd ours:aoe-initiatord
  local page=$BATS_TEST_DIRNAME/../../docs/CONTROL.md method
  make_net
  start_targetd -e 7.1=memory:1M -e 7.2=memory:1M
  printf 'interfaces = ["ini0"]\n' >"$WORK/i.toml"
  start_initiatord --config "$WORK/i.toml" --mount "$WORK/etherd"
  aoed wait e7.1
  aoed wait e7.2
  answers() { python3 "$BATS_TEST_DIRNAME/../support/control_schema.py" "$page" "$INITIATORD_CONTROL" "$@"; }
  for method in list stats interfaces reload; do
    answers "initiator.$method"
  done
  for method in show paths wait revalidate attach detach; do
    answers "initiator.$method" '{"address":"e7.1"}'
  done
  answers initiator.flush '{"address":"e7.2"}'
  stop_initiatord
}
