#include "sim/checkers/fence_checker.h"

#include "protocol/aoe_frame.h"
#include "protocol/aoe_mac_lists.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace aoe::sim {
namespace {

constexpr MacAddress kFirst{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress kSecond{{2, 0, 0, 0, 0, 2}};

class FenceCheckerTest : public ::testing::Test {
 protected:
  FenceCheckerTest() {
    checker_.add_writer(1, {kFirst});
    checker_.add_writer(2, {kSecond});
  }

  enum class Kind : std::uint8_t { request, reply, refusal };

  void tell(Kind kind, const std::vector<MacAddress>& holders) {
    std::array<std::byte, 60> frame{};
    protocol::build_header(frame, {.destination = kFirst,
                                   .source = kSecond,
                                   .is_response = kind != Kind::request,
                                   .is_error = kind == Kind::refusal,
                                   .command = 3});
    protocol::build_reserve(frame, 1, holders);
    checker_.on_target_frame(0, frame);
  }

  // While the second initiator holds the disk, as far as the target knows, unless said otherwise.
  [[nodiscard]] bool may_write(std::uint32_t writer, std::uint32_t disk = 0,
                               const std::vector<MacAddress>& present = {kSecond}) {
    const std::uint64_t before = violations_.count();
    checker_.on_write({}, {.disk = disk, .lba = 1}, SectorValue::make(writer, 0, 0), present);
    return violations_.count() == before;
  }

  Violations violations_;
  FenceChecker checker_{violations_};
};

TEST_F(FenceCheckerTest, LetsEverybodyWriteUntilSomebodyHoldsTheDisk) {
  EXPECT_TRUE(may_write(1));
  tell(Kind::reply, {kSecond});
  EXPECT_FALSE(may_write(1));
  EXPECT_TRUE(may_write(2));
  EXPECT_TRUE(may_write(1, 1)) << "another disk";
  tell(Kind::reply, {});
  EXPECT_TRUE(may_write(1));
}

TEST_F(FenceCheckerTest, KnowsWhoseZerosTheyAreByTheirSender) {
  tell(Kind::reply, {kSecond});
  const std::vector<MacAddress> present{kSecond};
  checker_.on_zeros({}, {.disk = 0, .lba = 1}, kSecond, present);
  EXPECT_TRUE(violations_.empty());
  checker_.on_zeros({}, {.disk = 0, .lba = 1}, kFirst, present);
  EXPECT_EQ(violations_.count(), 1U);
}

TEST_F(FenceCheckerTest, WaitsForTheAnswerToAChange) {
  tell(Kind::reply, {kSecond});
  EXPECT_TRUE(may_write(1, 0, {kFirst})) << "it has changed hands, and nobody was told yet";
  tell(Kind::reply, {kFirst});
  EXPECT_TRUE(may_write(1, 0, {kFirst}));
  EXPECT_FALSE(may_write(2, 0, {kFirst}));
}

TEST_F(FenceCheckerTest, CountsOnlyAnswersThatSayYes) {
  tell(Kind::request, {kSecond});
  tell(Kind::refusal, {kSecond});
  EXPECT_TRUE(may_write(1));
}

}  // namespace
}  // namespace aoe::sim
