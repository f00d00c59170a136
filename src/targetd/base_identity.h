// What layers lie over, as an export names it.
#pragma once

#include "storage/layer_format.h"
#include "targetd/config.h"

#include <cstdint>
#include <string>

namespace aoe::targetd {

// The store and its window, by name. `base_name`: "file:/srv/a.img". Its version stays 0.
[[nodiscard]] storage::BaseIdentity identity_of_base(const ExportConfig& config,
                                                     const std::string& base_name,
                                                     std::uint64_t size_bytes);

// "/srv/a.img" of "file:/srv/a.img"; other names stay as they are.
[[nodiscard]] std::string path_of_base(const std::string& base_name);

// Another number whenever somebody has written to the regular file since; 0 for block devices,
// which don't tell, and for what cannot be looked at.
[[nodiscard]] std::uint64_t version_of_base(const std::string& path);

// What fits a base that we write to ourselves: its version goes on meanwhile.
[[nodiscard]] inline storage::BaseIdentity without_version(storage::BaseIdentity base) {
  base.version = 0;
  return base;
}

}  // namespace aoe::targetd
