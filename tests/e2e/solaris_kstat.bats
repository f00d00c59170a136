#!/usr/bin/env bats
# The Solaris package's counters: aoekstat.

load lib

COMPAT=${AOE_BIN%/bin}/compat

kstat() { "$COMPAT/aoekstat" --control "$INITIATORD_CONTROL" -d "$WORK/channels" "$@"; }

# The value of a name in the output of the last run.
value() { awk -v name="$1" '$1 == name { print $2 }' <<<"$output"; }

@test "counters and settings have their tables, by instance number" {
  requires netns ours:aoe-targetd ours:aoe-initiatord
  make_net
  start_targetd -e 1.7=memory:64M
  start_initiatord
  "$COMPAT/aoestart" --control "$INITIATORD_CONTROL" -d "$WORK/channels" aoechan 0 ether ini0
  wait_for "$WAIT_SECONDS" device_is up e1.7
  run kstat -n aoed107,stats
  assert_status 0
  [ "${lines[0]}" = "module: aoed                            instance: 107   " ]
  [ "${lines[1]}" = "name:   aoed107,stats                   class:    misc            " ]
  [ "$(awk 'NR > 2 { print $1 }' <<<"$output" | xargs)" = \
    "atarcv atasnd crtime erraoe errata errtimeout errtrunc errwmsg retries snaptime softerr" ]
  [ "$(value errata)" = 0 ]
  run kstat -n aoed107,conf
  assert_status 0
  [ "$(value mibsize)" = 64 ]
  [ "$(value cylsize)" = 2048 ]
  [ "$(value maxdata)" -ge 1024 ]
  run kstat -n aoed5,stats
  assert_status 1
  [ "$output" = "" ]
  printf 'name="aoed" parent="pseudo" instance=5 aoechan=0 aoemaj=1 aoemin=7;\n' >"$WORK/aoed.conf"
  run kstat --conf "$WORK/aoed.conf"
  assert_status 0
  assert_contains "$output" "name:   aoed5,stats "
  assert_contains "$output" "name:   aoed5,conf "
  run kstat -n nonsense
  assert_status 2
}
