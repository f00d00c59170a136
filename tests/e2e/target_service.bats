#!/usr/bin/env bats
# Who is served when not everybody can be: caps of an export and of its initiators, and weights.

load lib

target() { aoe target "$@" --control "$TARGETD_CONTROL"; }

# measure INTERFACE TIME: requests a second at depth 16, in $WORK/INTERFACE.json.
measure() {
  in_initiator aoe bench "aoe://$1/e7.1" --time "$2" -o json >"$WORK/$1.json" 3>&-
}

rate_of() { python3 -c "import json, sys
print(int(json.load(open(sys.argv[1]))['read']['iops']))" "$WORK/$1.json"; }

# assert_near VALUE WANTED: within a tenth.
assert_near() {
  if [ $(($1 * 10)) -lt $(($2 * 9)) ] || [ $(($1 * 10)) -gt $(($2 * 11)) ]; then
    fail "$1 is not within a tenth of $2"
  fi
}

@test "initiators that compete get their weights, and the export its cap" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --links 2
  mac=$(ip -n "$NS_INITIATOR" -o link show ini0 | sed 's/.*link\/ether \([0-9a-f:]*\).*/\1/')
  start_targetd -e "7.1=memory:16M,iops=800,weights=$mac=3"
  # The second one is never alone, the first one before and after it.
  measure ini0 6s &
  first=$!
  sleep 1
  measure ini1 3s
  wait "$first"
  assert_near "$(rate_of ini1)" 200
  [ "$(rate_of ini0)" -ge 540 ]
  run target show e7.1 -o json
  assert_contains "$output" '"iops_max": 800'
  assert_contains "$output" "\"$mac\": 3"
}

@test "a cap for each initiator leaves the others alone, and changes while it is in force" {
  requires netns ours:aoe ours:aoe-targetd
  make_net --links 2
  cat >"$WORK/target.toml" <<EOF
interfaces = ["tgt0", "tgt1"]
[[export]]
address = "7.1"
store = "memory:16M"
allow = "any"
initiator_bandwidth = "1M"
EOF
  EXPECT_EXPORTS=1 start_targetd --config "$WORK/target.toml"
  measure ini0 3s &
  first=$!
  measure ini1 3s
  wait "$first"
  assert_near "$(rate_of ini0)" 256
  assert_near "$(rate_of ini1)" 256
  sed -i 's/"1M"/"2M"/' "$WORK/target.toml"
  target reload
  measure ini0 3s
  assert_near "$(rate_of ini0)" 512
}
