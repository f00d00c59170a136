#include "storage/io_engine.h"

#include "base/bytes.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/mapped_memory.h"
#include "support/fake_engine.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <thread>

namespace aoe::storage {
namespace {

using aoe::testing::FakeEngine;
using aoe::testing::TempDir;

class Recorder final : public IoClient {
 public:
  void handle_io_done(std::uint32_t cookie, std::int64_t result) override {
    ++calls;
    results[cookie] = result;
  }

  std::map<std::uint32_t, std::int64_t> results;
  unsigned calls = 0;
};

class Flag final : public IoKeepalive {
 public:
  explicit Flag(bool& gone) : gone_(gone) {}

  Flag(const Flag&) = delete;
  Flag& operator=(const Flag&) = delete;

  ~Flag() override { gone_ = true; }

 private:
  bool& gone_;
};

class IoEngines : public ::testing::TestWithParam<IoEngineKind> {
 protected:
  void SetUp() override {
    auto opened = open_io_engine({.kind = GetParam(), .ring_entries = 8, .threads = 2});
    if (!opened && GetParam() == IoEngineKind::uring) {
      GTEST_SKIP() << opened.error().message;
    }
    ASSERT_TRUE(opened) << opened.error().message;
    engine_ = std::move(opened->engine);
    fd_ = os::Fd(::open(dir_.make_file("data", 1U << 20U).c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(fd_);
  }

  bool drain() { return engine_->drain(Duration::seconds(10)); }

  TempDir dir_;
  os::Fd fd_;
  std::unique_ptr<IoEngine> engine_;
};

TEST_P(IoEngines, WritesReadsSyncsAndPunches) {
  Recorder client;
  const IoClientId id = engine_->attach(client);
  std::array<std::byte, 4096> data{};
  data.fill(std::byte{0x5A});
  const iovec whole{.iov_base = data.data(), .iov_len = data.size()};
  IoOp op{.cookie = 1,
          .kind = IoKind::writev,
          .fd = fd_.get(),
          .offset_bytes = 8192,
          .iovecs = std::span(&whole, 1)};
  engine_->submit(id, std::span(&op, 1));
  ASSERT_TRUE(drain());
  op = {.cookie = 2, .kind = IoKind::fdatasync, .fd = fd_.get()};
  engine_->submit(id, std::span(&op, 1));
  ASSERT_TRUE(drain());

  std::array<std::byte, 512> a{};
  std::array<std::byte, 512> b{};
  const std::array pieces = {iovec{.iov_base = a.data(), .iov_len = 512},
                             iovec{.iov_base = b.data(), .iov_len = 512}};
  op = {.cookie = 3,
        .kind = IoKind::readv,
        .fd = fd_.get(),
        .offset_bytes = 8192 - 512,
        .iovecs = pieces};
  engine_->submit(id, std::span(&op, 1));
  ASSERT_TRUE(drain());
  EXPECT_EQ(a[0], std::byte{});
  EXPECT_EQ(b[0], std::byte{0x5A});

  op = {.cookie = 4,
        .kind = IoKind::punch_hole,
        .fd = fd_.get(),
        .offset_bytes = 8192,
        .length_bytes = 4096};
  engine_->submit(id, std::span(&op, 1));
  ASSERT_TRUE(drain());
  op.cookie = 5;
  op.kind = IoKind::zero_range;
  engine_->submit(id, std::span(&op, 1));
  ASSERT_TRUE(drain());
  std::array<std::byte, 512> zero{};
  ASSERT_EQ(::pread(fd_.get(), b.data(), 512, 8192), 512);
  EXPECT_EQ(b, zero);

  EXPECT_EQ(client.results[1], 4096);
  EXPECT_EQ(client.results[2], 0);
  EXPECT_EQ(client.results[3], 1024);
  EXPECT_EQ(client.results[4], 0);
  EXPECT_EQ(client.calls, 5U);
  engine_->detach(id, nullptr);
}

TEST_P(IoEngines, ReportsErrorsAsNegativeErrno) {
  Recorder client;
  const IoClientId id = engine_->attach(client);
  std::array<std::byte, 512> data{};
  const iovec whole{.iov_base = data.data(), .iov_len = data.size()};
  const os::Fd read_only(::open(dir_.path("data").c_str(), O_RDONLY | O_CLOEXEC));
  const IoOp op{
      .cookie = 7, .kind = IoKind::writev, .fd = read_only.get(), .iovecs = std::span(&whole, 1)};
  engine_->submit(id, std::span(&op, 1));
  ASSERT_TRUE(drain());
  EXPECT_EQ(client.results[7], -EBADF);
  engine_->detach(id, nullptr);
}

TEST_P(IoEngines, TakesFarMoreThanTheRingHolds) {
  Recorder client;
  const IoClientId id = engine_->attach(client);
  constexpr std::size_t kCount = 500;
  std::vector<std::array<std::byte, 512>> data(kCount);
  std::vector<iovec> iovecs(kCount);
  std::vector<IoOp> ops;
  for (std::size_t i = 0; i < kCount; ++i) {
    data[i].fill(static_cast<std::byte>(i));
    iovecs[i] = {.iov_base = data[i].data(), .iov_len = 512};
    ops.push_back({.cookie = static_cast<std::uint32_t>(i),
                   .kind = IoKind::writev,
                   .fd = fd_.get(),
                   .offset_bytes = i * 512,
                   .iovecs = std::span(&iovecs[i], 1)});
  }
  engine_->submit(id, ops);
  EXPECT_EQ(engine_->in_flight(), kCount);
  ASSERT_TRUE(drain());
  EXPECT_EQ(client.calls, kCount);
  EXPECT_EQ(engine_->stale_completions(), 0U);
  std::array<std::byte, 512> last{};
  ASSERT_EQ(::pread(fd_.get(), last.data(), 512, 499 * 512), 512);
  EXPECT_EQ(last, data[499]);
  engine_->detach(id, nullptr);
}

TEST_P(IoEngines, RoutesCompletionsToTheClientTheyBelongTo) {
  Recorder first;
  Recorder second;
  const IoClientId first_id = engine_->attach(first);
  const IoClientId second_id = engine_->attach(second);
  const IoOp op{.cookie = 42, .kind = IoKind::fdatasync, .fd = fd_.get()};
  const IoOp bad{.cookie = 42, .kind = IoKind::fdatasync, .fd = -1};
  engine_->submit(first_id, std::span(&op, 1));
  engine_->submit(second_id, std::span(&bad, 1));
  ASSERT_TRUE(drain());
  EXPECT_EQ(first.results.at(42), 0);
  EXPECT_EQ(second.results.at(42), -EBADF);
  engine_->detach(first_id, nullptr);
  engine_->detach(second_id, nullptr);
}

TEST_P(IoEngines, WaitFdBecomesReadableAndQuietAgain) {
  Recorder client;
  const IoClientId id = engine_->attach(client);
  for (int round = 0; round < 3; ++round) {
    const IoOp op{.cookie = 1, .kind = IoKind::fdatasync, .fd = fd_.get()};
    engine_->submit(id, std::span(&op, 1));
    pollfd waited{.fd = engine_->wait_fd(), .events = POLLIN, .revents = 0};
    const Instant before = os::monotonic_now();
    ASSERT_EQ(::poll(&waited, 1, 10'000), 1);
    // A poll that nobody woke looks once more when its time is up.
    EXPECT_LT(os::monotonic_now() - before, Duration::seconds(9));
    while (engine_->in_flight() > 0) {
      engine_->poll();
    }
    EXPECT_EQ(::poll(&waited, 1, 0), 0) << "a loop would spin on a descriptor that stays readable";
  }
  engine_->detach(id, nullptr);
}

TEST_P(IoEngines, MayBeUsedOnAnotherThreadThanItWasOpenedOn) {
  Recorder client;
  const IoClientId id = engine_->attach(client);
  const IoOp op{.cookie = 1, .kind = IoKind::fdatasync, .fd = fd_.get()};
  bool is_drained = false;
  std::thread shard([&] {
    engine_->submit(id, std::span(&op, 1));
    is_drained = drain();
  });
  shard.join();
  EXPECT_TRUE(is_drained);
  EXPECT_EQ(client.results.at(1), 0);
  engine_->detach(id, nullptr);
}

TEST_P(IoEngines, HeldFileIsClosedWithItsClient) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const os::Fd reader(ends[0]);
  os::Fd writer(ends[1]);
  Recorder client;
  const IoClientId id = engine_->attach(client);
  engine_->hold_file(id, writer.get());

  struct statx status {};

  // Not all of them are on that file, nor may all name it by its place.
  const std::array ops{
      IoOp{.cookie = 1, .kind = IoKind::fdatasync, .fd = fd_.get()},
      IoOp{.cookie = 2, .kind = IoKind::fdatasync, .fd = writer.get()},
      IoOp{.cookie = 3, .kind = IoKind::status, .fd = writer.get(), .status = &status}};
  engine_->submit(id, ops);
  ASSERT_TRUE(drain());
  EXPECT_EQ(client.results.at(1), 0);
  EXPECT_EQ(client.results.at(2), -EINVAL) << "a pipe cannot be synced";
  EXPECT_EQ(client.results.at(3), 0);

  engine_->detach(id, nullptr);
  writer = os::Fd();
  pollfd waited{.fd = reader.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&waited, 1, 10'000), 1);
  EXPECT_NE(waited.revents & POLLHUP, 0) << "nobody else holds it";
}

TEST(UringEngine, HoldsTheFileAndNotTheNumberOfItsDescriptor) {
  auto opened = open_io_engine({.kind = IoEngineKind::uring});
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  const TempDir dir;
  const os::Fd fd(::open(dir.make_file("held", 512).c_str(), O_RDWR | O_CLOEXEC));
  const os::Fd same(::dup(fd.get()));
  const os::Fd other(::open(dir.make_file("other", 512).c_str(), O_RDWR | O_CLOEXEC));
  Recorder client;
  const IoClientId id = opened->engine->attach(client);
  opened->engine->hold_file(id, fd.get());
  ASSERT_EQ(::dup2(other.get(), fd.get()), fd.get());
  std::byte letter{0x5A};
  const iovec whole{.iov_base = &letter, .iov_len = 1};
  const IoOp op{
      .cookie = 1, .kind = IoKind::writev, .fd = fd.get(), .iovecs = std::span(&whole, 1)};
  opened->engine->submit(id, std::span(&op, 1));
  ASSERT_TRUE(opened->engine->drain(Duration::seconds(10)));
  std::byte got{};
  ASSERT_EQ(::pread(same.get(), &got, 1, 0), 1);
  EXPECT_EQ(got, letter);
  opened->engine->detach(id, nullptr);
}

TEST_P(IoEngines, HeldMemoryAndOtherMemoryCarryTheSameBytes) {
  constexpr std::size_t kBytes = 4096;
  auto memory = os::MappedMemory::allocate(IoEngine::kHeldMemoryBytes + kBytes, "test");
  ASSERT_TRUE(memory);
  engine_->hold_memory(memory->bytes());
  Recorder client;
  const IoClientId id = engine_->attach(client);
  engine_->hold_file(id, fd_.get());
  // Inside, over the end of what is held, behind it, and elsewhere.
  std::array<std::byte, kBytes> elsewhere{};
  const std::array<ByteSpan, 4> places{
      memory->bytes().first(kBytes),
      memory->bytes().subspan(IoEngine::kHeldMemoryBytes - kBytes / 2, kBytes),
      memory->bytes().subspan(IoEngine::kHeldMemoryBytes, kBytes), elsewhere};
  for (std::uint32_t i = 0; i < places.size(); ++i) {
    std::fill(places[i].begin(), places[i].end(), static_cast<std::byte>(i + 1));
    const iovec whole{.iov_base = places[i].data(), .iov_len = kBytes};
    IoOp op{.cookie = i,
            .kind = IoKind::writev,
            .fd = fd_.get(),
            .offset_bytes = i * kBytes,
            .iovecs = std::span(&whole, 1)};
    engine_->submit(id, std::span(&op, 1));
    ASSERT_TRUE(drain());
    EXPECT_EQ(client.results.at(i), kBytes);
    fill_zero(places[i]);
    op.kind = IoKind::readv;
    engine_->submit(id, std::span(&op, 1));
    ASSERT_TRUE(drain());
    EXPECT_EQ(client.results.at(i), kBytes);
    EXPECT_EQ(places[i].front(), static_cast<std::byte>(i + 1));
    EXPECT_EQ(places[i].back(), static_cast<std::byte>(i + 1));
  }
  engine_->detach(id, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Kinds, IoEngines,
                         ::testing::Values(IoEngineKind::uring, IoEngineKind::threads),
                         [](const auto& kind) {
                           return kind.param == IoEngineKind::uring ? "uring" : "threads";
                         });

TEST(IoEngine, AutomaticGivesAnEngineAndSaysWhyItIsNotIoUring) {
  const auto opened = open_io_engine({});
  ASSERT_TRUE(opened);
  const bool is_uring = opened->engine->describe().starts_with("io_uring");
  EXPECT_EQ(is_uring, opened->fallback_reason.empty());
}

TEST(IoEngine, FallsBackToThreadsWithTheReason) {
  // No kernel takes a ring of that size.
  const auto opened = open_io_engine({.ring_entries = 1U << 30U});
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->engine->describe(), "4 I/O threads");
  EXPECT_NE(opened->fallback_reason.find("io_uring"), std::string::npos);
  EXPECT_FALSE(open_io_engine({.kind = IoEngineKind::uring, .ring_entries = 1U << 30U}));
}

TEST(IoEngine, RefusesImpossibleThreadCounts) {
  EXPECT_FALSE(open_io_engine({.kind = IoEngineKind::threads, .threads = 0}));
  EXPECT_FALSE(open_io_engine({.kind = IoEngineKind::threads, .threads = 65}));
}

TEST(IoEngine, KeepsTheMemoryOfADetachedClientUntilItsLastCompletion) {
  FakeEngine engine;
  engine.add_rule({.kind = IoKind::fdatasync, .count = 2, .hangs = true});
  bool gone = false;
  Recorder client;
  const IoClientId id = engine.attach(client);
  const std::array ops = {IoOp{.cookie = 1, .kind = IoKind::fdatasync},
                          IoOp{.cookie = 2, .kind = IoKind::fdatasync}};
  engine.submit(id, ops);
  engine.detach(id, std::make_unique<Flag>(gone));
  EXPECT_EQ(engine.poll(), 0U);
  EXPECT_FALSE(gone);
  engine.release();
  EXPECT_EQ(engine.poll(), 2U);
  EXPECT_TRUE(gone);
  EXPECT_EQ(client.calls, 0U) << "a client that is gone is not called";
}

TEST(IoEngine, ReusedPlaceDoesNotReceiveTheCompletionsOfItsFormerClient) {
  FakeEngine engine;
  engine.add_rule({.kind = IoKind::fdatasync, .hangs = true});
  Recorder old_client;
  const IoClientId old_id = engine.attach(old_client);
  const IoOp op{.cookie = 1, .kind = IoKind::fdatasync};
  engine.submit(old_id, std::span(&op, 1));
  engine.detach(old_id, nullptr);

  Recorder new_client;
  const IoClientId new_id = engine.attach(new_client);
  EXPECT_NE(new_id.index, old_id.index) << "the place is taken while something is in flight";
  engine.release();
  engine.poll();
  EXPECT_EQ(new_client.calls, 0U);

  Recorder third;
  const IoClientId third_id = engine.attach(third);
  EXPECT_EQ(third_id.index, old_id.index);
  EXPECT_NE(third_id.generation, old_id.generation);
  engine.detach(new_id, nullptr);
  engine.detach(third_id, nullptr);
}

TEST(IoEngine, DrainGivesUpOnAHungBackend) {
  FakeEngine engine;
  engine.add_rule({.kind = IoKind::fdatasync, .hangs = true});
  Recorder client;
  const IoClientId id = engine.attach(client);
  const IoOp op{.cookie = 1, .kind = IoKind::fdatasync};
  engine.submit(id, std::span(&op, 1));
  EXPECT_FALSE(engine.drain(Duration::milliseconds(1)));
  EXPECT_EQ(engine.in_flight(), 1U);
  engine.release();
  EXPECT_TRUE(engine.drain(Duration::seconds(1)));
  engine.detach(id, nullptr);
}

}  // namespace
}  // namespace aoe::storage
