# End-to-end tests over a network that misbehaves: `load lossy_net` instead of `load lib`.
#
# Between the target's and the initiator's namespace stands a third one, in which a lossbridge
# (tests/support/lossbridge) carries the frames of each link and harms them on command:
#
#     ini0 --- i0 [lossbridge 0] t0 --- tgt0        ini1 --- i1 [lossbridge 1] t1 --- tgt1
#
# Loads run in the background while a test breaks things; finish_loads fails when any of them saw an
# error or a wrong byte.

# shellcheck source-path=SCRIPTDIR source=lib.bash
source "${BASH_SOURCE[0]%/*}/lib.bash"

# How long a load may take that should end by itself. Only a failing test waits that long.
LOAD_SECONDS=${AOE_TEST_LOAD_WAIT:-200}
# Frames that tell that a load is well under way.
BUSY_FRAMES=200

# long_form LONG SHORT: the first with AOE_TEST_LONG=1.
long_form() {
  if [ "${AOE_TEST_LONG:-}" = 1 ]; then echo "$1"; else echo "$2"; fi
}

# make_lossy_net [--mtu N] [--links N] [--initiators N] [--rogue] [-- LOSSBRIDGE ARGUMENTS..]
# More initiators live in ${NS_INITIATORS[1]}.., each with an interface ini0 on link 0 (the bridge's
# side: i0x1 ..); $NS_ROGUE has rog0 there (r0). MTU 9000 everywhere. $IFS_INITIATOR names the
# interfaces of the initiator for a URI.
make_lossy_net() {
  local mtu=9000 links=1 initiators=1 rogue='' number other
  while [ $# -gt 0 ]; do
    case $1 in
      --mtu) mtu=$2 && shift ;;
      --links) links=$2 && shift ;;
      --initiators) initiators=$2 && shift ;;
      --rogue) rogue=yes ;;
      --) shift && break ;;
      *) fail "make_lossy_net: $1: no such option" || return ;;
    esac
    shift
  done
  netns_sweep
  NS_TARGET=aoekit-$$-t1 NS_INITIATOR=aoekit-$$-t2 NS_BRIDGE=aoekit-$$-t3 NS_ROGUE=aoekit-$$-t4
  NS_INITIATORS=("$NS_INITIATOR")
  for ((other = 1; other < initiators; other++)); do
    NS_INITIATORS+=("aoekit-$$-i$other")
  done
  NETWORKS+=("$NS_TARGET" "$NS_BRIDGE" "$NS_ROGUE" "${NS_INITIATORS[@]}")
  for other in "$NS_TARGET" "$NS_BRIDGE" "$NS_ROGUE" "${NS_INITIATORS[@]}"; do
    netns_create "$other" || return 1
  done
  NET_LINKS=$links IFS_INITIATOR=''
  for ((number = 0; number < links; number++)); do
    netns_link "$NS_TARGET" "tgt$number" "$NS_BRIDGE" "t$number" "$mtu" || return 1
    netns_link "$NS_INITIATOR" "ini$number" "$NS_BRIDGE" "i$number" "$mtu" || return 1
    IFS_INITIATOR+=${IFS_INITIATOR:+,}ini$number
  done
  local interfaces=(i0 t0)
  for ((other = 1; other < initiators; other++)); do
    netns_link "${NS_INITIATORS[other]}" ini0 "$NS_BRIDGE" "i0x$other" "$mtu" || return 1
    interfaces+=("i0x$other")
  done
  if [ -n "$rogue" ]; then
    netns_link "$NS_ROGUE" rog0 "$NS_BRIDGE" r0 "$mtu" || return 1
    interfaces+=(r0)
  fi
  for ((number = 0; number < links; number++)); do
    [ "$number" -eq 0 ] || interfaces=("i$number" "t$number")
    start_bridge "$number" "${interfaces[@]}" --seed "$((number + 1))" "$@" || return 1
  done
}

start_bridge() {
  local number=$1
  shift
  rm -f "$WORK/bridge$number.fifo"
  start_daemon "bridge$number" ip netns exec "$NS_BRIDGE" "$AOE_BIN/../tests/lossbridge" "$@" \
    --control "$WORK/bridge$number.fifo"
  wait_for "$WAIT_SECONDS" grep -q '^lossbridge: ready' "$WORK/bridge$number.log"
}

in_rogue() { ip netns exec "$NS_ROGUE" "$@"; }

lines_of() { grep -c "$1" "$2" || true; }
has_lines() { [ "$(lines_of "$1" "$2")" -ge "$3" ]; }

# bridge LINK COMMAND..: returns once the command is in force.
bridge() {
  local log=$WORK/bridge$1.log fifo=$WORK/bridge$1.fifo before
  shift
  before=$(lines_of '^lossbridge: \(done\|refused\) ' "$log")
  printf '%s\n' "$*" >"$fifo"
  wait_for "$WAIT_SECONDS" has_lines '^lossbridge: \(done\|refused\) ' "$log" $((before + 1)) || return
  grep '^lossbridge: \(done\|refused\) ' "$log" | tail -n 1 | grep '^lossbridge: done ' >/dev/null ||
    fail "lossbridge refused: $*"
}

# bridge_counter LINK IF NAME: of the frames that arrived on IF of the bridge.
bridge_counter() {
  local log=$WORK/bridge$1.log fifo=$WORK/bridge$1.fifo before
  before=$(lines_of "^$2: " "$log")
  echo stats >"$fifo"
  wait_for "$WAIT_SECONDS" has_lines "^$2: .*send_failed=" "$log" $((before + 1)) || return
  grep "^$2: " "$log" | tail -n 1 | tr ' ' '\n' | sed -n "s/^$3=//p"
}

counter_reached() { [ "$(bridge_counter "$1" "$2" "$3")" -ge "$4" ]; }

# wait_for_traffic LINK [FRAMES]: until that many more frames of the target passed the link.
wait_for_traffic() {
  local now
  now=$(bridge_counter "$1" "t$1" forwarded)
  wait_for "$LOAD_SECONDS" counter_reached "$1" "t$1" forwarded $((now + ${2:-$BUSY_FRAMES}))
}

# serve ours|vblade SLOT=FILE..: e7.SLOT on all links, by one aoe-targetd or by one vblade for each
# export and interface. SERVE_PIDS has the processes.
serve() {
  local kind=$1 pair number arguments=()
  shift
  SERVED=("$kind" "$@") SERVE_PIDS=()
  if [ "$kind" = ours ]; then
    for pair in "$@"; do
      arguments+=(-e "7.$pair")
    done
    start_targetd "${arguments[@]}"
    SERVE_PIDS=("$TARGETD_PID")
    return
  fi
  for pair in "$@"; do
    for ((number = 0; number < NET_LINKS; number++)); do
      start_daemon "vblade-${pair%%=*}-$number-$SECONDS" ip netns exec "$NS_TARGET" \
        vblade 7 "${pair%%=*}" "tgt$number" "${pair#*=}"
      SERVE_PIDS+=("$DAEMON_PID")
    done
  done
  for pair in "$@"; do
    # shellcheck disable=SC2317  # called through wait_for
    answers() { in_initiator aoe discover -i ini0 "e7.${pair%%=*}" >/dev/null 2>&1; }
    wait_for "$WAIT_SECONDS" answers
  done
}

# kill_target: all of its processes, at once and without warning. serve_again starts what ran.
kill_target() {
  local pid
  for pid in "${SERVE_PIDS[@]}"; do
    kill -s KILL "$pid"
  done
  for pid in "${SERVE_PIDS[@]}"; do
    end_process "$pid" KILL
  done
}
serve_again() { serve "${SERVED[@]}"; }

# make_images SIZE: a source to copy, the disk it is copied to, and a disk for the bench.
make_images() {
  head -c "$1" /dev/urandom >"$WORK/source.img"
  make_disks "$1"
}

# make_disks SIZE: the two disks only.
make_disks() {
  rm -f "$WORK/disk1.img" "$WORK/disk2.img"
  truncate -s "$1" "$WORK/disk1.img"
  truncate -s 16M "$WORK/disk2.img"
}

# make_load_disks: for start_loads, whose copy has no end: large enough for minutes at the rates of
# these networks. Holes take no space.
make_load_disks() { make_disks 2G; }

# start_load NAME COMMAND..: in the background, in the initiator's namespace.
start_load() {
  local name=$1
  shift
  ip netns exec "$NS_INITIATOR" "$@" >"$WORK/load-$name.log" 2>&1 </dev/null 3>&- &
  LOADS[$name]=$!
  DAEMONS+=("$!")
}

# start_loads [TIMEOUT]: a copy from a pipe to e7.1 and a bench on e7.2, both verified in the end and
# under way until finish_loads: however slow the machine, a fault meets them. Waits until they are.
start_loads() {
  declare -gA LOADS=()
  LOADS_GO_ON=$WORK/loads-go-on
  : >"$LOADS_GO_ON"
  # The copy has the process of the load, and its status. What it is fed stays as source.img.
  # shellcheck disable=SC2016  # expanded by the inner shell
  start_load copy bash -c '
    feed() { while [ -e "$1" ]; do head -c 1M /dev/urandom || return; done; }
    exec aoe copy --verify --timeout "$3" - "$4" < <(feed "$1" | tee "$2")' \
    copy "$LOADS_GO_ON" "$WORK/source.img" "${1:-150}" "aoe://$IFS_INITIATOR/e7.1"
  start_load bench aoe bench "aoe://$IFS_INITIATOR/e7.2" --op mixed --verify --bs 16K --depth 8 \
    --size 8M --time 0 --timeout "${1:-150}"
  wait_for_traffic 0
}

# loads_run [NAME..]: fails when one of these loads (default: all) has ended, so that what follows
# would meet an idle network.
loads_run() {
  local name
  [ $# -gt 0 ] || set -- "${!LOADS[@]}"
  for name in "$@"; do
    kill -0 "${LOADS[$name]}" 2>/dev/null || fail "$name: over before the fault" || return
  done
}

has_ended() { ! kill -0 "$1" 2>/dev/null; }

# finish_load NAME: waits for it; its status is in $LOAD_STATUS.
finish_load() {
  wait_for "$LOAD_SECONDS" has_ended "${LOADS[$1]}" || fail "$1: did not end" || return
  LOAD_STATUS=0
  wait "${LOADS[$1]}" || LOAD_STATUS=$?
}

# end_loads: the loads of start_loads finish what they began, verify it, and end.
end_loads() {
  rm -f "$LOADS_GO_ON"
  kill -s INT "${LOADS[bench]}" 2>/dev/null || true
}

# finish_loads: the loads end; no error reached the user, and no byte differs.
finish_loads() {
  local name
  [ -z "${LOADS[bench]:-}" ] || end_loads
  for name in "${!LOADS[@]}"; do
    finish_load "$name" || return
    [ "$LOAD_STATUS" -eq 0 ] || fail "$name: status $LOAD_STATUS" || return
  done
  cmp --bytes "$(stat -c %s "$WORK/source.img")" "$WORK/source.img" "$WORK/disk1.img" ||
    fail "the copy differs" || return
  assert_contains "$(cat "$WORK/load-bench.log")" "all right"
}
