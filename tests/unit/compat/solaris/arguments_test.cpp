#include "compat/solaris/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace aoe::compat::solaris {
namespace {

using testing::ElementsAre;

class TextConsole final : public Console {
 public:
  void out(std::string_view text) override { printed += text; }

  void error(std::string_view text) override { complained += text; }

  std::string printed;
  std::string complained;
};

constexpr std::array kLong{LongOption{"type", true}};
constexpr ArgumentForm kForm{"f", kLong, "aoething [-f] DISK", "Does things.\n"};

std::optional<Arguments> read(std::vector<std::string> words, TextConsole& console, int& status) {
  Call call;
  call.name = "aoething";
  call.arguments = std::move(words);
  return read_arguments(call, kForm, console, status);
}

TEST(SolarisArguments, TellsOptionsFromOperands) {
  TextConsole console;
  int status = -1;
  const auto arguments = read({"-f", "a", "--type", "x", "b", "--type=y"}, console, status);
  ASSERT_TRUE(arguments.has_value());
  EXPECT_TRUE(arguments->has("f"));
  EXPECT_EQ(*arguments->find("type"), "y");
  EXPECT_EQ(arguments->find("g"), nullptr);
  EXPECT_THAT(arguments->operands, ElementsAre("a", "b"));
}

TEST(SolarisArguments, AWrongOneEndsWithUsageAndStatusTwo) {
  TextConsole console;
  int status = -1;
  EXPECT_FALSE(read({"-q"}, console, status).has_value());
  EXPECT_EQ(status, 2);
  EXPECT_EQ(console.complained, "aoething: invalid option -- 'q'\nusage: aoething [-f] DISK\n");
}

TEST(SolarisArguments, HelpIsPrintedAndEndsWithStatusZero) {
  TextConsole console;
  int status = -1;
  EXPECT_FALSE(read({"--help"}, console, status).has_value());
  EXPECT_EQ(status, 0);
  EXPECT_EQ(console.printed, "usage: aoething [-f] DISK\n\nDoes things.\n");
}

TEST(SolarisArguments, ListsAreSplitAtCommas) {
  EXPECT_THAT(split_list("eth0,,eth1"), ElementsAre("eth0", "eth1"));
  EXPECT_THAT(split_list(""), ElementsAre());
}

}  // namespace
}  // namespace aoe::compat::solaris
