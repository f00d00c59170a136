#!/usr/bin/env bats
# The Solaris package's configuration: aoemkconf.

bats_require_minimum_version 1.5.0
load lib

COMPAT=${AOE_BIN%/bin}/compat

@test "aoemkconf prints an entry for each address of a range" {
  run "$COMPAT/aoemkconf" 0/7/9-11 1/3/19
  assert_status 0
  [ "${#lines[@]}" -eq 4 ]
  [ "${lines[0]}" = 'name="aoed" parent="pseudo" instance=709 aoechan=0 aoemaj=7 aoemin=9;' ]
  [ "${lines[3]}" = 'name="aoed" parent="pseudo" instance=10319 aoechan=1 aoemaj=3 aoemin=19;' ]
  run "$COMPAT/aoemkconf" 0/10/0-14 0/11/0-14
  [ "${#lines[@]}" -eq 30 ]
}

@test "aoemkconf leaves out what stands in the files, and what it printed" {
  "$COMPAT/aoemkconf" 0/10/0-7 >"$WORK/aoed.conf"
  run "$COMPAT/aoemkconf" 0/10/0-9 "$WORK/aoed.conf" 0/10/9
  assert_status 0
  [ "${#lines[@]}" -eq 2 ]
  assert_contains "${lines[0]}" "instance=1008 "
  assert_contains "${lines[1]}" "instance=1009 "
}

@test "aoemkconf names the line of a file that is wrong, and prints no entry" {
  printf '# disks\nname="aoed" parent="pseudo" instance=1 aoechan=0 aoemaj=0;\n' >"$WORK/bad.conf"
  run --separate-stderr "$COMPAT/aoemkconf" 0/10/0 "$WORK/bad.conf"
  assert_status 1
  [ "$output" = "" ]
  # shellcheck disable=SC2154  # set by bats' run
  [ "$stderr" = "$WORK/bad.conf:2: aoemin is missing" ]
  run "$COMPAT/aoemkconf" 0/10/0 "$WORK/none.conf"
  assert_status 1
  assert_contains "$output" "aoemkconf: $WORK/none.conf: open: "
  run "$COMPAT/aoemkconf" 0/10
  assert_status 2
  assert_contains "$output" "aoemkconf: 0/10: expected channel/major/minor"
  run "$COMPAT/aoemkconf" 0/100/0
  assert_status 1
  assert_contains "$output" "no standard instance number"
}
