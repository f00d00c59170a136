#include "targetd/base_identity.h"

#include "base/fnv1a.h"
#include "base/ids.h"

#include <fmt/format.h>

#include <sys/stat.h>

#include <string_view>

namespace aoe::targetd {

storage::BaseIdentity identity_of_base(const ExportConfig& config, const std::string& base_name,
                                       std::uint64_t size_bytes) {
  return {.sectors = size_bytes / kSectorBytes,
          .name_hash = fnv1a(fmt::format("{} {} {}", base_name, config.offset_sectors,
                                         config.length_sectors.value_or(0)))};
}

std::string path_of_base(const std::string& base_name) {
  constexpr std::string_view kFile = "file:";
  return base_name.starts_with(kFile) ? base_name.substr(kFile.size()) : base_name;
}

std::uint64_t version_of_base(const std::string& path) {
  struct stat status {};

  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return 0;
  }
  return fnv1a(fmt::format("{}.{:09}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec)) | 1U;
}

}  // namespace aoe::targetd
