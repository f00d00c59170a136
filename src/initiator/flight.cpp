#include "initiator/flight.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

constexpr std::uint32_t kAnswersForTrust = 64;
constexpr Duration kMarginMin = Duration::milliseconds(1);
// The margin fades as the memory of TailEstimator does.
constexpr std::int64_t kFading = 4096;
constexpr std::uint32_t kDoublingsMax = 16;

}  // namespace

void Flight::on_sent(ExchangeTable& exchanges, std::uint32_t slot) {
  Exchange& exchange = exchanges.at(slot);
  exchange.flight_number = ++last_number_;
  exchange.on_flight = true;
  order_.push_back(exchanges.links(), slot);
}

void Flight::remove(ExchangeTable& exchanges, std::uint32_t slot) {
  exchanges.at(slot).on_flight = false;
  order_.remove(exchanges.links(), slot);
}

void Flight::on_progress(Instant now) {
  quiet_since_ = now;
  silences_ = 0;
  quiet_spells_ = 0;
}

bool Flight::is_overtaken(const Exchange& exchange) const {
  return exchange.flight_number < highest_answered_;
}

void Flight::on_answer(Instant now, const Exchange& exchange, const Timing& timing) {
  answers_ = std::min(answers_ + 1, kAnswersForTrust);
  margin_ = margin_ - margin_ / kFading;
  if (is_overtaken(exchange)) {
    on_false_alarm(now - exchange.sent, timing);
  }
  highest_answered_ = std::max(highest_answered_, exchange.flight_number);
}

void Flight::on_false_alarm(Duration age, const Timing& timing) {
  margin_ = std::max(margin_, (age - timing.usual) * 5 / 4);
}

Flight::Judgement Flight::judge(Instant now, const Exchange& oldest, const Timing& timing) const {
  const std::int64_t factor = std::int64_t{1} << std::min(silences_, kDoublingsMax);
  const Duration patience = std::min(timing.patience * factor, timing.patience_max);
  // Before the oldest frame was sent there was nothing to hear: a device that had no work for
  // hours, or never answered, is not quiet since then.
  const Instant quiet_since = std::max(oldest.sent, quiet_since_);
  Judgement judgement{.fate = Fate::waits, .until = quiet_since + patience};
  const Instant quiet_ends =
      quiet_since + timing.quiet * (std::int64_t{1} << std::min(quiet_spells_, kDoublingsMax));
  if (judgement.until <= now) {
    judgement.fate = Fate::silent;
  } else if (quiet_ends <= now) {
    judgement.fate = Fate::quiet;
  } else {
    judgement.until = std::min(judgement.until, quiet_ends);
  }
  if (is_overtaken(oldest)) {
    Duration age_max = timing.usual + std::max({timing.usual / 4, margin_, kMarginMin});
    if (answers_ < kAnswersForTrust) {
      age_max = std::max(age_max, timing.patience);
    }
    const Instant overdue = oldest.sent + age_max;
    if (overdue <= now) {
      judgement.fate = Fate::overtaken;
    } else {
      judgement.until = std::min(judgement.until, overdue);
    }
  }
  return judgement;
}

void Flight::note_silence(Instant now) {
  quiet_since_ = now;
  quiet_spells_ = 0;
  ++silences_;
}

}  // namespace aoe::initiator
