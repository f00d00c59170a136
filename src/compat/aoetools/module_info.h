// The aoe module that is installed, whether it is loaded or not.
#pragma once

#include <string>
#include <string_view>

namespace aoe::compat::aoetools {

// What modinfo says of it; empty where there is none.
[[nodiscard]] std::string module_info();

// The version in that text: that of the parameter `version` which drivers of the vendor had, else
// that of the module. Empty where it has neither.
[[nodiscard]] std::string installed_version(std::string_view info);

}  // namespace aoe::compat::aoetools
