#include "compat/labels/vtoc.h"

#include <fmt/format.h>

namespace aoe::labels {

std::string vtoc_tag_name(std::uint16_t tag) {
  constexpr std::array kNames{"unassigned", "boot",     "root",  "swap", "usr",
                              "backup",     "stand",    "var",   "home", "alternates",
                              "cache",      "reserved", "system"};
  constexpr std::uint16_t kUnknown = 0xFF;
  if (tag < kNames.size()) {
    return kNames[tag];
  }
  return tag == kUnknown ? "unknown" : fmt::format("tag {}", tag);
}

std::string flags_text(std::uint64_t flags) {
  return std::string((flags & kFlagReadOnly) != 0 ? "r" : "w") +
         ((flags & kFlagUnmountable) != 0 ? "u" : "m");
}

}  // namespace aoe::labels
