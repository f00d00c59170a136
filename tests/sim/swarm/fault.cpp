#include "sim/swarm/fault.h"

namespace aoe::sim {
namespace {

constexpr std::array<const char*, kFaultCount> kNames = {
    "loss",
    "burst",
    "duplicate",
    "reorder",
    "tail",
    "corrupt",
    "jitter",
    "small-queues",
    "clog",
    "partition",
    "cable",
    "port",
    "black-hole",
    "mtu",
    "target-kill",
    "power-cut",
    "target-pause",
    "initiator-pause",
    "initiator-crash",
    "disk-hang",
    "reserve",
    "resize",
    "offline",
    "clock-drift",
    "spinning",
    "disk-tail",
    "read-error",
    "write-error",
    "flush-error",
    "small-target",
    "small-initiator",
    "short-timeout",
    "fail-fast",
    "hostile",
    "rogue",
};

}  // namespace

const char* fault_name(Fault fault) {
  return kNames[static_cast<std::size_t>(fault)];
}

std::optional<Fault> find_fault(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) {
      return static_cast<Fault>(i);
    }
  }
  return std::nullopt;
}

std::string FaultSet::text() const {
  std::string text;
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (has(static_cast<Fault>(i))) {
      text += (text.empty() ? "" : ",") + std::string(kNames[i]);
    }
  }
  return text;
}

FaultSet FaultSet::all() {
  FaultSet set;
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    set.add(static_cast<Fault>(i));
  }
  return set;
}

std::optional<FaultSet> FaultSet::parse(std::string_view names) {
  FaultSet set;
  while (!names.empty()) {
    const std::size_t comma = names.find(',');
    const std::optional<Fault> fault = find_fault(names.substr(0, comma));
    if (!fault) {
      return std::nullopt;
    }
    set.add(*fault);
    names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
  }
  return set;
}

}  // namespace aoe::sim
