#include "os/boot_identity.h"

#include <gtest/gtest.h>

namespace aoe::os {
namespace {

TEST(BootIdentity, NamesThisStartOfTheKernelAndStaysTheSame) {
  const BootIdentity identity = boot_identity();
  // A UUID, without the end of its line.
  EXPECT_EQ(identity.boot.size(), 36U) << identity.boot;
  EXPECT_EQ(identity.boot.find_first_not_of("0123456789abcdef-"), std::string::npos);
  EXPECT_EQ(boot_identity(), identity);
}

TEST(BootIdentity, AnotherStartAndAnotherMachineHaveAnotherNumber) {
  const BootIdentity here{.machine = "ab", .boot = "c"};
  EXPECT_EQ(boot_number(here), boot_number({.machine = "ab", .boot = "c"}));
  EXPECT_NE(boot_number(here), boot_number({.machine = "ab", .boot = "d"}));
  EXPECT_NE(boot_number(here), boot_number({.machine = "a", .boot = "bc"}));
  EXPECT_NE(boot_number({}), 0U);
}

}  // namespace
}  // namespace aoe::os
