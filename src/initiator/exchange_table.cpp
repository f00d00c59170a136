#include "initiator/exchange_table.h"

#include "base/check.h"

namespace aoe::initiator {

ExchangeTable::ExchangeTable(const TagTable::Options& options)
    : tags_(options), exchanges_(options.slots), timers_(options.slots), links_(options.slots) {}

std::optional<std::uint32_t> ExchangeTable::acquire(ExchangeKind kind, Instant now) {
  const std::optional<Tag> tag = tags_.acquire(now);
  if (!tag) {
    return std::nullopt;
  }
  const std::optional<std::uint32_t> slot = tags_.find(*tag);
  AOE_CHECK(slot.has_value(), "a tag in use has a slot");
  Exchange& exchange = exchanges_[*slot];
  exchange = {};
  exchange.kind = kind;
  exchange.tag = *tag;
  return slot;
}

void ExchangeTable::release(std::uint32_t slot) {
  Exchange& exchange = exchanges_[slot];
  AOE_CHECK(exchange.kind != ExchangeKind::none && !exchange.queued,
            "an exchange ends once, and off every list");
  timers_.clear(slot);
  tags_.release(exchange.tag);
  exchange = {};
}

}  // namespace aoe::initiator
