#include "config/toml_document.h"

#include "config/toml_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

// This is the only file that sees toml++, so that it may set the library up: errors as values, and
// a bound on the nesting of values that suits the stack instead of the default of 256.
//
// The library asserts that a key begins with the character of a key (parser.inl, parse_key), which
// a file with "[=" violates, and handles that case properly two lines later. With NDEBUG the
// assertion would even become a promise to the optimiser. Both are switched off.
// NOLINTBEGIN(readability-identifier-naming): the library gives the names.
#undef NDEBUG
#define TOML_ASSERT(expr) static_cast<void>(0)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
// NOLINTEND(readability-identifier-naming)
#include <toml++/toml.h>

namespace aoe::config {
namespace {

using Kind = ConfigValue::Kind;

Kind kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return Kind::string;
    case toml::node_type::integer:
      return Kind::integer;
    case toml::node_type::floating_point:
      return Kind::floating;
    case toml::node_type::boolean:
      return Kind::boolean;
    case toml::node_type::array:
      return Kind::list;
    case toml::node_type::none:
    case toml::node_type::table:
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      break;
  }
  return Kind::other;
}

class Converter {
 public:
  explicit Converter(const std::string& file_name) : file_name_(file_name) {}

  [[nodiscard]] std::string where(const toml::source_region& region) const {
    return fmt::format("{}:{}:{}", file_name_, region.begin.line, region.begin.column);
  }

  // Tables are followed as deep as a configuration nests them: the items of its arrays.
  enum class Items : bool { skip, convert };

  [[nodiscard]] TomlTable table_of(const toml::table& table, Items items) const {
    TomlTable converted;
    converted.where = where(table.source());
    for (const Node& node : in_file_order(table)) {
      TomlEntry entry;
      entry.name = node.key->str();
      entry.where = where(node.key->source());
      entry.value = value_of(*node.value);
      if (const toml::array* array = node.value->as_array(); array != nullptr) {
        entry.is_array = true;
        if (items == Items::convert) {
          entry.items = items_of(*array);
        }
      }
      converted.entries.push_back(std::move(entry));
    }
    return converted;
  }

 private:
  struct Node {
    const toml::key* key = nullptr;
    const toml::node* value = nullptr;
  };

  // The library sorts the entries of a table by name.
  static std::vector<Node> in_file_order(const toml::table& table) {
    std::vector<Node> nodes;
    for (auto&& [key, value] : table) {
      nodes.push_back({&key, &value});
    }
    std::sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) {
      return a.key->source().begin < b.key->source().begin;
    });
    return nodes;
  }

  [[nodiscard]] std::vector<TomlTable> items_of(const toml::array& array) const {
    std::vector<TomlTable> items;
    for (const toml::node& item : array) {
      if (const toml::table* table = item.as_table(); table != nullptr) {
        items.push_back(table_of(*table, Items::skip));
      } else {
        items.push_back({where(item.source()), {}, false});
      }
    }
    return items;
  }

  [[nodiscard]] ConfigValue value_of(const toml::node& node) const {
    ConfigValue value;
    value.kind = kind_of(node);
    value.where = where(node.source());
    value.text = node.value_exact<std::string>().value_or("");
    value.integer = node.value_exact<std::int64_t>().value_or(0);
    value.boolean = node.value_exact<bool>().value_or(false);
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& item : *array) {
        if (!item.is_string()) {
          value.kind = Kind::mixed_list;
          break;
        }
        value.items.push_back(item.value_exact<std::string>().value_or(""));
      }
    }
    return value;
  }

  const std::string& file_name_;
};

std::string reason_of(int os_errno) {
  return std::generic_category().message(os_errno);
}

struct CloseFile {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

}  // namespace

std::optional<TomlTable> parse_toml(std::string_view text, const std::string& file_name,
                                    Diagnostics& diagnostics) {
  if (const auto problem = scan_toml(text)) {
    diagnostics.add_error(fmt::format("{}:{}:{}", file_name, problem->line, problem->column),
                          "TOML syntax: " + problem->text);
    return std::nullopt;
  }
  const Converter converter(file_name);
  const toml::parse_result parsed = toml::parse(text, file_name);
  if (!parsed) {
    diagnostics.add_error(converter.where(parsed.error().source()),
                          fmt::format("TOML syntax: {}", sanitized(parsed.error().description())));
    return std::nullopt;
  }
  return converter.table_of(parsed.table(), Converter::Items::convert);
}

std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics) {
  const auto failed = [&](std::string text) {
    diagnostics.add_error(path, std::move(text));
    return std::nullopt;
  };
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    return failed("cannot open the configuration: " + reason_of(errno));
  }
  std::string text;
  std::array<char, 16384> block{};
  while (true) {
    const std::size_t count = std::fread(block.data(), 1, block.size(), file.get());
    text.append(block.data(), count);
    if (text.size() > kConfigFileBytesMax) {
      return failed(fmt::format("the configuration is longer than {} bytes", kConfigFileBytesMax));
    }
    if (count < block.size()) {
      break;
    }
  }
  if (std::ferror(file.get()) != 0) {
    return failed("cannot read the configuration: " + reason_of(errno));
  }
  return text;
}

void for_each_table(const TomlEntry& entry, Diagnostics& diagnostics,
                    const std::function<void(const TomlTable&)>& read) {
  const std::string& name = entry.name;
  if (!entry.is_array) {
    diagnostics.add_error(
        entry.value.where,
        fmt::format("{0}: expected [[{0}]] in double brackets, one a disk", name));
    return;
  }
  if (entry.items.empty()) {
    diagnostics.add_error(
        entry.value.where,
        fmt::format("{0}: the list is empty: expected at least one [[{0}]]", name));
  }
  for (const TomlTable& item : entry.items) {
    if (item.is_table) {
      read(item);
    } else {
      diagnostics.add_error(item.where,
                            fmt::format("{0}: expected a table [[{0}]] for every disk", name));
    }
  }
}

}  // namespace aoe::config
