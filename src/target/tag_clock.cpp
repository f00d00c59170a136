#include "target/tag_clock.h"

#include <algorithm>

namespace aoe::target {
namespace {

constexpr std::uint32_t kToolBit = 0x80000000;  // left to tools by the driver (aoenet_rcv)
constexpr unsigned kCounterShift = 16;
constexpr std::uint32_t kCounterMask = 0x7FFF;

// How much longer one frame may take than another while the clock is learned.
constexpr Duration kJitter = Duration::milliseconds(50);
constexpr Duration kLearningTime = Duration::seconds(1);
constexpr Duration kCountEvery = Duration::milliseconds(50);
constexpr std::uint32_t kAgreeing = 8;
// Disks of one host that are used in turn, and whose counters are the same.
constexpr std::uint32_t kDisksInStep = 64;
// A host that was silent this long may have slept or drifted away.
constexpr Duration kIdleMax = Duration::seconds(60);
constexpr Duration kWindow = Duration::seconds(10);
constexpr std::uint32_t kDriftPerWindow = 200;  // hz / this: 500 ppm in 10 s

std::uint16_t clock_half(Tag tag) {
  return static_cast<std::uint16_t>(tag.value & 0xFFFFU);
}

std::uint32_t counter_half(Tag tag) {
  return tag.value >> kCounterShift & kCounterMask;
}

std::int16_t difference(std::uint16_t a, std::uint16_t b) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(a - b));
}

// Our own clock in ticks of 1/hz seconds.
std::uint16_t ticks(Instant now, std::uint32_t hz) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t whole = now.ns / kSecond * hz;
  return static_cast<std::uint16_t>(whole + now.ns % kSecond * hz / kSecond);
}

std::int32_t ticks_in(Duration duration, std::uint32_t hz) {
  return static_cast<std::int32_t>(duration.ns * hz / 1'000'000'000);
}

// Jitter, and one tick of rounding on each side.
std::int32_t tolerance(std::uint32_t hz) {
  return ticks_in(kJitter, hz) + 2;
}

std::uint16_t offset_of(Instant now, Tag tag, std::uint32_t hz) {
  return static_cast<std::uint16_t>(clock_half(tag) - ticks(now, hz));
}

}  // namespace

bool is_sent_after(Tag a, Tag b) {
  const std::int16_t elapsed = difference(clock_half(a), clock_half(b));
  if (elapsed != 0) {
    return elapsed > 0;
  }
  const std::uint32_t sent = (counter_half(a) - counter_half(b)) & kCounterMask;
  return sent != 0 && sent <= kCounterMask / 2;
}

TagClock TagClock::believing(Instant now, const Learned& learned) {
  TagClock clock;
  if (std::find(kFrequencies.begin(), kFrequencies.end(), learned.hz) != kFrequencies.end()) {
    clock.hz_ = learned.hz;
    clock.offset_ = learned.offset;
    clock.window_begin_ = now;
    clock.window_highest_ = -static_cast<std::int32_t>(learned.hz);
    clock.last_seen_ = now;
  }
  return clock;
}

TagClock::Sight TagClock::see(Instant now, Tag tag, Duration frame_life) {
  if ((tag.value & kToolBit) != 0) {
    return Sight::ignored;
  }
  const bool is_idle = last_seen_ == Instant{} || now - last_seen_ > kIdleMax;
  if (is_idle) {
    begin(now, tag);
    return Sight::unknown;
  }
  if (is_known() && !fits(now, tag, frame_life)) {
    begin(now, tag);
    return Sight::contradicts;
  }
  // Those that came in one batch have nothing to tell each other.
  if (!is_known() && tag != last_tag_ && now != last_seen_) {
    learn(now, tag);
  }
  last_seen_ = now;
  last_tag_ = tag;
  return is_known() ? Sight::fits : Sight::unknown;
}

void TagClock::begin(Instant now, Tag tag) {
  *this = TagClock{};
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    candidates_[i] = {
        .is_alive = true, .first = offset_of(now, tag, kFrequencies[i]), .lowest = 0, .highest = 0};
  }
  first_seen_ = now;
  counted_at_ = now;
  last_seen_ = now;
  last_tag_ = tag;
}

void TagClock::learn(Instant now, Tag tag) {
  std::size_t alive = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    Candidate& candidate = candidates_[i];
    const std::int16_t offset = difference(offset_of(now, tag, kFrequencies[i]), candidate.first);
    candidate.lowest = std::min(candidate.lowest, offset);
    candidate.highest = std::max(candidate.highest, offset);
    candidate.is_alive =
        candidate.is_alive && candidate.highest - candidate.lowest <= tolerance(kFrequencies[i]);
    alive += candidate.is_alive ? 1U : 0U;
  }
  if (alive == 0) {
    begin(now, tag);
    return;
  }
  if (now - counted_at_ < kCountEvery) {
    return;
  }
  counted_at_ = now;
  ++agreed_;
  // iPXE has a constant there, and anything that only counts in the low half nearly so. The disks
  // of a Linux host have a counter each: two frames in a row may have the same value.
  counter_changes_ += counter_half(tag) != counter_half(last_tag_) ? 1U : 0U;
  const bool is_counting =
      counter_changes_ >= kAgreeing && counter_changes_ >= agreed_ / kDisksInStep;
  if (alive == 1 && is_counting && now - first_seen_ >= kLearningTime) {
    believe_the_last_candidate();
    window_begin_ = now;
  }
}

void TagClock::believe_the_last_candidate() {
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (candidates_[i].is_alive) {
      hz_ = kFrequencies[i];
      offset_ = static_cast<std::uint16_t>(candidates_[i].first + candidates_[i].highest);
    }
  }
  window_highest_ = -static_cast<std::int32_t>(hz_);
  window_raised_ = 0;
}

bool TagClock::fits(Instant now, Tag tag, Duration frame_life) {
  const std::int32_t ahead = difference(offset_of(now, tag, hz_), offset_);
  if (ahead < -(ticks_in(frame_life, hz_) + tolerance(hz_))) {
    return false;
  }
  window_highest_ = std::max(window_highest_, ahead);
  if (ahead > 0) {
    // A quicker frame than any before. A clock that is quicker itself would go on and on.
    window_raised_ += ahead;
    offset_ = static_cast<std::uint16_t>(offset_ + ahead);
    window_highest_ = 0;
  }
  if (window_raised_ > tolerance(hz_)) {
    return false;
  }
  if (now - window_begin_ >= kWindow) {
    // Follows a host whose clock is slower than ours; not one whose frames were slow for a while.
    const auto drift = static_cast<std::int32_t>(std::max(1U, hz_ / kDriftPerWindow));
    offset_ = static_cast<std::uint16_t>(offset_ + std::max(window_highest_, -drift));
    window_begin_ = now;
    window_highest_ = -static_cast<std::int32_t>(hz_);
    window_raised_ = 0;
  }
  return true;
}

bool TagClock::is_same_host(const TagClock& other) const {
  if (!is_known() || hz_ != other.hz_) {
    return false;
  }
  const std::int32_t apart = difference(offset_, other.offset_);
  return apart <= tolerance(hz_) && -apart <= tolerance(hz_);
}

}  // namespace aoe::target
