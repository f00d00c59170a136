#include "os/fd.h"
#include "storage/file_store.h"
#include "support/loop_device.h"
#include "support/store_driver.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>

namespace aoe::storage {
namespace {

using aoe::testing::is_all_zero;
using aoe::testing::LoopDevice;
using aoe::testing::LoopOptions;
using aoe::testing::pattern;
using aoe::testing::StoreDriver;
using aoe::testing::TempDir;

constexpr std::uint64_t kMiB = 1U << 20U;

class BlockDevices : public ::testing::Test {
 protected:
  void attach(const LoopOptions& options = {}) {
    loop_ = LoopDevice::attach(dir_.make_file("disk", 4 * kMiB), options);
    if (!loop_) {
      GTEST_SKIP() << "no loop devices here";
    }
    engine_ = std::move(open_io_engine({}).value().engine);
  }

  Result<std::unique_ptr<FileStore>> open(const StoreOptions& options = {}) {
    return FileStore::open(loop_->path(), options, *engine_);
  }

  TempDir dir_;
  std::optional<LoopDevice> loop_;
  std::unique_ptr<IoEngine> engine_;
};

TEST_F(BlockDevices, AreServedDirectAndReadBackFromAnyMemory) {
  ASSERT_NO_FATAL_FAILURE(attach());
  if (IsSkipped()) {
    return;
  }
  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->describe(), "file:" + loop_->path() + " (direct)");
  EXPECT_EQ((*store)->info().size_bytes, 4 * kMiB);
  EXPECT_EQ((*store)->info().physical_block_bytes, 512U);
  StoreDriver driver(**store, engine_.get());
  auto memory = pattern(4096 + 3, 1);
  const std::span<std::byte> data = std::span(memory).subspan(3);
  ASSERT_EQ(driver.write(512, data), StoreErrc::ok);
  ASSERT_EQ(driver.flush(), StoreErrc::ok);
  std::vector<std::byte> read(4096 + 1);
  ASSERT_EQ(driver.read(512, std::span(read).subspan(1)), StoreErrc::ok);
  EXPECT_TRUE(std::equal(data.begin(), data.end(), read.begin() + 1));

  ASSERT_EQ(driver.range(StoreOpKind::write_zeroes, 1024, 512), StoreErrc::ok);
  if ((*store)->info().can_discard) {
    ASSERT_EQ(driver.range(StoreOpKind::discard, 2048, 1024), StoreErrc::ok);
    ASSERT_EQ(driver.read(2048, std::span(read).first(1024)), StoreErrc::ok);
    EXPECT_TRUE(is_all_zero(std::span(read).first(1024)));
  }
  ASSERT_EQ(driver.read(1024, std::span(read).first(512)), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(std::span(read).first(512)));
}

TEST_F(BlockDevices, InUseIsRefusedAsBusy) {
  ASSERT_NO_FATAL_FAILURE(attach());
  if (IsSkipped()) {
    return;
  }
  auto first = open();
  ASSERT_TRUE(first) << first.error().message;
  const auto second = open({.access = Access::read_only});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_TRUE(second.error().message.starts_with(loop_->path() + ": cannot open"));
  EXPECT_NE(second.error().message.find("open in another program"), std::string::npos);
  first->reset();
  EXPECT_TRUE(open());
}

TEST_F(BlockDevices, WriteProtectedOneIsRefusedForWritingWithTheWayOut) {
  ASSERT_NO_FATAL_FAILURE(attach({.is_read_only = true}));
  if (IsSkipped()) {
    return;
  }
  const auto writable = open();
  ASSERT_FALSE(writable);
  EXPECT_EQ(writable.error().code, Errc::not_permitted);
  EXPECT_NE(writable.error().message.find("mode=read-only"), std::string::npos);
  auto read_only = open({.access = Access::read_only});
  ASSERT_TRUE(read_only) << read_only.error().message;
  EXPECT_TRUE((*read_only)->info().is_read_only);
}

TEST_F(BlockDevices, LargeSectorsAreServedThroughThePageCache) {
  ASSERT_NO_FATAL_FAILURE(attach({.block_bytes = 4096}));
  if (IsSkipped()) {
    return;
  }
  const auto direct = open({.direct = DirectIo::on});
  ASSERT_FALSE(direct);
  EXPECT_EQ(direct.error().code, Errc::unsupported);
  EXPECT_NE(direct.error().message.find("4096 bytes"), std::string::npos);

  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->describe(), "file:" + loop_->path() + " (buffered)");
  EXPECT_EQ((*store)->info().physical_block_bytes, 4096U);
  EXPECT_FALSE((*store)->info().can_discard);
  StoreDriver driver(**store, engine_.get());
  auto data = pattern(8192, 1);
  ASSERT_EQ(driver.write(0, data), StoreErrc::ok);
  ASSERT_EQ(driver.range(StoreOpKind::write_zeroes, 512, 1024), StoreErrc::ok);
  std::fill_n(data.begin() + 512, 1024, std::byte{});
  std::vector<std::byte> read(8192);
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
  EXPECT_EQ(read, data);
  EXPECT_EQ(driver.flush(), StoreErrc::ok);
}

TEST_F(BlockDevices, FollowTheirSizeAndReportWhatIsGone) {
  ASSERT_NO_FATAL_FAILURE(attach());
  if (IsSkipped()) {
    return;
  }
  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  std::filesystem::resize_file(dir_.path("disk"), 8 * kMiB);
  ASSERT_TRUE(loop_->resize());
  EXPECT_EQ((*store)->refresh().value(), 8 * kMiB);

  std::filesystem::resize_file(dir_.path("disk"), kMiB);
  ASSERT_TRUE(loop_->resize());
  StoreDriver driver(**store, engine_.get());
  auto data = pattern(512, 1);
  EXPECT_EQ(driver.write(2 * kMiB, data), StoreErrc::truncated);
  EXPECT_EQ(driver.read(2 * kMiB, data), StoreErrc::truncated);
  EXPECT_EQ((*store)->refresh().value(), kMiB);
}

}  // namespace
}  // namespace aoe::storage
