// Going on for users of an earlier process: here a child, with a file open in a directory.
#include "initiatord/takeover.h"

#include "os/fd.h"
#include "support/temp_dir.h"
#include "unit/initiator/core_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

namespace aoe::initiatord {
namespace {

using initiator::CoreWorld;
using initiator::FakeTarget;
using initiator::kE71;
using ::testing::ElementsAre;

// Nothing is asked of it here.
class NoBackend final : public fuse::Backend {
 public:
  std::optional<fuse::Volume> volume(DeviceAddress /*address*/) override { return std::nullopt; }

  std::optional<DeviceAddress> next_volume(std::optional<DeviceAddress> /*after*/) override {
    return std::nullopt;
  }

  int open(DeviceAddress /*address*/) override { return 0; }

  void release(DeviceAddress /*address*/) override {}

  int submit(DeviceAddress /*address*/, const client::IoRequest& /*request*/) override { return 0; }

  void completed(DeviceAddress /*address*/, const client::IoCompletion& /*completion*/) override {}

  std::string read_info(DeviceAddress /*address*/, fuse::InfoFile /*file*/) override { return {}; }

  std::string read_control(fuse::ControlFile /*file*/) override { return {}; }

  int write_control(fuse::ControlFile /*file*/, std::string_view /*text*/) override { return 0; }

  std::uint64_t last_event() override { return 0; }

  std::optional<Event> next_event(std::uint64_t /*after*/) override { return std::nullopt; }
};

constexpr Takeover::Times kTimes{.frame_life = Duration::seconds(4),
                                 .patience = Duration::seconds(180)};

class TakeoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
    kernel = os::Fd(ends[0]);
    ours = os::Fd(ends[1]);
    server = *fuse::Server::create(ours.get(), backend, {.slots = 4, .io_bytes_max = 16384});
    open_file = os::Fd(::open(mount.make_file("e7.1", 512).c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(open_file);
    // Our own descriptors do not count.
    user = ::fork();
    if (user == 0) {
      (void)::pause();
      ::_exit(0);
    }
    ASSERT_GT(user, 0);
    world.port_up();
    keeper.start(world.now, InitiatorConfig());
  }

  void TearDown() override {
    if (user > 0) {
      (void)::kill(user, SIGKILL);
      (void)::waitpid(user, nullptr, 0);
    }
  }

  Takeover take_over() {
    const std::string directory = std::filesystem::path(mount.path("e7.1")).parent_path().string();
    return Takeover(world.now, directory, {keeper, *server, record}, kTimes);
  }

  void run() {
    world.core->discover(kE71);
    for (int i = 0; i < 4; ++i) {
      world.core->handle_timeout(world.now);
      world.run(target);
    }
  }

  const testing::TempDir mount;
  os::Fd open_file;
  pid_t user = -1;
  os::Fd kernel;
  os::Fd ours;
  NoBackend backend;
  std::unique_ptr<fuse::Server> server;
  CoreWorld world;
  FakeTarget target;
  DeviceKeeper keeper{*world.core, {.devices_max = 2}};
  MountRecord record = *MountRecord::create();
};

TEST_F(TakeoverTest, WaitsForItsDisksAndForTheLastFrameOfTheOtherProcess) {
  const Takeover takeover = take_over();
  EXPECT_THAT(takeover.devices(), ElementsAre(kE71));
  ASSERT_NE(keeper.find(kE71), nullptr);
  EXPECT_EQ(keeper.find(kE71)->users.open_files, 1U);
  EXPECT_FALSE(takeover.is_ready(world.now + kTimes.frame_life, keeper)) << "it is not up";
  run();
  EXPECT_FALSE(takeover.is_ready(world.now + Duration::milliseconds(3999), keeper));
  EXPECT_TRUE(takeover.is_ready(world.now + kTimes.frame_life, keeper));
}

TEST_F(TakeoverTest, AnotherDiskThanTheRecordedOneIsWaitedOut) {
  protocol::IdentifyModel disk = target.disk;
  disk.serial = "S0";
  ASSERT_TRUE(record.keep(kE71, disk));
  const Instant begin = world.now;
  const Takeover takeover = take_over();
  run();
  EXPECT_FALSE(keeper.view(*keeper.find(kE71))->is_up());
  EXPECT_FALSE(takeover.is_ready(begin + Duration::seconds(179), keeper));
  EXPECT_TRUE(takeover.is_ready(begin + kTimes.patience, keeper))
      << "others are not held up longer";
}

TEST_F(TakeoverTest, TheRecordedDiskIsTaken) {
  ASSERT_TRUE(record.keep(kE71, target.disk));
  const Takeover takeover = take_over();
  run();
  EXPECT_TRUE(takeover.is_ready(world.now + kTimes.frame_life, keeper));
}

}  // namespace
}  // namespace aoe::initiatord
