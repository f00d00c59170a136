#include "storage/file_store.h"

#include "base/bytes.h"
#include "os/fd.h"
#include "os/mapped_memory.h"
#include "support/store_driver.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace aoe::storage {
namespace {

using aoe::testing::is_all_zero;
using aoe::testing::pattern;
using aoe::testing::StoreDriver;
using aoe::testing::TempDir;

constexpr std::uint64_t kMiB = 1U << 20U;

std::vector<std::byte> file_bytes(const std::string& path) {
  std::vector<std::byte> bytes(std::filesystem::file_size(path));
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t length = ::read(fd.get(), bytes.data(), bytes.size());
  bytes.resize(length < 0 ? 0U : static_cast<std::size_t>(length));
  return bytes;
}

class FileStores : public ::testing::TestWithParam<IoEngineKind> {
 protected:
  void SetUp() override {
    auto opened = open_io_engine({.kind = GetParam()});
    if (!opened && GetParam() == IoEngineKind::uring) {
      GTEST_SKIP() << opened.error().message;
    }
    ASSERT_TRUE(opened) << opened.error().message;
    engine_ = std::move(opened->engine);
  }

  std::unique_ptr<FileStore> open(const std::string& path, const StoreOptions& options = {}) {
    auto store = FileStore::open(path, options, *engine_);
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }

  Error refusal(const std::string& path, const StoreOptions& options = {}) {
    auto store = FileStore::open(path, options, *engine_);
    EXPECT_FALSE(store) << path;
    return store ? Error{} : store.error();
  }

  TempDir dir_;
  std::unique_ptr<IoEngine> engine_;
};

TEST_P(FileStores, WritesLandInTheFileAndReadBack) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto store = open(path);
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(8192, 1);
  std::vector<std::byte> read(8192);
  EXPECT_EQ(driver.write(512, data), StoreErrc::ok);
  EXPECT_EQ(driver.flush(), StoreErrc::ok);
  EXPECT_EQ(driver.read(512, read), StoreErrc::ok);
  EXPECT_EQ(read, data);
  const auto bytes = file_bytes(path);
  EXPECT_TRUE(std::equal(data.begin(), data.end(), bytes.begin() + 512));
  EXPECT_TRUE(is_all_zero(std::span(bytes).first(512)));

  EXPECT_EQ(store->info().size_bytes, kMiB);
  EXPECT_EQ(store->info().physical_block_bytes, 4096U);
  EXPECT_TRUE(store->info().is_volatile);
  EXPECT_FALSE(store->info().is_read_only);
  EXPECT_EQ(store->describe(), "file:" + path + " (buffered)");
  EXPECT_EQ(store->stats().writes, 1U);
  EXPECT_EQ(store->stats().read_bytes, 8192U);
  EXPECT_EQ(store->stats().errors, 0U);
}

TEST_P(FileStores, ReadsLeaveTheTimeOfTheLastReadAlone) {
  const std::string path = dir_.make_file("a.img", kMiB);
  // So long ago that any mount option but noatime would have it written anew.
  constexpr std::time_t kLongAgo = 1'000'000'000;
  const std::array<timespec, 2> times{timespec{.tv_sec = kLongAgo, .tv_nsec = 0},
                                      timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  auto store = open(path);
  StoreDriver driver(*store, engine_.get());
  std::vector<std::byte> read(8192);
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);

  struct stat status {};

  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_atim.tv_sec, kLongAgo);
}

TEST_P(FileStores, ManySmallOperationsInOneBatchAllArrive) {
  auto store = open(dir_.make_file("a.img", kMiB));
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(100 * 1024, 2);
  for (std::size_t i = 0; i < 100; ++i) {
    // Two interleaved streams, so that merging has something to choose.
    const std::size_t at = (i % 2 == 0 ? i / 2 : 50 + i / 2) * 1024;
    driver.add_write(at, std::span(data).subspan(at, 1024));
  }
  ASSERT_TRUE(driver.finish());
  std::vector<std::byte> read(data.size());
  for (std::size_t i = 0; i < 100; ++i) {
    driver.add_read(i * 1024, std::span(read).subspan(i * 1024, 1024));
  }
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(read, data);
  EXPECT_EQ(driver.duplicates, 0U);
  EXPECT_EQ(store->stats().writes, 100U);
  EXPECT_EQ(store->stats().reads, 100U);
}

TEST_P(FileStores, WindowShiftsAndBoundsEverything) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto store = open(path, {.offset_sectors = 3, .length_sectors = 8});
  EXPECT_EQ(store->info().size_bytes, 8U * 512);
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(8U * 512, 3);
  EXPECT_EQ(driver.write(0, data), StoreErrc::ok);
  EXPECT_EQ(driver.range(StoreOpKind::discard, 512, 1024), StoreErrc::ok);
  EXPECT_EQ(driver.range(StoreOpKind::write_zeroes, 3584, 512), StoreErrc::ok);
  std::fill_n(data.begin() + 512, 1024, std::byte{});
  std::fill_n(data.begin() + 3584, 512, std::byte{});
  const auto bytes = file_bytes(path);
  EXPECT_TRUE(is_all_zero(std::span(bytes).first(1536)));
  EXPECT_TRUE(std::equal(data.begin(), data.end(), bytes.begin() + 1536));
  EXPECT_TRUE(is_all_zero(std::span(bytes).subspan(1536 + 4096)));
  EXPECT_EQ(driver.write(8U * 512, std::span(data).first(512)), StoreErrc::truncated);
  EXPECT_EQ(driver.read(7U * 512, std::span(data).first(1024)), StoreErrc::truncated);
}

TEST_P(FileStores, DiscardFreesTheBlocksOfAFileAndReadsZero) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto store = open(path);
  if (!store->info().can_discard) {
    GTEST_SKIP() << "the file system of the test directory makes no holes";
  }
  EXPECT_TRUE(store->info().discard_reads_zero);
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(kMiB, 4);
  ASSERT_EQ(driver.write(0, data), StoreErrc::ok);
  ASSERT_EQ(driver.flush(), StoreErrc::ok);

  struct stat before {};

  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  EXPECT_EQ(driver.range(StoreOpKind::discard, 0, kMiB / 2), StoreErrc::ok);

  struct stat after {};

  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_LT(after.st_blocks, before.st_blocks);
  EXPECT_EQ(after.st_size, before.st_size);
  std::vector<std::byte> read(kMiB);
  EXPECT_EQ(driver.read(0, read), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(std::span(read).first(kMiB / 2)));
  EXPECT_TRUE(std::equal(read.begin() + kMiB / 2, read.end(), data.begin() + kMiB / 2));
}

TEST_P(FileStores, OpeningChangesNeitherSizeNorBytes) {
  const std::string path = dir_.make_file("a.img", 0);
  std::ofstream(path, std::ios::binary) << std::string(5000, 'x');
  const auto before = file_bytes(path);
  auto store = open(path);
  EXPECT_EQ(file_bytes(path), before);
}

TEST_P(FileStores, SizeIsRoundedDownAndTheOddTailReported) {
  auto store = open(dir_.make_file("a.img", 10 * 512 + 100));
  EXPECT_EQ(store->info().size_bytes, 10U * 512);
  EXPECT_EQ(store->odd_tail_bytes(), 100U);
  auto window = open(dir_.path("a.img"), {.length_sectors = 2});
  EXPECT_EQ(window->odd_tail_bytes(), 0U);
}

TEST_P(FileStores, RefreshSeesGrowthUpToTheWindow) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto open_end = open(path, {.offset_sectors = 2});
  auto fixed = open(path, {.length_sectors = kMiB / 512});
  std::filesystem::resize_file(path, 2 * kMiB + 511);
  EXPECT_EQ(open_end->info().size_bytes, kMiB - 1024) << "only refresh changes the size";
  EXPECT_EQ(open_end->refresh().value(), 2 * kMiB - 1024);
  EXPECT_EQ(open_end->info().size_bytes, 2 * kMiB - 1024);
  EXPECT_EQ(fixed->refresh().value(), kMiB);

  StoreDriver driver(*open_end, engine_.get());
  auto data = pattern(512, 1);
  EXPECT_EQ(driver.write(2 * kMiB - 1536, data), StoreErrc::ok);
  std::filesystem::resize_file(path, 512);
  EXPECT_EQ(open_end->refresh().value(), 0U);
  EXPECT_EQ(fixed->refresh().value(), 512U);
}

TEST_P(FileStores, LookingAtTheSizeSeesGrowthUpToTheWindowLater) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto open_end = open(path, {.offset_sectors = 2});
  auto fixed = open(path, {.length_sectors = kMiB / 512});
  std::filesystem::resize_file(path, 2 * kMiB + 511);
  EXPECT_EQ(open_end->look_at_size(), kMiB - 1024);
  EXPECT_EQ(fixed->look_at_size(), kMiB);
  ASSERT_TRUE(engine_->drain(Duration::seconds(60)));
  EXPECT_EQ(open_end->info().size_bytes, 2 * kMiB - 1024);
  EXPECT_EQ(open_end->look_at_size(), 2 * kMiB - 1024);
  EXPECT_EQ(fixed->look_at_size(), kMiB);
}

TEST_P(FileStores, ReadBehindAnEndThatMovedIsTruncatedAndNotZeros) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto store = open(path);
  StoreDriver driver(*store, engine_.get());
  std::filesystem::resize_file(path, 4096 + 512);
  std::vector<std::byte> read(8192);
  const StoreTag crossing = driver.add_read(4096, std::span(read).first(4096));
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(driver.status(crossing), StoreErrc::truncated);
  EXPECT_EQ(driver.error_offset(crossing), 4096U + 512);

  const StoreTag whole = driver.add_read(4096, std::span(read).first(512));
  const StoreTag next = driver.add_read(4096 + 512, std::span(read).first(512));
  const StoreTag far = driver.add_read(8192, std::span(read).first(512));
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(driver.status(whole), StoreErrc::ok) << "merged with its neighbour, judged by itself";
  EXPECT_EQ(driver.status(next), StoreErrc::truncated);
  EXPECT_EQ(driver.error_offset(next), 4096U + 512);
  EXPECT_EQ(driver.status(far), StoreErrc::truncated);
  EXPECT_EQ(driver.error_offset(far), 8192U);
}

TEST_P(FileStores, ReadOnlyStoreRefusesWritesAndPromisesNothing) {
  const std::string path = dir_.make_file("a.img", kMiB);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  auto store = open(path, {.access = Access::read_only});
  EXPECT_TRUE(store->info().is_read_only);
  EXPECT_FALSE(store->info().can_discard);
  EXPECT_FALSE(store->info().can_write_zeroes);
  EXPECT_FALSE(store->info().is_volatile);
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(512, 1);
  EXPECT_EQ(driver.write(0, data), StoreErrc::read_only);
  EXPECT_EQ(driver.flush(), StoreErrc::ok);
  EXPECT_EQ(driver.read(0, data), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(data));
}

TEST_P(FileStores, RefusesWhatCannotBeServed) {
  EXPECT_EQ(refusal(dir_.path("missing")).code, Errc::not_found);
  EXPECT_NE(refusal(dir_.path("")).message.find("a directory"), std::string::npos);
  EXPECT_NE(refusal("/dev/null").message.find("a character device"), std::string::npos);
  ASSERT_EQ(::mkfifo(dir_.path("pipe").c_str(), 0600), 0);
  EXPECT_NE(refusal(dir_.path("pipe"), {.access = Access::read_only}).message.find("a pipe"),
            std::string::npos);
  EXPECT_NE(refusal(dir_.make_file("tiny", 511)).message.find("image shorter than a sector"),
            std::string::npos);
  const std::string path = dir_.make_file("a.img", 10 * 512);
  EXPECT_NE(refusal(path, {.offset_sectors = 10}).message.find("offset=10"), std::string::npos);
  EXPECT_NE(refusal(path, {.offset_sectors = ~std::uint64_t{0}}).message.find("behind the end"),
            std::string::npos);
  EXPECT_NE(refusal(path, {.offset_sectors = 4, .length_sectors = 7}).message.find("length=7"),
            std::string::npos);
  EXPECT_NE(refusal(path, {.length_sectors = ~std::uint64_t{0}}).message.find("10 sectors"),
            std::string::npos);
  EXPECT_EQ(refusal(path, {.length_sectors = 0}).code, Errc::invalid_argument);
  EXPECT_EQ(refusal(path, {.in_flight_max = 0}).code, Errc::invalid_argument);
}

TEST_P(FileStores, FollowsSymbolicLinks) {
  const std::string path = dir_.make_file("a.img", kMiB);
  std::filesystem::create_symlink(path, dir_.path("link"));
  EXPECT_NE(open(dir_.path("link")), nullptr);
}

TEST_P(FileStores, DirectStoreCopesWithMemoryOfAnyAlignment) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto opened = FileStore::open(path, {.direct = DirectIo::on}, *engine_);
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  FileStore& store = **opened;
  EXPECT_EQ(store.describe(), "file:" + path + " (direct)");
  StoreDriver driver(store, engine_.get());
  // Longer than a bounce buffer, and more at once than there are buffers.
  constexpr std::size_t kLong = 300 * 1024;
  constexpr std::size_t kShort = 4096;
  constexpr std::size_t kCount = 40;
  auto reference = pattern(kLong + kShort * kCount, 5);
  std::vector<std::vector<std::byte>> memory;
  const auto unaligned = [&](std::size_t size) {
    memory.emplace_back(size + 1024 + 1);
    std::size_t skip = 1;
    while (os::is_aligned(std::span(memory.back()).subspan(skip), 2)) {
      ++skip;
    }
    return std::span(memory.back()).subspan(skip, size);
  };
  memory.reserve(2 * kCount + 2);
  const auto long_write = unaligned(kLong);
  copy_bytes(long_write, std::span(reference).first(kLong));
  driver.add_write(0, long_write);
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::size_t at = kLong + (kCount - 1 - i) * kShort;  // downwards: nothing merges
    const auto data = unaligned(kShort);
    copy_bytes(data, std::span(reference).subspan(at, kShort));
    driver.add_write(at, data);
  }
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(store.stats().errors, 0U);

  const auto read = unaligned(reference.size());
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
  EXPECT_TRUE(equal_bytes(read, reference));
  auto aligned = os::MappedMemory::allocate(reference.size(), "test").value();
  ASSERT_EQ(driver.read(0, aligned.bytes()), StoreErrc::ok);
  EXPECT_TRUE(equal_bytes(aligned.bytes(), reference));
  EXPECT_EQ(driver.range(StoreOpKind::write_zeroes, 512, 1024), StoreErrc::ok);
  ASSERT_EQ(driver.read(512, read.first(1024)), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(read.first(1024)));
}

TEST_P(FileStores, DirectReadBehindAnEndThatMovedIsTruncated) {
  const std::string path = dir_.make_file("a.img", kMiB);
  auto opened = FileStore::open(path, {.direct = DirectIo::on}, *engine_);
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  StoreDriver driver(**opened, engine_.get());
  std::filesystem::resize_file(path, 4096 + 100);
  std::vector<std::byte> read(8192);
  const StoreTag tag = driver.add_read(0, read);
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(driver.status(tag), StoreErrc::truncated);
  EXPECT_EQ(driver.error_offset(tag), 4096U);
}

TEST_P(FileStores, ManyStoresShareOneEngine) {
  auto a = open(dir_.make_file("a.img", kMiB));
  auto b = open(dir_.make_file("b.img", kMiB));
  StoreDriver to_a(*a, engine_.get());
  StoreDriver to_b(*b, engine_.get());
  auto data_a = pattern(512, 1);
  auto data_b = pattern(512, 2);
  to_a.add_write(0, data_a);
  to_b.add_write(0, data_b);
  to_a.send();
  to_b.send();
  ASSERT_TRUE(to_a.finish());
  ASSERT_TRUE(to_b.finish());
  std::vector<std::byte> read(512);
  ASSERT_EQ(to_a.read(0, read), StoreErrc::ok);
  EXPECT_EQ(read, data_a);
  ASSERT_EQ(to_b.read(0, read), StoreErrc::ok);
  EXPECT_EQ(read, data_b);
}

INSTANTIATE_TEST_SUITE_P(Engines, FileStores,
                         ::testing::Values(IoEngineKind::uring, IoEngineKind::threads),
                         [](const auto& kind) {
                           return kind.param == IoEngineKind::uring ? "uring" : "threads";
                         });

}  // namespace
}  // namespace aoe::storage
