// /proc/partitions: the block devices of this host and their sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::compat::aoetools {

// The name of a device's node in that list: "etherd/e7.1" of "/dev/etherd/e7.1".
[[nodiscard]] std::string partition_name(std::string_view node);

// The size of a device in KiB.
[[nodiscard]] std::optional<std::uint64_t> partition_kib(std::string_view list,
                                                         std::string_view name);

}  // namespace aoe::compat::aoetools
