#include "target/late_write_filter.h"

#include <map>

namespace aoe::target {
namespace {

using Sight = TagClock::Sight;

// All that the driver ever sends (aoeblk.c and aoecmd.c).
bool is_sent_by_linux(std::uint8_t opcode) {
  switch (static_cast<protocol::AtaOp>(opcode)) {
    case protocol::AtaOp::read:
    case protocol::AtaOp::read_ext:
    case protocol::AtaOp::write:
    case protocol::AtaOp::write_ext:
    case protocol::AtaOp::identify:
      return true;
    default:
      return false;
  }
}

}  // namespace

LateWriteFilter::LateWriteFilter(CoreParts& parts) : parts_(parts) {
  if (parts.limits.frame_life.ns > 0) {
    stamps_.emplace(parts.limits.write_stamps_max, parts.limits.frame_life);
  }
}

void LateWriteFilter::look_at(Arrival& arrival, std::uint8_t opcode) {
  if (!stamps_ || arrival.context.is_sealed() || arrival.initiator == InitiatorTable::kNone) {
    return;
  }
  Initiator& initiator = parts_.initiators.at(arrival.initiator);
  arrival.sight = initiator.clock.see(arrival.now, arrival.header.tag, parts_.limits.frame_life);
  if (arrival.sight != Sight::ignored && !is_sent_by_linux(opcode)) {
    arrival.sight = initiator.host != 0 ? Sight::contradicts : Sight::unknown;
    initiator.clock.reject();
  }
  if (arrival.sight == Sight::contradicts) {
    ++parts_.stats.clocks_lost;
    initiator.host = 0;
  } else if (arrival.sight == Sight::fits && initiator.host == 0) {
    ++parts_.stats.clocks_learned;
    initiator.host = host_of(initiator);
  }
}

std::uint32_t LateWriteFilter::host_of(const Initiator& learned) {
  for (const Initiator& other : parts_.initiators.entries()) {
    if (other.in_use && other.host != 0 && other.clock.is_same_host(learned.clock)) {
      return other.host;
    }
  }
  return ++last_host_;
}

bool LateWriteFilter::drop(std::uint64_t& counter) {
  ++counter;
  ++parts_.stats.drops.late_write;
  return false;
}

bool LateWriteFilter::may_execute(const Arrival& arrival, Export& subject, const AtaPlan& plan) {
  if (arrival.context.is_sealed()) {
    return true;
  }
  if (arrival.now < subject.hold_plain_writes_until) {
    return drop(subject.stats.late.held);
  }
  const bool is_guarded = subject.settings.has_stale_write_guard &&
                          (arrival.sight == Sight::fits || arrival.sight == Sight::contradicts);
  return !is_guarded || is_newest(arrival, subject, plan);
}

bool LateWriteFilter::is_newest(const Arrival& arrival, Export& subject, const AtaPlan& plan) {
  LateWriteCounters& counters = subject.stats.late;
  if (arrival.sight == Sight::contradicts) {
    // Either no frame can be that old, or this was no Linux host after all: its next write passes.
    return drop(counters.contradicted);
  }
  Initiator& initiator = parts_.initiators.at(arrival.initiator);
  const SectorRange range{subject.id.value, plan.lba.value, plan.lba.value + plan.sectors};
  ++counters.judged;
  switch (stamps_->put(arrival.now, initiator.host, range, arrival.header.tag)) {
    case WriteStamps::Put::newest:
      return true;
    case WriteStamps::Put::stale:
      ++initiator.stale_writes;
      return drop(counters.stale);
    case WriteStamps::Put::full:
      break;
  }
  return drop(counters.unremembered);
}

void LateWriteFilter::hand_over(Instant now, const Export& subject, Handover& handover) const {
  if (!stamps_) {
    return;
  }
  for (const Initiator& initiator : parts_.initiators.entries()) {
    if (initiator.in_use && initiator.host != 0) {
      handover.hosts.push_back(
          {.mac = initiator.mac, .number = initiator.host, .clock = initiator.clock.learned()});
    }
  }
  stamps_->for_each(
      now, subject.id.value, [&handover](std::uint32_t host, const SectorRange& range, Tag stamp) {
        handover.stamps.push_back({.host = host,
                                   .lba = Lba{range.begin},
                                   .sectors = static_cast<std::uint32_t>(range.end - range.begin),
                                   .stamp = stamp});
      });
}

void LateWriteFilter::take_over(Instant now, Export& subject, const Handover& handover) {
  if (!stamps_) {
    return;
  }
  std::map<std::uint32_t, std::uint32_t> numbers;  // theirs, and ours
  for (const Handover::Host& host : handover.hosts) {
    const std::uint16_t index = parts_.initiators.touch(host.mac, now);
    if (index == InitiatorTable::kNone) {
      numbers.emplace(host.number, 0);  // learned anew; what it wrote is not known until then
      continue;
    }
    Initiator& initiator = parts_.initiators.at(index);
    if (initiator.host == 0) {
      initiator.clock = TagClock::believing(now, host.clock);
      initiator.host = initiator.clock.is_known() ? host_of(initiator) : 0;
    }
    std::uint32_t& number = numbers[host.number];
    number = initiator.host != 0 ? initiator.host : number;
  }
  bool is_complete = true;
  for (const Handover::Stamp& stamp : handover.stamps) {
    const auto number = numbers.find(stamp.host);
    if (number == numbers.end()) {
      continue;  // of a host that was forgotten: it would have had another number when it came back
    }
    const SectorRange range{subject.id.value, stamp.lba.value, stamp.lba.value + stamp.sectors};
    // "stale" cannot be: every sector has one stamp a host.
    is_complete = is_complete && number->second != 0 &&
                  stamps_->put(now, number->second, range, stamp.stamp) != WriteStamps::Put::full;
  }
  if (is_complete) {
    subject.hold_plain_writes_until = now;
  }
}

}  // namespace aoe::target
