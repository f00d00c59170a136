// What aoe-sancheck asks the network, once a session is open.
#pragma once

#include "client/session.h"
#include "compat/aoetools/san_report.h"

#include <cstdint>

namespace aoe::compat::aoetools {

// Every target that answers on the session's interface `interface`, and the largest frame of each
// that passes, of up to `sectors_max` sectors.
[[nodiscard]] std::vector<SanPath> probe_paths(client::Session& session,
                                               const std::string& interface,
                                               std::uint32_t sectors_max);

}  // namespace aoe::compat::aoetools
