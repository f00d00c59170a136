// A configuration file as plain values: what TOML 1.0 says, without the TOML library's types.
#pragma once

#include "config/diagnostics.h"
#include "config/value.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::config {

// A configuration and what was found on the way. With errors the configuration holds what could be
// read, good enough for further checks and for nothing else.
template <class Config>
struct Loaded {
  Config config;
  Diagnostics diagnostics;
};

struct TomlTable;

// One key and what stands behind it, in the order of the file.
struct TomlEntry {
  std::string name;
  std::string where;  // of the name: "FILE:LINE:COLUMN"
  ConfigValue value;
  // Of an array: its items, where they are tables with their entries.
  std::vector<TomlTable> items;
  bool is_array = false;
};

struct TomlTable {
  std::string where;
  std::vector<TomlEntry> entries;
  bool is_table = true;  // false: an item of an array that is none
};

inline constexpr std::size_t kConfigFileBytesMax = std::size_t{16} << 20U;

// Reads the text of a file called `file_name` in messages, which begin FILE:LINE:COLUMN. A syntax
// error is the only thing reported, and then there is no table. Tables inside of the items of an
// array are values of the kind `other`.
[[nodiscard]] std::optional<TomlTable> parse_toml(std::string_view text,
                                                  const std::string& file_name,
                                                  Diagnostics& diagnostics);

// The bytes of a file of at most kConfigFileBytesMax bytes, or an error. Blocks while reading.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path,
                                                   Diagnostics& diagnostics);

// Calls `read` for every table of an array of tables [[NAME]], in order; reports what is none.
void for_each_table(const TomlEntry& entry, Diagnostics& diagnostics,
                    const std::function<void(const TomlTable&)>& read);

}  // namespace aoe::config
