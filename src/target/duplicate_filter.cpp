#include "target/duplicate_filter.h"

#include "base/check.h"
#include "protocol/aoe_session.h"

#include <algorithm>
#include <bit>

namespace aoe::target {

void DuplicateFilter::Entry::set_digest(const RequestDigest& digest) {
  header_crc = digest.header_crc;
  content_crc = digest.content_crc;
  content_bytes = digest.content_bytes;
}

RequestDigest DuplicateFilter::Entry::digest() const {
  return {.header_crc = header_crc, .content_crc = content_crc, .content_bytes = content_bytes};
}

void DuplicateFilter::Entry::set_answer(const RememberedAnswer& answer) {
  state = State::done;
  error = answer.error;
  flags = answer.registers.flags;
  feature_error = answer.registers.feature_error;
  sector_count = answer.registers.sector_count;
  command_status = answer.registers.command_status;
  lba = answer.registers.lba;
}

RememberedAnswer DuplicateFilter::Entry::answer() const {
  return {.registers = {.flags = flags,
                        .feature_error = feature_error,
                        .sector_count = sector_count,
                        .command_status = command_status,
                        .lba = lba},
          .error = error};
}

DuplicateFilter::DuplicateFilter(std::uint16_t sessions_max, std::uint32_t window)
    : window_(window),
      sessions_(sessions_max),
      entries_(std::make_unique_for_overwrite<Entry[]>(std::size_t{sessions_max} * window)) {
  AOE_CHECK(std::has_single_bit(window), "a ring keeps its places when numbers wrap around");
}

DuplicateFilter::Entry& DuplicateFilter::at(std::uint16_t session, std::uint32_t sequence) const {
  return entries_[std::size_t{session} * window_ + (sequence & (window_ - 1))];
}

void DuplicateFilter::open(std::uint16_t session, std::uint32_t low) {
  AOE_CHECK(sessions_[session].executing == 0, "a session is reused when nothing of it executes");
  sessions_[session].low = low;
  for (std::uint32_t i = 0; i < window_; ++i) {
    at(session, i).state = State::empty;
  }
}

void DuplicateFilter::advance(std::uint16_t session, std::uint32_t low) {
  std::uint32_t& current = sessions_[session].low;
  if (!protocol::sequence_before(current, low)) {
    return;
  }
  const std::uint32_t passed = std::min(low - current, window_);
  for (std::uint32_t i = 0; i < passed; ++i) {
    at(session, current + i).state = State::empty;
  }
  current = low;
}

DuplicateFilter::Verdict DuplicateFilter::look_up(std::uint16_t session, std::uint32_t sequence,
                                                  const RequestDigest& digest) const {
  const std::uint32_t low = sessions_[session].low;
  if (protocol::sequence_before(sequence, low)) {
    return {.kind = Kind::stale, .slot = 0, .answer = {}};
  }
  if (sequence - low >= window_) {
    return {.kind = Kind::beyond, .slot = 0, .answer = {}};
  }
  const Entry& entry = at(session, sequence);
  if (entry.state == State::empty) {
    return {};
  }
  AOE_CHECK(entry.sequence == sequence, "two numbers of one window never share a place");
  if (!entry.digest().is_same_request(digest)) {
    return {.kind = Kind::mismatch, .slot = 0, .answer = {}};
  }
  if (entry.state == State::executing) {
    return {.kind = Kind::executing, .slot = entry.slot, .answer = {}};
  }
  return {.kind = Kind::done, .slot = 0, .answer = entry.answer()};
}

void DuplicateFilter::begin(std::uint16_t session, std::uint32_t sequence,
                            const RequestDigest& digest, std::uint16_t slot) {
  Entry& entry = at(session, sequence);
  entry.sequence = sequence;
  entry.set_digest(digest);
  entry.state = State::executing;
  entry.slot = slot;
  ++sessions_[session].executing;
}

void DuplicateFilter::answer_at_once(std::uint16_t session, std::uint32_t sequence,
                                     const RequestDigest& digest, const RememberedAnswer& answer) {
  Entry& entry = at(session, sequence);
  entry.sequence = sequence;
  entry.set_digest(digest);
  entry.set_answer(answer);
}

void DuplicateFilter::finish(std::uint16_t session, std::uint32_t sequence,
                             const RememberedAnswer& answer) {
  AOE_CHECK(sessions_[session].executing > 0, "a request ends once");
  --sessions_[session].executing;
  Entry& entry = at(session, sequence);
  if (entry.state != State::executing || entry.sequence != sequence) {
    return;  // the initiator gave it up meanwhile
  }
  entry.set_answer(answer);
}

std::vector<DuplicateFilter::Remembered> DuplicateFilter::remembered(std::uint16_t session) const {
  std::vector<Remembered> found;
  for (std::uint32_t i = 0; i < window_; ++i) {
    const std::uint32_t sequence = sessions_[session].low + i;
    const Entry& entry = at(session, sequence);
    if (entry.state == State::done) {
      found.push_back({.sequence = sequence, .digest = entry.digest(), .answer = entry.answer()});
    }
  }
  return found;
}

}  // namespace aoe::target
