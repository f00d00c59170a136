// The command lines of vblade and AoEde, and what they are for aoe-targetd.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "compat/console.h"
#include "compat/program.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace aoe::compat::vblade {

// Which of the two programs' command lines it is.
enum class Dialect : std::uint8_t {
  vblade,  // shelf slot netif file
  aoede,   // shelf slot netif.. file, and -f
};

struct Blade {
  DeviceAddress address{};
  std::vector<std::string> interfaces;
  std::string file;
  std::uint64_t offset_sectors = 0;
  std::optional<std::uint64_t> length_sectors;
  std::optional<std::uint32_t> buffers;
  bool is_direct = false;
  bool is_read_only = false;
  std::vector<MacAddress> allowed;  // none: everybody
  std::string shadow;               // none where empty
  std::string control;              // socket of the daemon; empty: one of its own
  std::string state_dir;            // likewise
};

// Or the exit status, when it was called for help or in a wrong way: then that has been printed.
[[nodiscard]] std::variant<Blade, int> parse_blade(Dialect dialect, const Call& call,
                                                   Console& console);

// The arguments of aoe-targetd that serve it. `host` is the name of this host, for the serial
// number, which is the one that vblade makes up.
[[nodiscard]] std::vector<std::string> target_arguments(const Blade& blade, const Places& places,
                                                        const std::string& host);

// What is exported of a file or device with so many sectors; nullopt, and the message, when there
// is nothing to export.
[[nodiscard]] std::optional<std::uint64_t> exported_sectors(const Blade& blade,
                                                            std::uint64_t sectors,
                                                            Console& console);

}  // namespace aoe::compat::vblade
