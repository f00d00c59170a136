# Private networks for tests and the demonstration: two network namespaces joined by veth pairs.
# Sourced by tests/e2e/lib.bash and ./demo. Needs root (also that of a user namespace).
#
# A namespace is named aoekit-PID-SIDE with the pid of the script that made it, so that parallel runs
# never meet and a later run can sweep up after one that was killed.

# Removes the namespaces of scripts that are gone.
netns_sweep() {
  local name pid
  for name in $(ip netns list 2>/dev/null | awk '/^aoekit-[0-9]+-/ { print $1 }'); do
    pid=${name#aoekit-}
    pid=${pid%%-*}
    if [ ! -e "/proc/$pid" ]; then
      ip netns delete "$name" 2>/dev/null || true
    fi
  done
}

# netns_create NAME: a namespace with loopback up and no IPv6 chatter on its links.
netns_create() {
  ip netns add "$1" || return 1
  ip -n "$1" link set lo up || return 1
  ip netns exec "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true
}

# netns_link NS_A IF_A NS_B IF_B MTU: a veth pair between two namespaces, up at both ends.
netns_link() {
  local ns_a=$1 if_a=$2 ns_b=$3 if_b=$4 mtu=$5
  ip -n "$ns_a" link add "$if_a" mtu "$mtu" type veth peer name "$if_b" mtu "$mtu" netns "$ns_b" ||
    return 1
  ip -n "$ns_a" link set "$if_a" up && ip -n "$ns_b" link set "$if_b" up
}

# netns_delete NAME: ends what still runs inside, then removes it. No error when it is gone already.
netns_delete() {
  local name=$1 pids try
  ip netns list 2>/dev/null | grep -q "^$name\( \|\$\)" || return 0
  for try in TERM TERM KILL; do
    pids=$(ip netns pids "$name" 2>/dev/null) || true
    [ -n "$pids" ] || break
    # shellcheck disable=SC2086  # one pid a word
    kill -s "$try" $pids 2>/dev/null || true
    sleep 0.2
  done
  ip netns delete "$name"
}

# Whether this process can make namespaces and links at all; says why not on standard output.
netns_possible() {
  local name=aoekit-$$-probe
  if ! command -v ip >/dev/null; then
    echo "ip: not installed (package iproute2)"
    return 1
  fi
  if ! ip netns add "$name" 2>/dev/null; then
    echo "network namespaces: not permitted here (needs root or a user namespace)"
    return 1
  fi
  ip netns delete "$name"
}
