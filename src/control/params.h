// Reading the parameters of a request, with errors that name the parameter.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "control/message.h"

#include <cstdint>
#include <optional>
#include <string>

namespace aoe::control {

// All errors are invalid_argument: the parameter is missing or has another type or range.
[[nodiscard]] Result<std::string> text_param(const Json& params, const char* name);
// 7.1 or e7.1, as a text.
[[nodiscard]] Result<DeviceAddress> address_param(const Json& params, const char* name);

// nullopt where the parameter is missing or null.
[[nodiscard]] Result<std::optional<std::string>> optional_text_param(const Json& params,
                                                                     const char* name);
[[nodiscard]] Result<std::optional<DeviceAddress>> optional_address_param(const Json& params,
                                                                          const char* name);
[[nodiscard]] Result<std::optional<std::uint64_t>> optional_number_param(const Json& params,
                                                                         const char* name);
// False where it is missing.
[[nodiscard]] Result<bool> flag_param(const Json& params, const char* name);

}  // namespace aoe::control
