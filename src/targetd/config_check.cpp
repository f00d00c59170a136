#include "targetd/config_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::targetd {
namespace {

using config::Diagnostics;
using config::in_quotes;
using config::joined;

// Reports the second and every further export with the same text under a key.
class UniqueTexts {
 public:
  UniqueTexts(std::string_view key, Diagnostics& diagnostics)
      : key_(key), diagnostics_(diagnostics) {}

  void add(const std::string& text, const ExportConfig& config, std::string_view why) {
    const auto [first, is_new] = firsts_.try_emplace(text, &config);
    if (!text.empty() && !is_new) {
      diagnostics_.add_error(
          config.origin,
          fmt::format("{}: {} is used by {} too (at {}): {}", key_, in_quotes(text),
                      to_string(first->second->address), first->second->origin, why));
    }
  }

 private:
  std::string_view key_;
  Diagnostics& diagnostics_;
  std::map<std::string, const ExportConfig*> firsts_;
};

void check_addresses(const TargetConfig& config, Diagnostics& diagnostics) {
  std::map<DeviceAddress, const ExportConfig*> firsts;
  for (const ExportConfig& unit : config.exports) {
    const auto [first, is_new] = firsts.try_emplace(unit.address, &unit);
    if (!is_new) {
      diagnostics.add_error(unit.origin,
                            fmt::format("address: {} is used twice (first at {})",
                                        to_string(unit.address), first->second->origin));
    }
  }
}

void check_texts(const TargetConfig& config, Diagnostics& diagnostics) {
  UniqueTexts serials("serial", diagnostics);
  UniqueTexts shadows("shadow", diagnostics);
  for (const ExportConfig& unit : config.exports) {
    serials.add(unit.serial, unit, "multipath software would take the two for one disk");
    shadows.add(unit.shadow, unit, "every export needs a shadow of its own");
    if (!unit.shadow.empty() &&
        (unit.shadow == unit.store || "file:" + unit.shadow == unit.store)) {
      diagnostics.add_error(unit.origin,
                            fmt::format("shadow: {} is the store itself: expected another file",
                                        in_quotes(unit.shadow)));
    }
  }
}

// The text that two exports of the same file or image have in common; empty for what is made anew
// for every export.
std::string_view shared_store(const ExportConfig& unit) {
  std::string_view store = unit.store;
  if (store.starts_with("memory:") || store.starts_with("null:")) {
    return {};
  }
  if (store.starts_with("file:")) {
    store.remove_prefix(5);
  }
  return store;
}

// Every initiator writes into a layer of its own: nobody writes to the store.
bool only_reads_store(const ExportConfig& unit) {
  return unit.mode == ExportMode::read_only || !unit.overlay.empty();
}

void check_overlays(const TargetConfig& config, Diagnostics& diagnostics) {
  for (const ExportConfig& unit : config.exports) {
    if (unit.overlay.empty()) {
      continue;
    }
    if (unit.mode == ExportMode::read_only) {
      diagnostics.add_error(unit.origin,
                            "overlay: given with mode=read-only: expected one of the two (a store "
                            "with overlays is never written to)");
    }
    if (unit.cache_bytes != 0) {
      diagnostics.add_error(unit.origin,
                            "overlay: given with cache: expected one of the two (a commit would go "
                            "past the cache; the kernel's serves the store)");
    }
    if (!unit.shadow.empty()) {
      diagnostics.add_error(unit.origin,
                            "overlay: given with shadow: expected one of the two (the store stays "
                            "as it is anyway)");
    }
    if (shared_store(unit).empty()) {
      diagnostics.add_error(unit.origin,
                            fmt::format("overlay: {} lives only as long as the daemon: "
                                        "expected a file or block device as store",
                                        in_quotes(unit.store)));
    }
  }
}

void check_snapshots(const TargetConfig& config, Diagnostics& diagnostics) {
  for (const ExportConfig& unit : config.exports) {
    if (unit.snapshots.empty()) {
      continue;
    }
    if (only_reads_store(unit)) {
      diagnostics.add_error(
          unit.origin,
          "snapshots: given with mode=read-only or overlay: expected a store that "
          "is written to");
    }
    if (shared_store(unit).empty()) {
      diagnostics.add_error(unit.origin, fmt::format("snapshots: {} lives only as long as the "
                                                     "daemon: expected a file or block device as "
                                                     "store",
                                                     in_quotes(unit.store)));
    }
  }
}

void check_integrity(const TargetConfig& config, Diagnostics& diagnostics) {
  UniqueTexts files("integrity", diagnostics);
  for (const ExportConfig& unit : config.exports) {
    files.add(unit.integrity, unit, "every export needs checksums of its own");
    if (unit.integrity.empty()) {
      continue;
    }
    if (unit.cache_bytes != 0) {
      diagnostics.add_error(unit.origin,
                            "integrity: given with cache: expected one of the two (a scrub would "
                            "read the cache and not the store)");
    }
    if (!unit.overlay.empty()) {
      diagnostics.add_error(
          unit.origin,
          "integrity: given with overlay: expected one of the two (a commit would "
          "go past the checksums)");
    }
    if (shared_store(unit).empty()) {
      diagnostics.add_error(unit.origin, fmt::format("integrity: {} lives only as long as the "
                                                     "daemon: expected a file or block device as "
                                                     "store",
                                                     in_quotes(unit.store)));
    }
  }
}

void check_interfaces(const TargetConfig& config, Diagnostics& diagnostics) {
  const std::vector<std::string_view> known(config.interfaces.begin(), config.interfaces.end());
  for (const ExportConfig& unit : config.exports) {
    for (const std::string& name : unit.interfaces) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        diagnostics.add_error(
            unit.origin, fmt::format("interfaces: {} is none of the daemon's: expected some of {}",
                                     in_quotes(name), joined(known)));
      }
    }
  }
}

void check_windows(const TargetConfig& config, Diagnostics& diagnostics) {
  for (const ExportConfig& unit : config.exports) {
    const std::uint64_t room = kLbaLimit - unit.offset_sectors;
    if (unit.length_sectors.value_or(0) > room) {
      diagnostics.add_error(
          unit.origin, fmt::format("length: offset {} + length {} sectors is more than {} (2^48)",
                                   unit.offset_sectors, *unit.length_sectors, kLbaLimit));
    }
  }
}

bool windows_overlap(const ExportConfig& a, const ExportConfig& b) {
  const auto end = [](const ExportConfig& unit) {
    return unit.offset_sectors + unit.length_sectors.value_or(kLbaLimit - unit.offset_sectors);
  };
  return a.offset_sectors < end(b) && b.offset_sectors < end(a);
}

void warn_of_shared_stores(const TargetConfig& config, Diagnostics& diagnostics) {
  std::map<std::string_view, std::vector<const ExportConfig*>> users;
  for (const ExportConfig& unit : config.exports) {
    const std::string_view store = shared_store(unit);
    if (store.empty()) {
      continue;
    }
    std::vector<const ExportConfig*>& earlier = users[store];
    const auto clash = std::find_if(earlier.begin(), earlier.end(), [&](const ExportConfig* other) {
      const bool both_read = only_reads_store(unit) && only_reads_store(*other);
      return !both_read && windows_overlap(unit, *other);
    });
    if (clash != earlier.end()) {
      diagnostics.add_warning(
          unit.origin,
          fmt::format("store: {} and {} share sectors of {}, and not both are read-only",
                      to_string((*clash)->address), to_string(unit.address), in_quotes(store)));
    }
    earlier.push_back(&unit);
  }
}

void warn_of_strange_admins(const TargetConfig& config, Diagnostics& diagnostics) {
  for (const ExportConfig& unit : config.exports) {
    if (unit.allow.any) {
      continue;
    }
    for (const MacAddress& mac : unit.remote_admin.macs) {
      const std::vector<MacAddress>& allowed = unit.allow.macs;
      if (std::find(allowed.begin(), allowed.end(), mac) == allowed.end()) {
        diagnostics.add_warning(unit.origin,
                                fmt::format("remote_admin: {} is not in allow and cannot reach {}",
                                            to_string(mac), to_string(unit.address)));
      }
    }
  }
}

}  // namespace

Diagnostics validate(const TargetConfig& config) {
  Diagnostics diagnostics;
  if (!config.group.empty() && config.user.empty()) {
    diagnostics.add_error(config.origin, "group: given without user: expected both or user alone");
  }
  if (config.frame_life == Duration{}) {
    diagnostics.add_warning(config.origin,
                            "frame_life: 0: writes that the network delivers late are executed, "
                            "and may undo newer ones (1s is right for one switch)");
  }
  if (config.port == PortKind::xdp && config.shards != 1) {
    diagnostics.add_error(config.origin,
                          "shards: given with port=xdp: expected one of the two (AF_XDP gives the "
                          "frames of a queue to one socket, and shards divide them)");
  }
  check_addresses(config, diagnostics);
  check_texts(config, diagnostics);
  check_interfaces(config, diagnostics);
  check_windows(config, diagnostics);
  check_overlays(config, diagnostics);
  check_snapshots(config, diagnostics);
  check_integrity(config, diagnostics);
  warn_of_shared_stores(config, diagnostics);
  warn_of_strange_admins(config, diagnostics);
  return diagnostics;
}

}  // namespace aoe::targetd
