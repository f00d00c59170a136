// Small files of /sys and /proc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::aoetools {

// The whole file, at most 64 KiB; nullopt when it cannot be read.
[[nodiscard]] std::optional<std::string> read_small_file(const std::string& path);

// The names in a directory, in no order; none where there is no such directory.
[[nodiscard]] std::vector<std::string> names_in(const std::string& directory);

[[nodiscard]] bool is_directory(const std::string& path);

// Parts between blanks and line ends.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);

}  // namespace aoe::compat::aoetools
