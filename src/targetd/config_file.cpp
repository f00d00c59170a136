#include "targetd/config_file.h"

#include "targetd/config_keys.h"
#include "targetd/config_value.h"
#include "targetd/toml_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

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

namespace aoe::targetd {
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

class Reader {
 public:
  Reader(const std::string& file_name, LoadedConfig& loaded)
      : file_name_(file_name), loaded_(loaded) {}

  void read_text(std::string_view text) {
    if (const auto problem = scan_toml(text)) {
      diagnostics().add_error(fmt::format("{}:{}:{}", file_name_, problem->line, problem->column),
                              "TOML syntax: " + problem->text);
      return;
    }
    const toml::parse_result parsed = toml::parse(text, file_name_);
    if (!parsed) {
      diagnostics().add_error(
          where(parsed.error().source()),
          fmt::format("TOML syntax: {}", sanitized(parsed.error().description())));
      return;
    }
    read_root(parsed.table());
  }

 private:
  struct Entry {
    const toml::key* key = nullptr;
    const toml::node* node = nullptr;
  };

  Diagnostics& diagnostics() { return loaded_.diagnostics; }

  [[nodiscard]] std::string where(const toml::source_region& region) const {
    return fmt::format("{}:{}:{}", file_name_, region.begin.line, region.begin.column);
  }

  // The entries in the order of the file; the library sorts them by name.
  static std::vector<Entry> entries_of(const toml::table& table) {
    std::vector<Entry> entries;
    for (auto&& [key, node] : table) {
      entries.push_back({&key, &node});
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.key->source().begin < b.key->source().begin;
    });
    return entries;
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

  void read_root(const toml::table& root) {
    KeySetter<TargetConfig> setter(target_keys(), loaded_.config, diagnostics());
    setter.also_known("export");
    for (const Entry& entry : entries_of(root)) {
      if (entry.key->str() == "export") {
        read_exports(*entry.node);
      } else {
        setter.set(entry.key->str(), where(entry.key->source()), value_of(*entry.node));
      }
    }
    if (!setter.was_given("interfaces")) {
      diagnostics().add_error(
          file_name_, "interfaces: missing: expected a list of at least one interface name");
    }
    if (!root.contains("export")) {
      diagnostics().add_error(file_name_, "export: missing: expected at least one [[export]]");
    }
  }

  void read_exports(const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr) {
      diagnostics().add_error(where(node.source()),
                              "export: expected [[export]] in double brackets, one a disk");
      return;
    }
    if (array->empty()) {
      diagnostics().add_error(where(node.source()),
                              "export: the list is empty: expected at least one [[export]]");
    }
    for (const toml::node& item : *array) {
      if (const toml::table* table = item.as_table()) {
        read_export(*table);
      } else {
        diagnostics().add_error(where(item.source()),
                                "export: expected a table [[export]] for every disk");
      }
    }
  }

  void read_export(const toml::table& table) {
    ExportConfig config;
    config.origin = where(table.source());
    KeySetter<ExportConfig> setter(export_keys(), config, diagnostics());
    for (const Entry& entry : entries_of(table)) {
      setter.set(entry.key->str(), where(entry.key->source()), value_of(*entry.node));
    }

    struct Required {
      std::string_view name;
      std::string_view expected;
    };

    constexpr std::array kRequired{
        Required{"address", "SHELF.SLOT in quotes, such as \"7.1\""},
        Required{"store", "a path, file:PATH, memory:SIZE, null:SIZE or rbd:POOL/IMAGE[@SNAP]"},
        Required{"allow", "\"any\" or a list of MAC addresses"}};
    for (const Required& key : kRequired) {
      if (!setter.was_given(key.name)) {
        const std::string which =
            setter.was_set("address") ? "export " + to_string(config.address) : "export";
        diagnostics().add_error(config.origin, fmt::format("{}: {}: missing: expected {}", which,
                                                           key.name, key.expected));
      }
    }
    if (setter.was_set("address")) {
      loaded_.config.exports.push_back(std::move(config));
    }
  }

  const std::string& file_name_;
  LoadedConfig& loaded_;
};

std::string reason_of(int os_errno) {
  return std::generic_category().message(os_errno);
}

struct CloseFile {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

}  // namespace

LoadedConfig parse_config_text(std::string_view text, const std::string& file_name) {
  LoadedConfig loaded;
  loaded.config.origin = file_name;
  Reader(file_name, loaded).read_text(text);
  return loaded;
}

LoadedConfig read_config_file(const std::string& path) {
  const auto failed = [&path](std::string text) {
    LoadedConfig loaded;
    loaded.config.origin = path;
    loaded.diagnostics.add_error(path, std::move(text));
    return loaded;
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
  return parse_config_text(text, path);
}

}  // namespace aoe::targetd
