#include "sim/checkers/zero_checker.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {
namespace {

constexpr std::uint32_t kMaskBits = 64;

std::uint64_t mask_of(std::uint32_t sectors) {
  return sectors >= kMaskBits ? ~std::uint64_t{0} : (std::uint64_t{1} << sectors) - 1;
}

bool covers(const ZeroChecker::Range& range, SectorPlace place) {
  return range.disk == place.disk && place.lba >= range.lba &&
         place.lba < range.lba + range.sectors;
}

std::string text_of(const ZeroChecker::Range& range) {
  return "zeros for disk " + std::to_string(range.disk) + " sectors " + std::to_string(range.lba) +
         "+" + std::to_string(range.sectors);
}

}  // namespace

void ZeroChecker::add_writer(std::uint32_t writer, Promise promise,
                             std::vector<MacAddress> addresses) {
  AOE_CHECK(writer == writers_.size() + 1, "writers are numbered in order");
  writers_.push_back({.promise = promise, .addresses = std::move(addresses)});
}

ZeroChecker::Ticket ZeroChecker::begin(Instant now, std::uint32_t writer, const Range& range) {
  AOE_CHECK(range.sectors <= kMaskBits, "requests of the simulation are small");
  forget_old(now);
  if (free_.empty()) {
    free_.push_back(static_cast<Ticket>(requests_.size()));
    requests_.emplace_back();
  }
  const Ticket ticket = free_.back();
  free_.pop_back();
  Request& request = requests_[ticket];
  request = {.writer = writer, .range = range, .life = life_of(range.disk)};
  if (writers_[writer - 1].promise == Promise::exactly_once) {
    request.sequences.resize(range.sectors);
  }
  live_.push_back(ticket);
  return ticket;
}

void ZeroChecker::acknowledge(Instant now, Ticket ticket) {
  const Request& request = requests_[ticket];
  if (request.executed != mask_of(request.range.sectors)) {
    violations_.add(Rule::wrong_answer, now,
                    text_of(request.range) + " were acknowledged and not executed, or not all");
  }
  end(ticket);
}

void ZeroChecker::give_up(Instant now, Ticket ticket) {
  requests_[ticket].state = State::given_up;
  requests_[ticket].given_up = now;
}

void ZeroChecker::end(Ticket ticket) {
  requests_[ticket].state = State::ended;
  live_.erase(std::find(live_.begin(), live_.end(), ticket));
  free_.push_back(ticket);
}

void ZeroChecker::forget_old(Instant now) {
  for (std::size_t i = 0; i < live_.size();) {
    const Request& request = requests_[live_[i]];
    if (request.state == State::given_up && now - request.given_up > kDoubt) {
      end(live_[i]);
    } else {
      ++i;
    }
  }
}

bool ZeroChecker::is_from(const Request& request, const MacAddress& source) const {
  const std::vector<MacAddress>& addresses = writers_[request.writer - 1].addresses;
  return std::find(addresses.begin(), addresses.end(), source) != addresses.end();
}

bool ZeroChecker::is_strict(const Request& request) const {
  return writers_[request.writer - 1].promise == Promise::exactly_once && !request.is_reissued;
}

std::uint32_t ZeroChecker::life_of(std::uint32_t disk) const {
  return disk < lives_.size() ? lives_[disk] : 0;
}

void ZeroChecker::on_target_death(std::uint32_t disk) {
  if (lives_.size() <= disk) {
    lives_.resize(disk + 1);
  }
  ++lives_[disk];
}

void ZeroChecker::on_frame(const MacAddress& source, const Range& range, std::uint32_t sequence) {
  for (const Ticket ticket : live_) {
    Request& request = requests_[ticket];
    const std::uint64_t first = std::max(range.lba, request.range.lba);
    const std::uint64_t end =
        std::min(range.lba + range.sectors, request.range.lba + request.range.sectors);
    if (request.range.disk != range.disk || first >= end || !is_strict(request) ||
        !is_from(request, source)) {
      continue;
    }
    for (std::uint64_t lba = first; lba < end; ++lba) {
      std::uint32_t& sent = request.sequences[lba - request.range.lba];
      request.is_reissued = request.is_reissued || sequence == 0 || (sent != 0 && sent != sequence);
      sent = sent == 0 ? sequence : sent;
    }
  }
}

void ZeroChecker::on_change(Instant now, SectorPlace place, Kind kind, SectorValue before,
                            const MacAddress& source) {
  ++counters_.sectors;
  Request* first = nullptr;  // that was not executed there yet
  Request* any = nullptr;
  bool is_strictly_once = true;
  for (const Ticket ticket : live_) {
    Request& request = requests_[ticket];
    if (!covers(request.range, place) || !is_from(request, source)) {
      continue;
    }
    if (request.life != life_of(place.disk)) {
      request.life = life_of(place.disk);
      request.in_life = 0;
    }
    any = &request;
    is_strictly_once = is_strictly_once && is_strict(request);
    const std::uint64_t bit = std::uint64_t{1} << (place.lba - request.range.lba);
    // What its user still waits for goes first.
    const bool is_better =
        first == nullptr || (first->state == State::given_up && request.state == State::open);
    if ((request.in_life & bit) == 0 && is_better) {
      first = &request;
    }
  }
  if (first != nullptr) {
    const std::uint64_t bit = std::uint64_t{1} << (place.lba - first->range.lba);
    first->executed |= bit;
    first->in_life |= bit;
    return;
  }
  const auto violate = [&](Rule rule, const std::string& what) {
    violations_.add(rule, now,
                    "disk " + std::to_string(place.disk) + " sector " + std::to_string(place.lba) +
                        ": zeros " + what);
  };
  if (any != nullptr) {
    ++counters_.repeated;
    if (is_strictly_once) {
      violate(Rule::exactly_once, "of " + text_of(any->range) + " are executed twice");
    }
    return;
  }
  ++counters_.after_answer;
  if (kind == Kind::zeros && !before.is_zero()) {
    violate(Rule::stale_execution, "that nobody waits for are executed over " + to_string(before) +
                                       ", of " + to_string(source));
  }
}

}  // namespace aoe::sim
