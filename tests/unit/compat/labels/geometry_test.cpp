#include "compat/labels/geometry.h"

#include <gtest/gtest.h>

namespace aoe::labels {
namespace {

TEST(Geometry, IsMadeUpBySize) {
  EXPECT_EQ(made_up_geometry(2048), (Geometry{2, 80}));
  EXPECT_EQ(made_up_geometry(0x200000), (Geometry{64, 32}));
  EXPECT_EQ(made_up_geometry(0x200001), (Geometry{128, 32}));
  EXPECT_EQ(made_up_geometry(0x1000001), (Geometry{255, 63}));
  EXPECT_EQ(made_up_geometry(kVtocSectorsMax), (Geometry{255, 189}));
}

TEST(Geometry, HasCylindersThatFitSixteenBitsForEverySize) {
  for (std::uint64_t sectors = 480; sectors <= kVtocSectorsMax; sectors += 1 + sectors / 7) {
    EXPECT_TRUE(is_usable(made_up_geometry(sectors), sectors)) << sectors;
  }
  EXPECT_TRUE(is_usable(made_up_geometry(kVtocSectorsMax), kVtocSectorsMax));
}

TEST(Geometry, IsNotUsableWithoutRoomForAlternateCylindersAndBackups) {
  EXPECT_FALSE(is_usable({2, 80}, 479));
  EXPECT_TRUE(is_usable({2, 80}, 480));
  EXPECT_FALSE(is_usable({0, 80}, 48000));
  EXPECT_FALSE(is_usable({16, 9}, 48000));
  EXPECT_FALSE(is_usable({1, 10}, 10 * 65536));
  EXPECT_FALSE(is_usable({65536, 63}, kVtocSectorsMax));
}

}  // namespace
}  // namespace aoe::labels
