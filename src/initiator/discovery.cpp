#include "initiator/discovery.h"

#include "protocol/aoe_frame.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace aoe::initiator {
namespace {

constexpr Duration kBurstCredit = Discovery::kSpacing * (Discovery::kBurst - 1);

}  // namespace

void QuerySchedule::restart(Instant now, First first) {
  interval_ = options_.min;
  next_ = now;
  is_to_spread_ = first == First::spread;
}

bool QuerySchedule::take_due(Instant now, Prng& random) {
  if (!next_ || *next_ > now) {
    return false;
  }
  if (std::exchange(is_to_spread_, false)) {
    next_ = now + Duration{1 + static_cast<std::int64_t>(
                                   random.below(static_cast<std::uint64_t>(kSpread.ns)))};
    return false;
  }
  const std::int64_t quarter = interval_.ns / 4;
  const auto jitter =
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * quarter + 1)));
  next_ = now + Duration{interval_.ns - quarter + jitter};
  interval_ = std::min(interval_ * 2, options_.max);
  return true;
}

TargetTable::TargetTable(std::uint32_t targets_max)
    : targets_max_(std::max<std::uint32_t>(targets_max, 1)) {
  records_.reserve(targets_max_);
}

TargetRecord& TargetTable::slot_for(const Answer& from, bool& is_new) {
  for (TargetRecord& record : records_) {
    if (record.address == from.address && record.port == from.port && record.mac == from.mac) {
      is_new = false;
      return record;
    }
  }
  is_new = true;
  if (records_.size() < targets_max_) {
    return records_.emplace_back();
  }
  return *std::min_element(
      records_.begin(), records_.end(),
      [](const TargetRecord& a, const TargetRecord& b) { return a.seen < b.seen; });
}

TargetTable::Change TargetTable::note(Instant now, const Answer& from,
                                      const protocol::ConfigFrame& config) {
  bool is_new = false;
  TargetRecord& record = slot_for(from, is_new);
  const bool same = !is_new && record.limits.buffer_count == config.buffer_count &&
                    record.limits.sector_count == config.sector_count &&
                    record.firmware_version == config.firmware_version &&
                    equal_bytes(record.config_string(), config.string);
  record.seen = now;
  if (same) {
    return Change::none;
  }
  record.address = from.address;
  record.port = from.port;
  record.mac = from.mac;
  record.limits = {config.buffer_count, config.sector_count};
  record.firmware_version = config.firmware_version;
  record.string_bytes = static_cast<std::uint16_t>(config.string.size());
  copy_bytes(record.string, config.string);
  return is_new ? Change::found : Change::changed;
}

Discovery::Discovery(const CoreOptions& options)
    : wildcard_on_(options.wildcard_discovery == CoreOptions::Wildcard::on),
      wildcard_({.min = options.query_interval_min, .max = options.query_interval_max}),
      queries_(std::max<std::uint32_t>(options.limits.queries_max, 1)),
      targets_(options.limits.targets_max) {}

void Discovery::ask(DeviceAddress address, std::uint32_t ports) {
  if (ports == 0) {
    return;
  }
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    if (queries_.at(i).address == address) {
      queries_.at(i).ports |= ports;
      return;
    }
  }
  if (!queries_.full()) {
    queries_.push({address, ports});
  }
}

bool Discovery::has_query(Instant now) {
  is_waiting_ = !queries_.empty() && now < paid_until_ - kBurstCredit;
  return !queries_.empty() && !is_waiting_;
}

Discovery::Query Discovery::take_query(Instant now, Prng& random) {
  paid_until_ = std::max(paid_until_, now) + kSpacing;
  Waiting& waiting = queries_.front();
  const auto port = static_cast<std::uint8_t>(std::countr_zero(waiting.ports));
  const DeviceAddress address = waiting.address;
  waiting.ports &= waiting.ports - 1;
  if (waiting.ports == 0) {
    static_cast<void>(queries_.pop());
  }
  // Answers are taken by what they say, not by this tag; bit 31 keeps the Linux driver of this host
  // from taking them for answers to its own.
  return {address, PortId{port}, Tag{0x80000000U | static_cast<std::uint32_t>(random.next())}};
}

void Discovery::on_link_up(Instant now) {
  if (wildcard_on_) {
    wildcard_.restart(now, QuerySchedule::First::spread);
  }
}

std::optional<Instant> Discovery::next_time() const {
  std::optional<Instant> next = wildcard_.next();
  if (is_waiting_) {
    const Instant sendable = paid_until_ - kBurstCredit;
    if (!next || sendable < *next) {
      next = sendable;
    }
  }
  return next;
}

void Discovery::on_time(Instant now, std::uint32_t ports, Prng& random) {
  if (wildcard_.take_due(now, random)) {
    ask({protocol::kAllShelves, protocol::kAllSlots}, ports);
  }
}

}  // namespace aoe::initiator
