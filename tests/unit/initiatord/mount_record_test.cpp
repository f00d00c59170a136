// What a process of the daemon leaves for the next one.
#include "initiatord/mount_record.h"

#include "base/bytes.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <string>

namespace aoe::initiatord {
namespace {

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr DeviceAddress kE72{Shelf{7}, Slot{2}};

protocol::IdentifyModel disk(const std::string& serial, std::uint64_t sectors = 2048) {
  protocol::IdentifyModel disk;
  disk.serial = serial;
  disk.model = "a \"model\" with \\";
  disk.world_wide_name = ~0ULL;
  disk.sector_count = sectors;
  return disk;
}

// As the next process gets it.
MountRecord next(const MountRecord& record) {
  return *MountRecord::adopt(os::Fd(::dup(record.fd())));
}

TEST(MountRecord, TheNextProcessReadsWhatWasKept) {
  MountRecord first = *MountRecord::create();
  EXPECT_EQ(next(first).kernel_asks_again(), std::nullopt);
  ASSERT_TRUE(first.set_kernel_asks_again(true));
  ASSERT_TRUE(first.keep(kE71, disk("S1")));
  ASSERT_TRUE(first.keep(kE72, disk("S2")));
  ASSERT_TRUE(first.keep(kE72, disk("S2", 4096)));
  const MountRecord second = next(first);
  EXPECT_EQ(second.kernel_asks_again(), true);
  ASSERT_NE(second.disk(kE71), nullptr);
  EXPECT_EQ(second.disk(kE71)->serial, "S1");
  EXPECT_EQ(second.disk(kE71)->model, disk("S1").model);
  EXPECT_EQ(second.disk(kE71)->world_wide_name, ~0ULL);
  ASSERT_NE(second.disk(kE72), nullptr);
  EXPECT_EQ(second.disk(kE72)->sector_count, 4096U);
}

TEST(MountRecord, WhatNobodyUsesIsForgottenByAllThatFollow) {
  MountRecord first = *MountRecord::create();
  ASSERT_TRUE(first.keep(kE71, disk("S1")));
  ASSERT_TRUE(first.keep(kE72, disk("S2")));
  MountRecord second = next(first);
  ASSERT_TRUE(second.drop(kE71));
  EXPECT_TRUE(second.drop(kE71));
  EXPECT_EQ(second.disk(kE71), nullptr);
  const MountRecord third = next(second);
  EXPECT_EQ(third.disk(kE71), nullptr);
  ASSERT_NE(third.disk(kE72), nullptr);
  // The place of one is for another.
  ASSERT_TRUE(second.keep({Shelf{8}, Slot{0}}, disk("S3")));
  EXPECT_EQ(next(second).disk(kE72)->serial, "S2");
  EXPECT_EQ(next(second).disk({Shelf{8}, Slot{0}})->serial, "S3");
}

TEST(MountRecord, HoldsAsManyDisksAsAreKeptAndSaysWhenItIsFull) {
  MountRecord record = *MountRecord::create();
  for (std::uint32_t i = 0; i < MountRecord::kDisksMax; ++i) {
    ASSERT_TRUE(record.keep({Shelf{static_cast<std::uint16_t>(i)}, Slot{0}},
                            disk(std::string(20, '"'), kLbaLimit - 1)));
  }
  EXPECT_EQ(record.keep({Shelf{256}, Slot{0}}, disk("S")).error().code, Errc::no_space);
  EXPECT_EQ(next(record).disk({Shelf{255}, Slot{0}})->serial, std::string(20, '"'));
}

TEST(MountRecord, WhatMakesNoSenseIsLeftOut) {
  MountRecord record = *MountRecord::create();
  ASSERT_TRUE(record.keep(kE71, disk("S1")));
  ASSERT_TRUE(record.keep(kE72, disk("S2")));
  const std::string nonsense = "{\"address\":\"e7.1\",\"serial\":17";
  ASSERT_EQ(::pwrite(record.fd(), nonsense.data(), nonsense.size(), MountRecord::kRecordBytes),
            static_cast<ssize_t>(nonsense.size()));
  EXPECT_EQ(next(record).disk(kE71), nullptr);
  EXPECT_NE(next(record).disk(kE72), nullptr);
  ASSERT_EQ(::ftruncate(record.fd(), 100), 0);
  EXPECT_EQ(next(record).disk(kE72), nullptr);
}

}  // namespace
}  // namespace aoe::initiatord
