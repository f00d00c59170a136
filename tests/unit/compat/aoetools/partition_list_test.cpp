#include "compat/aoetools/partition_list.h"

#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

TEST(PartitionList, FindsADeviceByItsNode) {
  constexpr const char* kList =
      "major minor  #blocks  name\n\n   8        0  500107608 sda\n 152        0      40000 "
      "etherd/e100.40\n";
  EXPECT_EQ(partition_kib(kList, partition_name("/dev/etherd/e100.40")), 40000U);
  EXPECT_EQ(partition_kib(kList, partition_name("/dev/sda")), 500107608U);
  EXPECT_EQ(partition_kib(kList, partition_name("/dev/etherd/e100.4")), std::nullopt);
  EXPECT_EQ(partition_kib("", "sda"), std::nullopt);
}

}  // namespace
}  // namespace aoe::compat::aoetools
