#include "initiator/flight.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000};

Duration ms(std::int64_t value) {
  return Duration::milliseconds(value);
}

using Fate = Flight::Fate;

class FlightOrder : public testing::Test {
 protected:
  std::uint32_t send(Instant at) {
    const std::uint32_t slot = *exchanges.acquire(ExchangeKind::io, at);
    exchanges.at(slot).sent = at;
    flight.on_sent(exchanges, slot);
    return slot;
  }

  void answer(Instant at, std::uint32_t slot) {
    flight.on_progress(at);
    flight.on_answer(at, exchanges.at(slot), timing);
    flight.remove(exchanges, slot);
    exchanges.release(slot);
  }

  [[nodiscard]] Flight::Judgement judge(Instant at) const {
    return flight.judge(at, exchanges.at(flight.oldest()), timing);
  }

  // So many answers in order, after `usual`, that it trusts its margin.
  void earn_trust() {
    for (int i = 0; i < 64; ++i) {
      const std::uint32_t slot = send(now);
      now = now + timing.usual;
      answer(now, slot);
    }
  }

  ExchangeTable exchanges{{.slots = 256, .start = 7, .rest = {}}};
  Flight flight;
  Flight::Timing timing{.usual = Duration::milliseconds(10),
                        .quiet = Duration::milliseconds(50),
                        .patience = Duration::milliseconds(200),
                        .patience_max = Duration::seconds(2)};
  Instant now = kStart;
};

TEST_F(FlightOrder, KeepsTheOrderOfTransmission) {
  const std::uint32_t first = send(now);
  const std::uint32_t second = send(now);
  EXPECT_EQ(flight.oldest(), first);
  EXPECT_EQ(flight.size(), 2U);
  flight.remove(exchanges, first);
  EXPECT_EQ(flight.oldest(), second);
  EXPECT_FALSE(exchanges.at(first).on_flight);
  flight.remove(exchanges, second);
  EXPECT_TRUE(flight.empty());
}

// Doublings end somewhere: counted from an answer of hours ago, quiet would have no end, and
// whoever looks until the device is quiet no more would look forever.
TEST_F(FlightOrder, ADeviceThatHadNoWorkForADayIsQuietOnlySinceItsFrameWasSent) {
  answer(now, send(now));
  now = now + Duration::seconds(86'400);
  send(now);
  EXPECT_EQ(judge(now).fate, Fate::waits);
  EXPECT_EQ(judge(now).until, now + timing.quiet);
  EXPECT_EQ(judge(now + timing.quiet).fate, Fate::quiet);
  flight.note_quiet();
  EXPECT_EQ(judge(now + timing.quiet).fate, Fate::waits);
}

TEST_F(FlightOrder, ADeviceThatNeverAnsweredIsQuietOnlySinceItsFrameWasSent) {
  now = now + Duration::seconds(86'400);
  send(now);
  EXPECT_EQ(judge(now).until, now + timing.quiet);
}

TEST_F(FlightOrder, AnOvertakenFrameIsLostWhenItIsOlderThanUsualByAMargin) {
  earn_trust();
  send(now);
  const std::uint32_t later = send(now);
  answer(now + ms(10), later);
  const Flight::Judgement waits = judge(now + ms(10));
  EXPECT_EQ(waits.fate, Fate::waits);
  EXPECT_EQ(waits.until, now + ms(12) + Duration::microseconds(500)) << "a quarter more than usual";
  EXPECT_EQ(judge(waits.until).fate, Fate::overtaken);
}

TEST_F(FlightOrder, AFrameThatNobodyOvertookIsNotSuspected) {
  earn_trust();
  const std::uint32_t first = send(now);
  send(now);
  answer(now + ms(10), first);
  EXPECT_EQ(judge(now + ms(40)).fate, Fate::waits);
}

TEST_F(FlightOrder, BeforeEnoughAnswersAnOvertakenFrameIsGivenAsLongAsASilenceMayBe) {
  send(now);
  const std::uint32_t later = send(now);
  answer(now + ms(10), later);
  flight.on_progress(now + ms(190));
  EXPECT_EQ(judge(now + ms(190)).fate, Fate::waits);
  EXPECT_EQ(judge(now + ms(200)).fate, Fate::overtaken);
}

TEST_F(FlightOrder, LearnsThatADiskAnswersInAnOrderOfItsOwn) {
  earn_trust();
  const std::uint32_t slow = send(now);
  answer(now + ms(10), send(now));
  answer(now + ms(60), slow);
  send(now);
  answer(now + ms(10), send(now));
  flight.on_progress(now + ms(70));
  EXPECT_EQ(judge(now + ms(70)).fate, Fate::waits);
  EXPECT_EQ(judge(now + ms(10) + ms(63)).fate, Fate::overtaken) << "5/4 of the 50 ms above usual";
}

TEST_F(FlightOrder, AFrameTakenForLostByMistakeWidensTheMarginToo) {
  earn_trust();
  flight.on_false_alarm(ms(90), timing);
  send(now);
  answer(now + ms(10), send(now));
  flight.on_progress(now + ms(100));
  EXPECT_EQ(judge(now + ms(100)).fate, Fate::waits);
  EXPECT_EQ(judge(now + ms(110)).fate, Fate::overtaken);
}

TEST_F(FlightOrder, IsQuietBeforeItIsSilent) {
  send(now);
  flight.on_progress(now);
  EXPECT_EQ(judge(now + ms(49)).fate, Fate::waits);
  EXPECT_EQ(judge(now + ms(50)).fate, Fate::quiet);
  flight.note_quiet();
  EXPECT_EQ(judge(now + ms(99)).fate, Fate::waits) << "each quiet spell doubles the next";
  EXPECT_EQ(judge(now + ms(100)).fate, Fate::quiet);
  EXPECT_EQ(judge(now + ms(200)).fate, Fate::silent);
}

TEST_F(FlightOrder, EveryAnswerBeginsTheSilenceAnew) {
  send(now);
  for (int i = 1; i <= 40; ++i) {
    // Forty frames ahead of it in the queue of the disk, answered one by one.
    flight.on_progress(now + ms(40 * i));
    EXPECT_EQ(judge(now + ms(40 * i) + ms(39)).fate, Fate::waits);
  }
  EXPECT_EQ(judge(now + ms(1600) + ms(200)).fate, Fate::silent);
}

TEST_F(FlightOrder, SilencesDoubleUpToTheLimitAndAnAnswerEndsThem) {
  send(now);
  flight.on_progress(now);
  Duration expected = ms(200);
  for (int i = 0; i < 6; ++i) {
    EXPECT_NE(judge(now + expected - Duration{1}).fate, Fate::silent) << i;
    now = now + expected;
    EXPECT_EQ(judge(now).fate, Fate::silent) << i;
    flight.note_silence(now);
    expected = std::min(expected * 2, timing.patience_max);
  }
  EXPECT_EQ(expected, Duration::seconds(2));
  flight.on_progress(now);
  EXPECT_EQ(flight.silences(), 0U);
  EXPECT_EQ(judge(now + ms(200)).fate, Fate::silent);
}

TEST_F(FlightOrder, AFrameThatIsYoungerThanTheSilenceIsNotBlamedForIt) {
  flight.on_progress(now);
  send(now + ms(190));
  EXPECT_NE(judge(now + ms(200)).fate, Fate::silent);
  EXPECT_EQ(judge(now + ms(390)).fate, Fate::silent);
}

}  // namespace
}  // namespace aoe::initiator
