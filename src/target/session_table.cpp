#include "target/session_table.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace aoe::target {

SessionTable::SessionTable(std::uint16_t sessions_max)
    : sessions_(sessions_max),
      buckets_(std::bit_ceil(std::size_t{sessions_max} * 2), kNil),
      next_(sessions_max, kNil) {
  AOE_CHECK(sessions_max < kNone, "indices are 16 bits");
}

std::uint16_t SessionTable::find(std::uint32_t id) const {
  std::uint16_t index = buckets_[bucket_of(id)];
  while (index != kNil && sessions_[index].id != id) {
    index = next_[index];
  }
  return index;
}

std::uint16_t SessionTable::find(std::uint64_t initiator_instance, ExportId export_id) const {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(), [&](const Session& session) {
    return session.id != 0 && session.initiator_instance == initiator_instance &&
           session.export_id == export_id;
  });
  return found == sessions_.end() ? kNone : static_cast<std::uint16_t>(found - sessions_.begin());
}

std::uint16_t SessionTable::make(Instant now, Prng& prng,
                                 const std::function<bool(std::uint16_t)>& is_busy) {
  std::uint16_t chosen = kNone;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const auto index = static_cast<std::uint16_t>(i);
    if (sessions_[i].id == 0) {
      chosen = index;
      break;
    }
    const bool is_older = chosen == kNone || sessions_[i].last_used < sessions_[chosen].last_used;
    if (is_older && !is_busy(index)) {
      chosen = index;
    }
  }
  if (chosen == kNone) {
    return kNone;
  }
  remove(chosen);
  std::uint32_t id = 0;
  while (id == 0 || find(id) != kNone) {
    id = static_cast<std::uint32_t>(prng.next());
  }
  name(chosen, now, id);
  return chosen;
}

std::uint16_t SessionTable::restore(Instant now, std::uint32_t id) {
  const auto free = std::find_if(sessions_.begin(), sessions_.end(),
                                 [](const Session& session) { return session.id == 0; });
  if (id == 0 || find(id) != kNone || free == sessions_.end()) {
    return kNone;
  }
  const auto index = static_cast<std::uint16_t>(free - sessions_.begin());
  name(index, now, id);
  return index;
}

void SessionTable::name(std::uint16_t index, Instant now, std::uint32_t id) {
  sessions_[index].id = id;
  sessions_[index].last_used = now;
  next_[index] = buckets_[bucket_of(id)];
  buckets_[bucket_of(id)] = index;
}

void SessionTable::remove(std::uint16_t index) {
  const std::uint32_t id = sessions_[index].id;
  if (id == 0) {
    return;
  }
  std::uint16_t* link = &buckets_[bucket_of(id)];
  while (*link != index) {
    link = &next_[*link];
  }
  *link = next_[index];
  next_[index] = kNil;
  sessions_[index] = {};
}

void SessionTable::remove_all_of(ExportId export_id) {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i].export_id == export_id) {
      remove(static_cast<std::uint16_t>(i));
    }
  }
}

}  // namespace aoe::target
