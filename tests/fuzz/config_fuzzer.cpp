// Configuration texts: the first byte chooses between a TOML file and the argument of -e. Whatever
// was accepted must read back from its own dump as the same configuration, and every message must
// be one line of printable text.
#include "base/bytes.h"
#include "base/check.h"
#include "fuzz/fuzz_entry.h"
#include "targetd/config_check.h"
#include "targetd/config_dump.h"
#include "targetd/config_file.h"
#include "targetd/export_spec.h"
#include "targetd/reload_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::targetd {
namespace {

using config::Diagnostic;
using config::Diagnostics;

void check_messages(const Diagnostics& diagnostics) {
  const auto check = [](const Diagnostic& diagnostic) {
    const std::string line = to_string(diagnostic);
    const bool printable =
        std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; });
    AOE_CHECK(printable && !diagnostic.text.empty(), "a message is one printable line");
  };
  std::for_each(diagnostics.errors.begin(), diagnostics.errors.end(), check);
  std::for_each(diagnostics.warnings.begin(), diagnostics.warnings.end(), check);
}

void check_round_trip(const TargetConfig& config) {
  const std::string text = dump(config);
  const LoadedConfig again = parse_config_text(text, "dump");
  AOE_CHECK(again.diagnostics.ok(), "a dump is a good configuration file");
  AOE_CHECK(dump(again.config) == text, "a dump reads back as what was dumped");
  AOE_CHECK(diff({config, again.config}).empty(), "nothing changes between equal configurations");
}

void fuzz_file(std::string_view text) {
  const LoadedConfig loaded = parse_config_text(text, "fuzz.toml");
  const Diagnostics cross = validate(loaded.config);
  check_messages(loaded.diagnostics);
  check_messages(cross);
  if (loaded.diagnostics.ok() && cross.ok()) {
    check_round_trip(loaded.config);
  }
}

void fuzz_export(std::string_view text) {
  Diagnostics diagnostics;
  const auto spec = parse_export_spec(text, "-e", diagnostics);
  check_messages(diagnostics);
  if (!spec || !diagnostics.ok()) {
    return;
  }
  TargetConfig config;
  config.interfaces =
      spec->config.interfaces.empty() ? std::vector<std::string>{"eth1"} : spec->config.interfaces;
  config.exports.push_back(spec->config);
  check_messages(validate(config));
  check_round_trip(config);
}

}  // namespace
}  // namespace aoe::targetd

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text =
      aoe::as_text(std::as_bytes(std::span<const std::uint8_t>(data, size)).subspan(1));
  if (data[0] == '-') {
    aoe::targetd::fuzz_export(text);
  } else {
    aoe::targetd::fuzz_file(text);
  }
  return 0;
}
