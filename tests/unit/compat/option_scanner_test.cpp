#include "compat/option_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace aoe::compat {
namespace {

using testing::ElementsAre;

constexpr std::array kLong{LongOption{"strict", false}, LongOption{"control", true},
                           LongOption{"count", true}};

// Every option as name=value or name!error, and the operands behind a bar.
std::vector<std::string> scan(std::vector<std::string> words) {
  OptionScanner scanner(std::move(words), "vis:", kLong);
  std::vector<std::string> found;
  while (const auto option = scanner.next()) {
    found.push_back(option->error.empty() ? option->name + "=" + option->value
                                          : option->name + "!" + option->error);
  }
  found.emplace_back("|");
  for (const std::string& operand : scanner.operands()) {
    found.push_back(operand);
  }
  return found;
}

TEST(OptionScanner, TakesLettersAloneTogetherAndWithValues) {
  EXPECT_THAT(scan({"-v", "-s", "5", "7"}), ElementsAre("v=", "s=5", "|", "7"));
  EXPECT_THAT(scan({"-vis5"}), ElementsAre("v=", "i=", "s=5", "|"));
}

TEST(OptionScanner, FindsOptionsBehindOtherWordsUpToTheDoubleDash) {
  EXPECT_THAT(scan({"7", "-v", "1", "--", "-i"}), ElementsAre("v=", "|", "7", "1", "-i"));
  EXPECT_THAT(scan({"-", "x"}), ElementsAre("|", "-", "x"));
}

TEST(OptionScanner, SaysWhatGetoptSaysOfWrongLetters) {
  EXPECT_THAT(scan({"-x"}), ElementsAre("x!invalid option -- 'x'", "|"));
  EXPECT_THAT(scan({"-:"}), ElementsAre(":!invalid option -- ':'", "|"));
  EXPECT_THAT(scan({"-s"}), ElementsAre("s!option requires an argument -- 's'", "|"));
}

TEST(OptionScanner, TakesLongOptionsWholeOrShortened) {
  EXPECT_THAT(scan({"--strict", "--control", "a", "--control=b"}),
              ElementsAre("strict=", "control=a", "control=b", "|"));
  EXPECT_THAT(scan({"--st"}), ElementsAre("strict=", "|"));
  EXPECT_THAT(scan({"--co=1"}), ElementsAre("count!option '--co' is ambiguous", "|"));
  EXPECT_THAT(scan({"--nonsense"}), ElementsAre("nonsense!unrecognized option '--nonsense'", "|"));
  EXPECT_THAT(scan({"--strict=1"}),
              ElementsAre("strict!option '--strict' doesn't allow an argument", "|"));
  EXPECT_THAT(scan({"--control"}),
              ElementsAre("control!option '--control' requires an argument", "|"));
}

}  // namespace
}  // namespace aoe::compat
