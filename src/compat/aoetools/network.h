// What aoeping, aoecfg and aoe-sancheck share: sessions, and numbers as atoi took them.
#pragma once

#include "base/ids.h"
#include "client/session.h"
#include "compat/console.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::compat::aoetools {

// How long "forever" is: ten years.
inline constexpr Duration kForever = Duration::seconds(10LL * 365 * 86'400);

// A session on that interface; nullptr when there is none, and what the old commands print then.
// They end with status 1.
[[nodiscard]] std::unique_ptr<client::Session> open_session(const std::string& interface,
                                                            std::optional<Tag> first_tag,
                                                            Console& console);

// Decimal digits at the front, with a sign: what else stands there counts as nothing.
[[nodiscard]] long number_at_front(const std::string& text);

// The frame that came, as it was on the wire.
[[nodiscard]] std::vector<std::byte> whole_frame(const client::ExchangeReply& reply);

}  // namespace aoe::compat::aoetools
