#include "client/uri.h"

#include "client/uri_parameters.h"

#include <fmt/core.h>

namespace aoe::client {
namespace {

constexpr std::string_view kScheme = "aoe:";
constexpr std::size_t kInterfaceNameMax = 15;  // IFNAMSIZ - 1

tl::unexpected<Error> wrong(std::string_view text, const std::string& why) {
  return fail_with(Errc::invalid_argument, 0, fmt::format("{}: {}", text, why));
}

Result<void> parse_query(std::string_view text, std::string_view query, DeviceUri& uri) {
  std::vector<std::string_view> seen;
  for (;;) {
    const std::size_t ampersand = query.find('&');
    const std::string_view pair = query.substr(0, ampersand);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      return wrong(text, fmt::format("parameter '{}' has no value (expected key=value)", pair));
    }
    const std::string_view key = pair.substr(0, equals);
    for (const std::string_view earlier : seen) {
      if (earlier == key) {
        return wrong(text, fmt::format("parameter '{}' is given twice", key));
      }
    }
    seen.push_back(key);
    AOE_TRY(set_uri_parameter(text, key, pair.substr(equals + 1), uri));
    if (ampersand == std::string_view::npos) {
      return {};
    }
    query.remove_prefix(ampersand + 1);
  }
}

}  // namespace

Result<std::vector<std::string>> parse_interface_list(std::string_view list) {
  std::vector<std::string> names;
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    if (name.empty() || name.size() > kInterfaceNameMax) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("interface name '{}' must have 1 to {} characters (expected "
                                   "IF[,IF..])",
                                   name, kInterfaceNameMax));
    }
    names.emplace_back(name);
    if (comma == std::string_view::npos) {
      return names;
    }
    list.remove_prefix(comma + 1);
  }
}

bool has_aoe_scheme(std::string_view text) {
  return text.starts_with(kScheme);
}

Result<DeviceUri> parse_device_uri(std::string_view text) {
  DeviceUri uri;
  std::string_view rest = text;
  if (has_aoe_scheme(rest)) {
    rest.remove_prefix(kScheme.size());
    if (const std::size_t question = rest.find('?'); question != std::string_view::npos) {
      AOE_TRY(parse_query(text, rest.substr(question + 1), uri));
      rest = rest.substr(0, question);
    }
    if (rest.starts_with("//")) {
      rest.remove_prefix(2);
      const std::size_t slash = rest.find('/');
      if (slash == std::string_view::npos) {
        return wrong(text, "no device after the interfaces (expected aoe://IF[,IF..]/eSHELF.SLOT)");
      }
      auto interfaces = parse_interface_list(rest.substr(0, slash));
      if (!interfaces) {
        return wrong(text, interfaces.error().message);
      }
      uri.interfaces = *std::move(interfaces);
      rest.remove_prefix(slash + 1);
    }
  }
  const auto address = parse_device_address(rest);
  if (!address) {
    return wrong(text, fmt::format("'{}' is no device (expected eSHELF.SLOT such as e7.1, shelf 0 "
                                   "to 65534, slot 0 to 254)",
                                   rest));
  }
  uri.address = *address;
  return uri;
}

}  // namespace aoe::client
