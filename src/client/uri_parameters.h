// The parameters behind the question mark of a device URI.
#pragma once

#include "base/result.h"
#include "client/uri.h"

#include <string_view>

namespace aoe::client {

// Takes one key=value into `uri`. `text` is the whole URI, for the message. Errors:
// invalid_argument.
[[nodiscard]] Result<void> set_uri_parameter(std::string_view text, std::string_view key,
                                             std::string_view value, DeviceUri& uri);

}  // namespace aoe::client
