# What end-to-end tests share: `load lib` (or `load ../e2e/lib`) at the top of a .bats file.
#
# Every test gets a directory $WORK (its logs, images, sockets) and, with make_net, a network of its
# own; teardown ends what the test started and removes the network on every exit. When a test fails,
# the logs of its daemons are printed. A file that defines its own setup or teardown calls lib_setup
# and lib_teardown there.
#
# Programs come from $AOE_BIN (set by ctest): build/dev/bin of this tree otherwise.

# shellcheck source-path=SCRIPTDIR source=../support/netns.bash
source "${BASH_SOURCE[0]%/*}/../support/netns.bash"
# shellcheck source-path=SCRIPTDIR source=../support/ext4.bash
source "${BASH_SOURCE[0]%/*}/../support/ext4.bash"

AOE_BIN=${AOE_BIN:-$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)/build/dev/bin}
# Sanitizers and busy machines make everything slower; a correct test only waits longer for failure.
WAIT_SECONDS=${AOE_TEST_WAIT:-20}

setup() { lib_setup; }
teardown() { lib_teardown; }

lib_setup() {
  WORK=$BATS_TEST_TMPDIR
  NS_TARGET='' NS_INITIATOR='' NETWORKS=() DAEMONS=()
  TARGETD_PID='' TARGETD_LOG='' TARGETD_COUNT=0
  INITIATORD_PID='' INITIATORD_LOG='' INITIATORD_COUNT=0
  PATH=$AOE_BIN:$PATH
  # bats runs teardown on a failure; a signal is the case left over.
  trap 'cleanup; exit 143' TERM INT HUP
}

lib_teardown() {
  local log
  if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -z "${BATS_TEST_SKIPPED:-}" ]; then
    for log in "$WORK"/*.log; do
      [ -s "$log" ] || continue
      printf '%s\n' "--- ${log##*/} (last 60 lines)"
      tail -n 60 "$log"
    done
  fi
  cleanup
}

# Ends the daemons of this test, by their pids, and removes its network. May be called twice.
cleanup() {
  local pid name
  for pid in ${DAEMONS[@]+"${DAEMONS[@]}"}; do
    end_process "$pid"
  done
  DAEMONS=()
  for name in ${NETWORKS[@]+"${NETWORKS[@]}"}; do
    netns_delete "$name" || true
  done
  NETWORKS=()
}

# end_process PID [SIGNAL]: ends a child of this shell and waits; KILL after WAIT_SECONDS.
end_process() {
  local pid=$1 signal=${2:-TERM} deadline=$((SECONDS + WAIT_SECONDS))
  kill -s "$signal" "$pid" 2>/dev/null || true
  kill -s CONT "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
    sleep 0.05
  done
  if kill -0 "$pid" 2>/dev/null; then
    kill -s KILL "$pid" 2>/dev/null || true
  fi
  # The status belongs to stop_targetd; everybody else only wants the process gone.
  ENDED_STATUS=0
  wait "$pid" 2>/dev/null || ENDED_STATUS=$?
}

# make_point DIRECTORY: somewhere to mount, alone in its parent, which becomes a shared mount. `ip netns exec`
# gives each command a copy of all mounts there are, of this test's too when the command is another test's; an
# umount reaches the copies of what is mounted below a shared mount only, and a disk is in use until then.
# The directory itself is no mount: programs that look a file system up by its point take the first they find
# (xfs_growfs opens that one's device). remove_point unmounts all of it.
make_point() {
  local parent
  parent=$(dirname "$1")
  mkdir -p "$parent" && mount --bind "$parent" "$parent" && mount --make-shared "$parent" && mkdir "$1"
}
remove_point() {
  local mounted
  for mounted in "$1" "$(dirname "$1")"; do
    while mountpoint -q "$mounted"; do
      umount "$mounted" || return
    done
  done
}

# requires WORD..: skips the test, with the reason, when something it needs is missing. A word is a
# command, or one of: netns (networks of our own), loop (loop devices), fuse, file:PATH, ours:PROGRAM.
requires() {
  local word reason
  for word in "$@"; do
    case $word in
      netns)
        reason=$(netns_possible) || skip "$reason"
        ;;
      loop)
        losetup -f >/dev/null 2>&1 || skip "loop devices: none here"
        ;;
      fuse)
        { [ -r /dev/fuse ] && [ -w /dev/fuse ]; } || skip "/dev/fuse: not here, or not for us"
        ;;
      file:*)
        [ -e "${word#file:}" ] || skip "${word#file:}: not here"
        ;;
      ours:*)
        # Our own program is never a reason to skip once it is part of the build.
        [ -x "$AOE_BIN/${word#ours:}" ] || skip "${word#ours:}: not built"
        ;;
      *)
        command -v "$word" >/dev/null || skip "$word: not installed (tools/setup/install test)"
        ;;
    esac
  done
}

# make_net [--mtu N] [--links N]: namespaces $NS_TARGET and $NS_INITIATOR, joined by N veth pairs
# (default 1): tgt0 tgt1 .. on the target's side, ini0 ini1 .. on the initiator's. MTU 9000.
make_net() {
  local mtu=9000 links=1 number
  while [ $# -gt 0 ]; do
    case $1 in
      --mtu) mtu=$2 ;;
      --links) links=$2 ;;
      *) fail "make_net: $1: no such option" || return ;;
    esac
    shift 2
  done
  netns_sweep
  NS_TARGET=aoekit-$$-t1 NS_INITIATOR=aoekit-$$-t2
  NETWORKS+=("$NS_TARGET" "$NS_INITIATOR")
  netns_create "$NS_TARGET" && netns_create "$NS_INITIATOR" || return 1
  for ((number = 0; number < links; number++)); do
    netns_link "$NS_TARGET" "tgt$number" "$NS_INITIATOR" "ini$number" "$mtu" || return 1
  done
  NET_LINKS=$links
}

# Run a command on the target's or the initiator's side. Note that `ip netns exec` also gives it a
# mount namespace of its own: what it mounts is gone when it ends.
in_target() { ip netns exec "$NS_TARGET" "$@"; }
in_initiator() { ip netns exec "$NS_INITIATOR" "$@"; }

# wait_for SECONDS COMMAND..: polls until the command succeeds.
wait_for() {
  local seconds=$1 deadline
  shift
  deadline=$((SECONDS + seconds))
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf 'waited %s s for: %s\n' "$seconds" "$*"
      return 1
    fi
    sleep 0.05
  done
}

# fail TEXT..: the message of a test that fails; usable as `test || fail "why"`.
fail() {
  printf '%s\n' "$*"
  return 1
}

# start_daemon LOG COMMAND..: runs it in the background with its output in $WORK/LOG.log; the pid is
# in $DAEMON_PID, and the test's end ends it.
start_daemon() {
  local log=$WORK/$1.log
  shift
  # bats waits for everybody who holds its descriptor 3.
  "$@" >"$log" 2>&1 </dev/null 3>&- &
  DAEMON_PID=$!
  DAEMONS+=("$DAEMON_PID")
}

targetd_is_ready() {
  local log=$1 exports=$2 pid=$3
  [ "$(grep -c '^aoe-targetd: .* ready: ' "$log")" -ge "$exports" ] || ! kill -0 "$pid" 2>/dev/null
}

# start_targetd ARGS..: runs aoe-targetd in the target's namespace and waits until every -e export
# has printed its `ready:` line. Adds --state-dir and --control below $WORK, and all of the
# target's interfaces when ARGS has no -i. Sets TARGETD_PID, TARGETD_LOG, TARGETD_CONTROL.
# EXPECT_EXPORTS overrides how many ready lines to wait for (with --config). AOE_TEST_SHARDS gives the
# daemon so many shards where ARGS does not say how many.
start_targetd() {
  local word exports=0 interfaces='' shards=${AOE_TEST_SHARDS:-} number arguments=("$@") status
  for word in "$@"; do
    case $word in
      -e | --export | -e* | --export=*) exports=$((exports + 1)) ;;
      -i | --interface | -i* | --interface=* | -c | --config*) interfaces=given ;;
      --shards* | xdp) shards='' ;;
    esac
  done
  if [ -n "$shards" ]; then
    arguments+=(--shards "$shards")
  fi
  if [ -z "$interfaces" ]; then
    for ((number = 0; number < NET_LINKS; number++)); do
      interfaces+=${interfaces:+,}tgt$number
    done
    arguments=(-i "$interfaces" "${arguments[@]}")
  fi
  TARGETD_COUNT=$((TARGETD_COUNT + 1))
  TARGETD_LOG=$WORK/targetd-$TARGETD_COUNT.log
  TARGETD_CONTROL=${TARGETD_CONTROL:-$WORK/target.sock}
  start_daemon "targetd-$TARGETD_COUNT" ip netns exec "$NS_TARGET" "$AOE_BIN/aoe-targetd" \
    --state-dir "$WORK/state" --control "$TARGETD_CONTROL" "${arguments[@]}"
  TARGETD_PID=$DAEMON_PID
  wait_for "$WAIT_SECONDS" targetd_is_ready "$TARGETD_LOG" "${EXPECT_EXPORTS:-$exports}" \
    "$TARGETD_PID" || fail "aoe-targetd printed no ready line" || return
  if ! kill -0 "$TARGETD_PID" 2>/dev/null; then
    end_process "$TARGETD_PID"
    status=$ENDED_STATUS
    fail "aoe-targetd ended with status $status before it was ready"
  fi
}

# stop_targetd [SIGNAL]: ends the daemon of the last start_targetd; its exit status is in
# $TARGETD_STATUS. With TERM (the default) anything but 0 fails the test.
stop_targetd() {
  local signal=${1:-TERM}
  end_process "$TARGETD_PID" "$signal"
  TARGETD_STATUS=$ENDED_STATUS
  if [ "$signal" = TERM ] && [ "$TARGETD_STATUS" -ne 0 ]; then
    fail "aoe-targetd ended with status $TARGETD_STATUS on SIGTERM"
  fi
}

initiatord_is_ready() {
  grep -q '^aoe-initiatord: ready on ' "$INITIATORD_LOG" || ! kill -0 "$INITIATORD_PID" 2>/dev/null
}

# start_initiatord ARGS..: runs aoe-initiatord in the initiator's network namespace, but in the mount
# namespace of the test, and waits until it is ready. Adds --control below $WORK, all of the
# initiator's interfaces when ARGS has neither -i nor --config, --mount none when it has no --mount,
# and --links $WORK/links. Sets INITIATORD_PID, INITIATORD_LOG, INITIATORD_CONTROL.
start_initiatord() {
  local word interfaces='' mount='' number arguments=(--links "$WORK/links" "$@")
  for word in "$@"; do
    case $word in
      -i | --interface | -i* | --interface=* | -c | --config*) interfaces=given ;;
      --mount*) mount=given ;;
    esac
  done
  [ -n "$mount" ] || arguments=(--mount none "${arguments[@]}")
  if [ -z "$interfaces" ]; then
    for ((number = 0; number < NET_LINKS; number++)); do
      interfaces+=${interfaces:+,}ini$number
    done
    arguments=(-i "$interfaces" "${arguments[@]}")
  fi
  INITIATORD_COUNT=$((INITIATORD_COUNT + 1))
  INITIATORD_LOG=$WORK/initiatord-$INITIATORD_COUNT.log
  INITIATORD_CONTROL=${INITIATORD_CONTROL:-$WORK/initiator.sock}
  start_daemon "initiatord-$INITIATORD_COUNT" nsenter --net="/run/netns/$NS_INITIATOR" \
    "$AOE_BIN/aoe-initiatord" --control "$INITIATORD_CONTROL" "${arguments[@]}"
  INITIATORD_PID=$DAEMON_PID
  wait_for "$WAIT_SECONDS" initiatord_is_ready || fail "aoe-initiatord is not ready" || return
  if ! kill -0 "$INITIATORD_PID" 2>/dev/null; then
    end_process "$INITIATORD_PID"
    fail "aoe-initiatord ended with status $ENDED_STATUS before it was ready"
  fi
}

# stop_initiatord [SIGNAL]: as stop_targetd.
stop_initiatord() {
  local signal=${1:-TERM}
  end_process "$INITIATORD_PID" "$signal"
  INITIATORD_STATUS=$ENDED_STATUS
  if [ "$signal" = TERM ] && [ "$INITIATORD_STATUS" -ne 0 ]; then
    fail "aoe-initiatord ended with status $INITIATORD_STATUS on SIGTERM"
  fi
}

# aoed SUBCOMMAND ARGS..: asks the initiator daemon of this test.
aoed() { "$AOE_BIN/aoe" "$@" --control "$INITIATORD_CONTROL"; }

# device_is STATE DEVICE: what `aoe list` says; for wait_for.
device_is() { aoed list | grep -Eq "^$2 +$1( |\$)"; }

# json_run COMMAND..: bats' run, then takes its output apart; json FIELD.. prints a field of it, lists
# by number: json read requests, json devices 0 mac.
json_run() {
  run "$@"
  # shellcheck disable=SC2154  # set by bats' run
  printf '%s' "$output" | python3 -c '
import json, sys
def walk(path, value):
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            walk(path + [str(key)], inner)
    else:
        print(" ".join(path) + "=" + (value if isinstance(value, str) else json.dumps(value)))
walk([], json.load(sys.stdin))' >"$WORK/json.fields" || fail "no JSON: $output"
}
json() {
  grep -q "^$*=" "$WORK/json.fields" || fail "no field $*" || return
  sed -n "s/^$*=//p" "$WORK/json.fields"
}

# run_disk_jobs WHERE ENGINE SIZE [SECTION..]: what a disk has to pass (support/disk.fio), or some of it; WHERE is
# filename=.. or uri=..
run_disk_jobs() {
  local where=$1 engine=$2 size=$3
  shift 3
  (cd "$WORK" && WHERE=$where ENGINE=$engine SIZE=$size fio --output="$WORK/fio.log" "${@/#/--section=}" \
    "${BASH_SOURCE[0]%/*}/../support/disk.fio") || fail "$(tail -n 20 "$WORK/fio.log")"
  # It may end well although a job was killed.
  ! grep -q 'got signal' "$WORK/fio.log" || fail "$(grep 'got signal' "$WORK/fio.log")"
}

# Captured output must, or must not, contain a text.
assert_contains() {
  [[ $1 == *"$2"* ]] || fail "missing: $2" "in: $1"
}
assert_lacks() {
  [[ $1 != *"$2"* ]] || fail "unexpected: $2" "in: $1"
}
assert_status() {
  # shellcheck disable=SC2154  # status and output are set by bats' run
  [ "$status" -eq "$1" ] || fail "status $status, expected $1; output: $output"
}
assert_same_bytes() {
  cmp "$1" "$2" || fail "$1 and $2 differ"
}
