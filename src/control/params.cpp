#include "control/params.h"

#include <fmt/format.h>

namespace aoe::control {
namespace {

// Null where the parameter is missing.
Json value_of(const Json& params, const char* name) {
  const auto found = params.find(name);
  return found == params.end() ? Json() : *found;
}

Error wrong(const char* name, const char* what) {
  return {Errc::invalid_argument, 0, fmt::format("params: {}: {}", name, what)};
}

}  // namespace

Result<std::string> text_param(const Json& params, const char* name) {
  AOE_TRY_ASSIGN(const auto value, optional_text_param(params, name));
  if (!value) {
    return fail(wrong(name, "missing"));
  }
  return *value;
}

Result<DeviceAddress> address_param(const Json& params, const char* name) {
  AOE_TRY_ASSIGN(const auto value, optional_address_param(params, name));
  if (!value) {
    return fail(wrong(name, "missing"));
  }
  return *value;
}

Result<std::optional<std::string>> optional_text_param(const Json& params, const char* name) {
  const Json value = value_of(params, name);
  if (value.is_null()) {
    return std::nullopt;
  }
  if (!value.is_string()) {
    return fail(wrong(name, "not a text"));
  }
  return value.get<std::string>();
}

Result<std::optional<DeviceAddress>> optional_address_param(const Json& params, const char* name) {
  AOE_TRY_ASSIGN(const auto text, optional_text_param(params, name));
  if (!text) {
    return std::nullopt;
  }
  const auto address = parse_device_address(*text);
  if (!address) {
    return fail(Error{Errc::invalid_argument, 0,
                      fmt::format("params: {}: {}: not a device address (like e7.1, shelf up to "
                                  "65534, slot up to 254)",
                                  name, *text)});
  }
  return address;
}

Result<std::optional<std::uint64_t>> optional_number_param(const Json& params, const char* name) {
  const Json value = value_of(params, name);
  if (value.is_null()) {
    return std::nullopt;
  }
  if (!value.is_number_integer() || (!value.is_number_unsigned() && value < 0)) {
    return fail(wrong(name, "not a whole number from 0"));
  }
  return value.get<std::uint64_t>();
}

Result<bool> flag_param(const Json& params, const char* name) {
  const Json value = value_of(params, name);
  if (value.is_null()) {
    return false;
  }
  if (!value.is_boolean()) {
    return fail(wrong(name, "neither true nor false"));
  }
  return value.get<bool>();
}

}  // namespace aoe::control
