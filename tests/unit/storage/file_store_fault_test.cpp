#include "os/mapped_memory.h"
#include "storage/file_store.h"
#include "storage/group_commit_store.h"
#include "support/fake_engine.h"
#include "support/store_driver.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <vector>

namespace aoe::storage {
namespace {

using aoe::testing::FakeEngine;
using aoe::testing::is_all_zero;
using aoe::testing::pattern;
using aoe::testing::StoreDriver;
using aoe::testing::TempDir;

class FileStoreFaults : public ::testing::Test {
 protected:
  void SetUp() override { reopen({}); }

  void reopen(const StoreOptions& options) {
    driver_.reset();
    store_.reset();
    auto opened = FileStore::open(dir_.make_file("a.img", 1U << 20U), options, engine_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
    driver_ = std::make_unique<StoreDriver>(*store_, &engine_);
  }

  StoreErrc write_failing_with(int os_errno) {
    engine_.add_rule({.kind = IoKind::writev, .os_errno = os_errno});
    return driver_->write(0, data_);
  }

  TempDir dir_;
  FakeEngine engine_;
  std::unique_ptr<FileStore> store_;
  std::unique_ptr<StoreDriver> driver_;
  std::vector<std::byte> data_ = pattern(4096, 1);
};

TEST_F(FileStoreFaults, NeighboursBecomeOneCall) {
  auto data = pattern(8 * 512, 1);
  driver_->add_write(1024, std::span(data).first(512));
  driver_->add_write(1536, std::span(data).subspan(512, 512));
  driver_->add_read(0, std::span(data).subspan(1024, 512));
  driver_->add_write(2048, std::span(data).subspan(1536, 512));
  driver_->add_read(512, std::span(data).subspan(2048, 512));
  driver_->add_write(8192, std::span(data).subspan(2560, 512));
  driver_->add_range(StoreOpKind::discard, 16384, 512);
  driver_->add_range(StoreOpKind::discard, 16896, 512);
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(engine_.count(IoKind::writev), 2U);
  EXPECT_EQ(engine_.count(IoKind::readv), 1U);
  EXPECT_EQ(engine_.count(IoKind::punch_hole), 2U);
  EXPECT_EQ(engine_.batches, 1U);
  EXPECT_EQ(engine_.seen[0].iovec_count, 3U);
  EXPECT_EQ(engine_.seen[0].length_bytes, 1536U);
}

TEST_F(FileStoreFaults, ALookAtTheSizeOfAHungBackingWaitsForNothingAndIsNotRepeated) {
  engine_.add_rule({.kind = IoKind::status, .hangs = true});
  std::filesystem::resize_file(dir_.path("a.img"), 2U << 20U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store_->look_at_size(), 1U << 20U);
    engine_.poll();
  }
  EXPECT_EQ(engine_.count(IoKind::status), 1U);
  EXPECT_EQ(driver_->write(0, data_), StoreErrc::ok);
  engine_.release();
  engine_.poll();
  EXPECT_EQ(store_->look_at_size(), 2U << 20U);
  EXPECT_EQ(engine_.count(IoKind::status), 2U);
}

TEST_F(FileStoreFaults, ALookAtTheSizeThatFailsLeavesItAsItWas) {
  engine_.add_rule({.kind = IoKind::status, .os_errno = EIO});
  std::filesystem::resize_file(dir_.path("a.img"), 2U << 20U);
  store_->look_at_size();
  engine_.poll();
  EXPECT_EQ(store_->info().size_bytes, 1U << 20U);
  store_->look_at_size();
  engine_.poll();
  EXPECT_EQ(store_->info().size_bytes, 2U << 20U);
}

TEST_F(FileStoreFaults, AStoreMayGoWhileALookAtItsSizeHangs) {
  engine_.add_rule({.kind = IoKind::status, .hangs = true});
  store_->look_at_size();
  driver_.reset();
  store_.reset();
  engine_.release();
  EXPECT_EQ(engine_.poll(), 1U);
}

TEST_F(FileStoreFaults, MergingIsBounded) {
  auto data = pattern(100 * 512, 1);
  for (std::size_t i = 0; i < 100; ++i) {
    driver_->add_write(i * 512, std::span(data).subspan(i * 512, 512));
  }
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(engine_.count(IoKind::writev), 7U);  // 6 of 16, one of 4
  for (const auto& seen : engine_.seen) {
    EXPECT_LE(seen.iovec_count, 16U);
  }
}

TEST_F(FileStoreFaults, SeparateBatchesAreNotMerged) {
  driver_->add_write(0, std::span(data_).first(512));
  driver_->send();
  driver_->add_write(512, std::span(data_).first(512));
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(engine_.count(IoKind::writev), 2U);
}

TEST_F(FileStoreFaults, ErrorOfAMergedRunHitsOnlyThePartThatFails) {
  // The sector at 1024 is bad, alone or with others.
  engine_.add_rule({.kind = IoKind::readv, .count = 99, .os_errno = EIO, .from_bytes = 1024});
  std::vector<StoreTag> tags;
  for (std::size_t i = 0; i < 5; ++i) {
    tags.push_back(driver_->add_read(i * 512, std::span(data_).subspan(i * 512, 512)));
  }
  ASSERT_TRUE(driver_->finish());
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(driver_->status(tags[i]), i == 2 ? StoreErrc::io : StoreErrc::ok) << i;
  }
  EXPECT_EQ(driver_->error_offset(tags[2]), 1024U);
  EXPECT_EQ(engine_.count(IoKind::readv), 6U);
  EXPECT_EQ(store_->stats().errors, 1U);
  EXPECT_EQ(driver_->duplicates, 0U);
}

TEST_F(FileStoreFaults, PartsMovedBeforeTheErrorAreDone) {
  engine_.add_rule({.kind = IoKind::writev, .short_bytes = 700});
  engine_.add_rule({.kind = IoKind::writev, .count = 99, .os_errno = ENOSPC, .from_bytes = 512});
  engine_.add_rule({.kind = IoKind::writev, .count = 99, .os_errno = ENOSPC, .from_bytes = 700});
  const StoreTag a = driver_->add_write(0, std::span(data_).first(512));
  const StoreTag b = driver_->add_write(512, std::span(data_).subspan(512, 512));
  const StoreTag c = driver_->add_write(1024, std::span(data_).subspan(1024, 512));
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(driver_->status(a), StoreErrc::ok);
  EXPECT_EQ(driver_->status(b), StoreErrc::no_space);
  EXPECT_EQ(driver_->error_offset(b), 512U);
  EXPECT_EQ(driver_->status(c), StoreErrc::ok);
}

TEST_F(FileStoreFaults, ShortTransfersAreContinued) {
  engine_.add_rule({.kind = IoKind::writev, .count = 3, .short_bytes = 100});
  ASSERT_EQ(driver_->write(512, data_), StoreErrc::ok);
  EXPECT_EQ(engine_.count(IoKind::writev), 4U);
  EXPECT_EQ(engine_.seen.back().offset_bytes, 512U + 300);

  engine_.add_rule({.kind = IoKind::readv, .count = 3, .short_bytes = 1000});
  std::vector<std::byte> read(4096);
  for (std::size_t i = 0; i < 8; ++i) {
    driver_->add_read(512 + i * 512, std::span(read).subspan(i * 512, 512));
  }
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(read, data_);
  EXPECT_EQ(store_->stats().errors, 0U);
}

TEST_F(FileStoreFaults, ErrorAfterAShortReadNamesTheFirstBadByte) {
  engine_.add_rule({.kind = IoKind::readv, .short_bytes = 1024});
  engine_.add_rule({.kind = IoKind::readv, .os_errno = EIO});
  const StoreTag tag = driver_->add_read(8192, data_);
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(driver_->status(tag), StoreErrc::io);
  EXPECT_EQ(driver_->error_offset(tag), 8192U + 1024);
}

TEST_F(FileStoreFaults, WriteErrorsMapToTheirCodes) {
  EXPECT_EQ(write_failing_with(EIO), StoreErrc::io);
  EXPECT_EQ(write_failing_with(ENOSPC), StoreErrc::no_space);
  EXPECT_EQ(write_failing_with(EDQUOT), StoreErrc::no_space);
  EXPECT_EQ(write_failing_with(EROFS), StoreErrc::read_only);
  EXPECT_EQ(write_failing_with(EBADF), StoreErrc::read_only);
  EXPECT_EQ(write_failing_with(EPERM), StoreErrc::read_only);
  EXPECT_EQ(write_failing_with(EFBIG), StoreErrc::io);
  EXPECT_EQ(write_failing_with(EOPNOTSUPP), StoreErrc::io);
  EXPECT_EQ(store_->stats().errors, 8U);
  EXPECT_EQ(driver_->write(0, data_), StoreErrc::ok) << "none of them sticks";
}

TEST_F(FileStoreFaults, ReadErrorsAreIoWhateverTheirNumber) {
  for (const int os_errno : {EIO, EBADF, EPERM, ESTALE, ENXIO}) {
    engine_.add_rule({.kind = IoKind::readv, .os_errno = os_errno});
    EXPECT_EQ(driver_->read(0, data_), StoreErrc::io) << os_errno;
  }
}

TEST_F(FileStoreFaults, WriteThatMovesNothingIsAnErrorAndNotALoop) {
  engine_.add_rule({.kind = IoKind::writev, .count = 1000, .short_bytes = 0});
  EXPECT_EQ(driver_->write(0, data_), StoreErrc::io);
}

TEST_F(FileStoreFaults, InterruptionsAreRetriedButNotForEver) {
  engine_.add_rule({.kind = IoKind::writev, .count = 3, .os_errno = EINTR});
  engine_.add_rule({.kind = IoKind::readv, .count = 1000, .os_errno = EAGAIN});
  EXPECT_EQ(driver_->write(0, data_), StoreErrc::ok);
  EXPECT_EQ(driver_->read(0, data_), StoreErrc::io);
  EXPECT_EQ(engine_.count(IoKind::readv), 17U);
}

TEST_F(FileStoreFaults, FailedSyncIsReportedAndNeverTriedAgain) {
  for (const int os_errno : {EIO, ENOSPC, EINTR, EAGAIN, EROFS, EINVAL}) {
    engine_.seen.clear();
    engine_.add_rule({.kind = IoKind::fdatasync, .os_errno = os_errno});
    EXPECT_EQ(driver_->flush(), StoreErrc::sync_failed) << os_errno;
    EXPECT_EQ(engine_.count(IoKind::fdatasync), 1U) << os_errno;
  }
}

TEST_F(FileStoreFaults, DiscardErrorsMapToTheirCodes) {
  struct Case {
    int os_errno;
    StoreErrc expected;
  };

  for (const Case c : {Case{EOPNOTSUPP, StoreErrc::unsupported}, Case{EIO, StoreErrc::io},
                       Case{ENOSPC, StoreErrc::no_space}, Case{EPERM, StoreErrc::read_only}}) {
    engine_.add_rule({.kind = IoKind::punch_hole, .os_errno = c.os_errno});
    EXPECT_EQ(driver_->range(StoreOpKind::discard, 0, 512), c.expected) << c.os_errno;
  }
}

TEST_F(FileStoreFaults, ZeroesFallBackToAHoleAndThenToWriting) {
  ASSERT_TRUE(store_->info().can_discard);
  engine_.add_rule({.kind = IoKind::zero_range, .os_errno = EOPNOTSUPP});
  ASSERT_EQ(driver_->write(0, data_), StoreErrc::ok);
  ASSERT_EQ(driver_->range(StoreOpKind::write_zeroes, 0, 512), StoreErrc::ok);
  EXPECT_EQ(engine_.count(IoKind::punch_hole), 1U);
  ASSERT_EQ(driver_->range(StoreOpKind::write_zeroes, 512, 512), StoreErrc::ok);
  EXPECT_EQ(engine_.count(IoKind::zero_range), 1U) << "asked once";

  engine_.add_rule({.kind = IoKind::punch_hole, .os_errno = EOPNOTSUPP});
  ASSERT_EQ(driver_->range(StoreOpKind::write_zeroes, 1024, 1024), StoreErrc::ok);
  std::vector<std::byte> read(4096);
  ASSERT_EQ(driver_->read(0, read), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(std::span(read).first(2048)));
  EXPECT_TRUE(std::equal(read.begin() + 2048, read.end(), data_.begin() + 2048));
}

TEST_F(FileStoreFaults, LongRangesOfZerosAreWrittenInPieces) {
  engine_.add_rule({.kind = IoKind::zero_range, .os_errno = EINVAL});
  engine_.add_rule({.kind = IoKind::writev, .skip = 1, .short_bytes = 70'000});
  auto data = pattern(1U << 20U, 1);
  ASSERT_EQ(driver_->write(0, data), StoreErrc::ok);
  ASSERT_EQ(driver_->range(StoreOpKind::write_zeroes, 512, (1U << 20U) - 1024), StoreErrc::ok);
  std::vector<std::byte> read(1U << 20U);
  ASSERT_EQ(driver_->read(0, read), StoreErrc::ok);
  std::fill(data.begin() + 512, data.end() - 512, std::byte{});
  EXPECT_EQ(read, data);
  ASSERT_EQ(driver_->range(StoreOpKind::write_zeroes, 0, 512), StoreErrc::ok);
  EXPECT_EQ(engine_.count(IoKind::zero_range), 2U) << "EINVAL is about that range only";
}

TEST_F(FileStoreFaults, ErrorWhileWritingZerosIsReportedWhereItHappened) {
  engine_.add_rule({.kind = IoKind::zero_range, .os_errno = EINVAL});
  engine_.add_rule({.kind = IoKind::writev, .short_bytes = 1024});
  engine_.add_rule({.kind = IoKind::writev, .os_errno = ENOSPC});
  const StoreTag tag = driver_->add_range(StoreOpKind::write_zeroes, 4096, 4096);
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(driver_->status(tag), StoreErrc::no_space);
  EXPECT_EQ(driver_->error_offset(tag), 4096U + 1024);
}

TEST_F(FileStoreFaults, HungOperationHoldsUpNobodyElse) {
  engine_.add_rule({.kind = IoKind::writev, .hangs = true});
  const StoreTag hung = driver_->add_write(0, std::span(data_).first(512));
  driver_->send();
  const StoreTag other = driver_->add_write(4096, std::span(data_).first(512));
  driver_->send();
  driver_->poll();
  EXPECT_TRUE(driver_->is_done(other));
  EXPECT_FALSE(driver_->is_done(hung));
  engine_.release();
  driver_->poll();
  EXPECT_EQ(driver_->status(hung), StoreErrc::ok);
}

TEST_F(FileStoreFaults, StoreMayGoWhileTheKernelStillWorks) {
  engine_.add_rule({.kind = IoKind::writev, .hangs = true});
  driver_->add_write(0, data_);
  driver_->send();
  driver_.reset();
  store_.reset();
  EXPECT_EQ(engine_.in_flight(), 1U);
  engine_.release();
  EXPECT_EQ(engine_.poll(), 1U);

  // The write ran on the descriptor that the engine kept.
  auto again = FileStore::open(dir_.path("a.img"), {}, engine_).value();
  StoreDriver driver(*again, &engine_);
  std::vector<std::byte> read(4096);
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
  EXPECT_EQ(read, data_);
}

TEST_F(FileStoreFaults, FailedFlushUnderGroupCommitNeverBecomesSuccess) {
  driver_.reset();
  GroupCommitStore stable(std::move(store_));
  StoreDriver driver(stable, &engine_);
  EXPECT_EQ(driver.write(0, data_, Durability::stable), StoreErrc::ok);
  EXPECT_EQ(engine_.count(IoKind::fdatasync), 1U);
  engine_.add_rule({.kind = IoKind::fdatasync, .os_errno = EIO});
  EXPECT_EQ(driver.write(0, data_, Durability::stable), StoreErrc::sync_failed);
  EXPECT_EQ(driver.write(0, data_, Durability::stable), StoreErrc::sync_failed);
  EXPECT_EQ(driver.flush(), StoreErrc::sync_failed);
  EXPECT_EQ(engine_.count(IoKind::fdatasync), 2U);
}

TEST_F(FileStoreFaults, FlushesThatOverlapHaveAnOpenFileEach) {
  const std::uint32_t at_once = store_->info().flushes_at_once;
  if (at_once == 1) {
    GTEST_SKIP() << "on a file system in memory";
  }
  engine_.add_rule({.kind = IoKind::fdatasync, .count = at_once, .hangs = true});
  std::vector<StoreTag> tags;
  for (std::uint32_t i = 0; i < at_once; ++i) {
    tags.push_back(driver_->add_flush());
  }
  driver_->send();
  std::set<int> fds;
  for (const FakeEngine::Seen& seen : engine_.seen) {
    fds.insert(seen.fd);
  }
  EXPECT_EQ(fds.size(), at_once);
  // fcntl(F_SETFL) is of the open file: descriptors that share one show it.
  const int first = *fds.begin();
  ASSERT_EQ(::fcntl(first, F_SETFL, ::fcntl(first, F_GETFL) | O_APPEND), 0);
  for (const int fd : fds) {
    EXPECT_EQ((::fcntl(fd, F_GETFL) & O_APPEND) != 0, fd == first);
  }
  ASSERT_EQ(::fcntl(first, F_SETFL, ::fcntl(first, F_GETFL) & ~O_APPEND), 0);

  engine_.release();
  ASSERT_TRUE(driver_->finish());
  for (const StoreTag tag : tags) {
    EXPECT_EQ(driver_->status(tag), StoreErrc::ok);
  }
  engine_.seen.clear();
  EXPECT_EQ(driver_->flush(), StoreErrc::ok);
  EXPECT_TRUE(fds.contains(engine_.seen[0].fd));
}

TEST_F(FileStoreFaults, WhereDescriptorsRunShortFlushesShareOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = ::dup(0);
  ASSERT_GE(lowest_free, 0);
  ::close(lowest_free);
  const rlimit short_limit{.rlim_cur = 2 * static_cast<rlim_t>(lowest_free) + 2,
                           .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &short_limit), 0);
  auto opened = FileStore::open(dir_.make_file("b.img", 1U << 20U), {}, engine_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->info().flushes_at_once, 1U);
  StoreDriver driver(**opened, &engine_);
  const StoreTag a = driver.add_flush();
  const StoreTag b = driver.add_flush();
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(driver.status(a), StoreErrc::ok);
  EXPECT_EQ(driver.status(b), StoreErrc::ok);
}

TEST_F(FileStoreFaults, MergedUnalignedDirectWritesShareABounceBufferAndSplitOnError) {
  driver_.reset();
  store_.reset();
  auto opened =
      FileStore::open(dir_.make_file("a.img", 1U << 20U), {.direct = DirectIo::on}, engine_);
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  StoreDriver driver(**opened, &engine_);
  auto memory = os::MappedMemory::allocate(8192, "test").value();
  const std::span<std::byte> unaligned = memory.bytes().subspan(37, 4096);
  std::copy(data_.begin(), data_.end(), unaligned.begin());
  engine_.add_rule({.kind = IoKind::writev, .count = 99, .os_errno = ENOSPC, .from_bytes = 1024});
  std::vector<StoreTag> tags;
  for (std::size_t i = 0; i < 8; ++i) {
    tags.push_back(driver.add_write(i * 512, unaligned.subspan(i * 512, 512)));
  }
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(engine_.seen[0].iovec_count, 1U);
  EXPECT_EQ(engine_.seen[0].length_bytes, 4096U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(driver.status(tags[i]), i == 2 ? StoreErrc::no_space : StoreErrc::ok) << i;
  }
  std::vector<std::byte> read(4096);
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
  std::fill_n(data_.begin() + 1024, 512, std::byte{});
  EXPECT_EQ(read, data_);
}

}  // namespace
}  // namespace aoe::storage
