// What freezing writes down, and how it is asked for by signals.
#include "targetd/freeze_record.h"
#include "targetd/freeze_signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace aoe::targetd {
namespace {

using Meaning = FreezeSignals::Meaning;

FreezeRecord example() {
  return {.layer = {0x0123456789ABCDEF, 0xF}, .shadow = "/srv/a b.shadow", .is_thawing = true};
}

TEST(FreezeRecord, ComesBackAsItWasWritten) {
  const FreezeRecord record = example();
  EXPECT_EQ(FreezeRecord::decode(as_byte_span(record.encode())), record);
  FreezeRecord frozen = record;
  frozen.is_thawing = false;
  EXPECT_EQ(FreezeRecord::decode(as_byte_span(frozen.encode())), frozen);
}

TEST(FreezeRecord, TextThatIsCutOffOrChangedIsNone) {
  const std::string text = example().encode();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(FreezeRecord::decode(as_byte_span(text.substr(0, length)))) << length;
  }
  EXPECT_FALSE(FreezeRecord::decode(as_byte_span(text + "more")));
  std::string other = text;
  other.replace(other.find("thawing"), 7, "melting");
  EXPECT_FALSE(FreezeRecord::decode(as_byte_span(other)));
  other = text;
  other.replace(other.find("0123"), 4, "xyzw");
  EXPECT_FALSE(FreezeRecord::decode(as_byte_span(other)));
}

TEST(FreezeSignals, OneFreezesTwoThaw) {
  FreezeSignals signals;
  EXPECT_EQ(signals.handle(SIGUSR1), Meaning::nothing_yet);
  EXPECT_EQ(signals.handle(SIGUSR2), Meaning::freeze);
  EXPECT_EQ(signals.handle(SIGUSR1), Meaning::nothing_yet);
  EXPECT_EQ(signals.handle(SIGUSR1), Meaning::nothing_yet);
  EXPECT_EQ(signals.handle(SIGUSR2), Meaning::thaw);
}

TEST(FreezeSignals, EverythingElseMeansNothingAndLeavesNothingBehind) {
  FreezeSignals signals;
  EXPECT_EQ(signals.handle(SIGUSR2), Meaning::nonsense);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(signals.handle(SIGUSR1), Meaning::nothing_yet);
  }
  EXPECT_EQ(signals.handle(SIGUSR2), Meaning::nonsense);
  EXPECT_EQ(signals.handle(SIGUSR1), Meaning::nothing_yet);
  EXPECT_EQ(signals.handle(SIGUSR2), Meaning::freeze);
}

}  // namespace
}  // namespace aoe::targetd
