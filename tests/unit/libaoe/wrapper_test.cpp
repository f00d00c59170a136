// The C++ wrapper over a target in the same thread.
#include "aoe/aoe.hpp"
#include "unit/libaoe/handle_fixture.h"

#include <cerrno>

namespace aoe::libaoe {
namespace {

using initiator::Bytes;
using initiator::pattern;
using initiator::Sent;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class WrapperTest : public HandleTest {
 protected:
  WrapperTest() { device.get()->use_network(network); }

  ::libaoe::Device device;
};

TEST_F(WrapperTest, ReadsWritesAndAsks) {
  device.set_timeout(milliseconds(60'000));
  device.set_payload_max(512);
  device.open("e7.1");
  const Bytes data = pattern(1000, 1);
  Bytes back(1000);
  device.pwrite(data.data(), data.size(), 10, AOE_FLAG_FUA);
  device.pread(back.data(), back.size(), 10);
  EXPECT_EQ(back, data);
  device.zero(100, 0);
  device.trim(512, 512);
  device.flush();
  EXPECT_EQ(device.size(), 256 * 512);
  EXPECT_EQ(device.block_size(AOE_BLOCK_PREFERRED), 512);
  EXPECT_TRUE(device.is_up() && device.can_flush() && device.can_fua() && device.can_trim() &&
              device.can_zero());
  EXPECT_FALSE(device.is_read_only());
  EXPECT_EQ(device.identity().shelf, 7);
  EXPECT_GE(device.stats().requests, 5U);
  int paths = 0;
  device.list_paths([&](const aoe_path& path) {
    ++paths;
    EXPECT_STREQ(path.interface, "test0");
  });
  EXPECT_EQ(paths, 1);
}

TEST_F(WrapperTest, FailuresAreExceptions) {
  try {
    device.flush();
    FAIL() << "no exception";
  } catch (const ::libaoe::Error& error) {
    EXPECT_EQ(error.number(), ENOTCONN);
    EXPECT_STREQ(error.what(), "aoe_flush: the handle is not open");
  }
  device.set_open_timeout(milliseconds(10));
  EXPECT_THROW(device.open("e9.9"), ::libaoe::Error);
  EXPECT_THROW(device.set_open_timeout(milliseconds(-1)), ::libaoe::Error);
}

// Counts how often closures are called and destroyed.
struct Probe {
  std::shared_ptr<int> alive;
  int* calls;
  int* error;

  void operator()(int with) const {
    ++*calls;
    *error = with;
  }
};

TEST_F(WrapperTest, ClosuresAreCalledOnceAndFreed) {
  const auto alive = std::make_shared<int>(0);
  int calls = 0;
  int error = -1;
  device.aio_open("e7.1", Probe{alive, &calls, &error});
  device.drain();
  Bytes block(512);
  device.aio_pread(block.data(), 512, 0, Probe{alive, &calls, &error});
  device.aio_pwrite(block.data(), 512, 0, Probe{alive, &calls, &error});
  device.aio_flush(Probe{alive, &calls, &error});
  device.aio_trim(512, 0, Probe{alive, &calls, &error});
  device.aio_zero(512, 0, Probe{alive, &calls, &error});
  EXPECT_EQ(device.in_flight(), 5);
  while (device.in_flight() > 0) {
    device.poll(milliseconds(-1));
  }
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_THROW(device.aio_pread(block.data(), 0, 0, Probe{alive, &calls, &error}), ::libaoe::Error);
  EXPECT_EQ(alive.use_count(), 1);
  hook = [](const Sent&) { return std::nullopt; };
  device.aio_pread(block.data(), 512, 0, Probe{alive, &calls, &error});
  // Moving changes nothing for what is under way; the end does.
  { const ::libaoe::Device moved = std::move(device); }
  EXPECT_EQ(calls, 7);
  EXPECT_EQ(error, ECANCELED);
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(WrapperTest, SizeCallbacksMoveWithTheDevice) {
  std::int64_t size = 0;
  device.on_size([&](std::int64_t now) { size = now; });
  device.open("e7.1");
  ::libaoe::Device moved = std::move(device);
  target.disk.sector_count = 512;
  static_cast<void>(session->discover({.address = initiator::kE71}));
  while (size == 0) {
    moved.poll(milliseconds(-1));
  }
  EXPECT_EQ(size, 512 * 512);
  moved.on_size({});
}

}  // namespace
}  // namespace aoe::libaoe
