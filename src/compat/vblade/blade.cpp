#include "compat/vblade/blade.h"

#include "compat/option_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace aoe::compat::vblade {
namespace {

constexpr std::array kLongOptions{LongOption{"help", false}, LongOption{"control", true},
                                  LongOption{"state-dir", true}};
// The least that the Linux driver sends to.
constexpr long kBuffersMin = 2;
constexpr long kBuffersMax = 65535;
// vblade's serial number ends there (IDENTIFY words 10 to 19, less one).
constexpr std::size_t kSerialChars = 19;

constexpr const char* kOptionsHelp =
    "  -b N             How many requests are taken at once (64)\n"
    "  -d               Go around the page cache\n"
    "  -s               Accepted: writes are on the disk when they are answered in any case\n"
    "  -r               Refuse to write\n"
    "  -m MAC[,MAC..]   Answer these hosts alone\n"
    "  -o SECTORS       Leave out the beginning of the file (0)\n"
    "  -l SECTORS       How much of the file is shown (all)\n";

constexpr const char* kCommonHelp =
    "  --control PATH   Control socket of the daemon (/run/aoekit/vblade-eX.Y-IF.sock)\n"
    "  --state-dir DIR  Where config string, mask and reservation are kept\n"
    "                   (/var/lib/aoekit/vblade-eX.Y-IF)\n"
    "  --help           This text\n";

std::string usage(Dialect dialect, const Call& call) {
  return fmt::format(
      "usage: {} [-b bufcnt] [-o offset] [-l length] [-d ] [-s] [-r] [ -m mac[,mac...] ] {}\n",
      call.called,
      dialect == Dialect::vblade ? "shelf slot netif filename"
                                 : "[-f shadow] shelf slot netif.. filename");
}

std::string help(Dialect dialect, const Call& call) {
  const bool is_aoede = dialect == Dialect::aoede;
  return fmt::format(
      "usage: {} [options] {}\n\nExports a file or block device as an ATA over Ethernet disk, with "
      "aoe-targetd.\n\n{}{}{}",
      call.name, is_aoede ? "shelf slot netif.. file" : "shelf slot netif file", kOptionsHelp,
      is_aoede
          ? "  -f FILE          Where writes go while the export is frozen (kill -USR1, -USR2)\n"
          : "",
      kCommonHelp);
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// As strtoll(3) with base 0; nullopt where no number stands at the front, or one below `min`.
std::optional<std::uint64_t> number_at_front(const std::string& text, std::int64_t min) {
  char* end = nullptr;
  const long long number = std::strtoll(text.c_str(), &end, 0);
  return end == text.c_str() || number < min ? std::nullopt
                                             : std::optional(static_cast<std::uint64_t>(number));
}

// False when none of the addresses is one: an export that was to be restricted is not opened to
// all.
bool take_macs(const std::string& list, Blade& blade, Console& console) {
  for (const std::string& text : split_at_commas(list)) {
    std::string bare = text;
    std::erase(bare, ':');
    if (const auto mac = parse_mac_address(bare)) {
      blade.allowed.push_back(*mac);
    } else {
      console.error(fmt::format("ignoring mask {}, parseether failure\n", text));
    }
  }
  return !blade.allowed.empty();
}

// False: the usage is to be shown.
bool take_option(const OptionScanner::Option& option, Blade& blade) {
  switch (option.name.front()) {
    case 'b': {
      const long buffers = std::strtol(option.value.c_str(), nullptr, 10);
      blade.buffers = static_cast<std::uint32_t>(std::clamp(buffers, kBuffersMin, kBuffersMax));
      return buffers > 0;
    }
    case 'd':
      blade.is_direct = true;
      return true;
    case 'r':
      blade.is_read_only = true;
      return true;
    case 'o': {
      const auto offset = number_at_front(option.value, 0);
      blade.offset_sectors = offset.value_or(0);
      return offset.has_value();
    }
    case 'l':
      blade.length_sectors = number_at_front(option.value, 1);
      return blade.length_sectors.has_value();
    case 'f':
      blade.shadow = option.value;
      return true;
    default:  // -s
      return true;
  }
}

// A comma would end the value.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == ',' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  }
  return out;
}

}  // namespace

std::variant<Blade, int> parse_blade(Dialect dialect, const Call& call, Console& console) {
  const auto misused = [&] {
    console.error(usage(dialect, call));
    return 1;
  };
  OptionScanner scanner(call.arguments,
                        dialect == Dialect::aoede ? "b:dsrm:o:l:f:" : "b:dsrm:o:l:", kLongOptions);
  Blade blade;
  while (const auto option = scanner.next()) {
    if (!option->error.empty()) {
      console.error(fmt::format("{}: {}\n", call.called, option->error));
      return misused();
    }
    if (option->name == "help") {
      console.out(help(dialect, call));
      return 0;
    }
    if (option->name == "control") {
      blade.control = option->value;
    } else if (option->name == "state-dir") {
      blade.state_dir = option->value;
    } else if (option->name == "m") {
      if (!take_macs(option->value, blade, console)) {
        return 1;
      }
    } else if (!take_option(*option, blade)) {
      return misused();
    }
  }
  const std::vector<std::string>& words = scanner.operands();
  if (dialect == Dialect::vblade ? words.size() != 4 : words.size() < 4) {
    return misused();
  }
  const auto address = parse_device_address(words[0] + "." + words[1]);
  if (!address) {
    console.error(fmt::format("{}: {}.{} is not an address (shelf 0 to 65534, slot 0 to 254)\n",
                              call.name, words[0], words[1]));
    return 1;
  }
  blade.address = *address;
  for (std::size_t i = 2; i + 1 < words.size(); ++i) {
    const auto names = split_at_commas(words[i]);
    blade.interfaces.insert(blade.interfaces.end(), names.begin(), names.end());
  }
  blade.file = words.back();
  return blade;
}

std::vector<std::string> target_arguments(const Blade& blade, const Places& places,
                                          const std::string& host) {
  std::string spec = fmt::format("{}=file:{}", to_string(blade.address), escaped(blade.file));
  spec += fmt::format(",mode={}", blade.is_read_only ? "read-only" : "write-through");
  if (blade.is_direct) {
    spec += ",direct=on";
  }
  if (blade.buffers) {
    spec += fmt::format(",buffers={}", *blade.buffers);
  }
  if (blade.offset_sectors != 0) {
    spec += fmt::format(",offset={}", blade.offset_sectors);
  }
  if (blade.length_sectors) {
    spec += fmt::format(",length={}", *blade.length_sectors);
  }
  if (!blade.allowed.empty()) {
    std::string macs;
    for (const MacAddress& mac : blade.allowed) {
      macs += (macs.empty() ? "" : "+") + to_string(mac);
    }
    spec += ",allow=" + macs;
  }
  if (!blade.shadow.empty()) {
    spec += ",shadow=" + escaped(blade.shadow);
  }
  // A disk keeps its serial number when it moves from vblade to here.
  const std::string serial = to_string(blade.address).substr(1) + ":" + host;
  spec += ",serial=" + escaped(serial.substr(0, kSerialChars));

  const std::string interfaces = fmt::format("{}", fmt::join(blade.interfaces, ","));
  // One process a disk and interface is what people run, so none may be in the way of another.
  const std::string own = fmt::format("vblade-{}-{}", to_string(blade.address), interfaces);
  return {"-i",
          interfaces,
          "-e",
          spec,
          "--control",
          blade.control.empty() ? fmt::format("{}/aoekit/{}.sock", places.run, own) : blade.control,
          "--state-dir",
          blade.state_dir.empty() ? "/var/lib/aoekit/" + own : blade.state_dir};
}

std::optional<std::uint64_t> exported_sectors(const Blade& blade, std::uint64_t sectors,
                                              Console& console) {
  if (sectors <= blade.offset_sectors) {
    console.error(blade.offset_sectors == 0
                      ? std::string("0-sector file size is too small\n")
                      : fmt::format("Offset {} too large for {}-sector export\n",
                                    blade.offset_sectors, sectors));
    return std::nullopt;
  }
  const std::uint64_t most = sectors - blade.offset_sectors;
  if (blade.length_sectors && *blade.length_sectors > most) {
    console.error(
        fmt::format("Length {} too big - exceeds size of file!\n", *blade.length_sectors));
    return std::nullopt;
  }
  return blade.length_sectors.value_or(most);
}

}  // namespace aoe::compat::vblade
