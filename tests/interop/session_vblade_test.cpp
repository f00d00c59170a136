// Our initiator against Debian's vblade over a veth pair: what is written comes back.
#include "base/prng.h"
#include "client/session.h"
#include "os/child.h"
#include "os/clock.h"
#include "support/network_namespace.h"
#include "support/temp_dir.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <array>
#include <fstream>

namespace aoe::client {
namespace {

using aoe::testing::run_command;

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr std::size_t kDiskBytes = std::size_t{64} << 20U;

class SessionVblade : public ::testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override {
    AOE_NEW_NETWORK_OR_SKIP();
    if (run_command("command -v vblade >/dev/null") != 0) {
      GTEST_SKIP() << "vblade is not installed (package vblade)";
    }
    ASSERT_EQ(run_command(fmt::format("ip link add va mtu {0} type veth peer name vb mtu {0} && "
                                      "ip link set va up && ip link set vb up",
                                      GetParam())),
              0);
    image_ = dir_.make_file("disk", kDiskBytes);
    start_vblade();
  }

  void start_vblade() {
    auto child =
        os::ChildProcess::run_shell("exec /usr/sbin/vblade 7 1 vb " + image_ + " >/dev/null");
    ASSERT_TRUE(child);
    vblade_ = *std::move(child);
  }

  static std::unique_ptr<Session> open_session() {
    auto session = Session::open({.interfaces = {"va"}});
    EXPECT_TRUE(session) << session.error().message;
    return session ? *std::move(session) : nullptr;
  }

  static std::unique_ptr<Device> open_device(Session& session, const DeviceOptions& options = {}) {
    auto device = session.open_device(kE71, options);
    EXPECT_TRUE(device) << device.error().message;
    return device ? *std::move(device) : nullptr;
  }

  static std::vector<std::byte> random_bytes(std::size_t count, std::uint64_t seed) {
    Prng random(seed);
    std::vector<std::byte> bytes(count);
    for (std::size_t i = 0; i + 8 <= count; i += 8) {
      store_le64(bytes, i, random.next());
    }
    return bytes;
  }

  // Moves everything in requests of `chunk` bytes, 32 of them at a time.
  static void transfer(Device& device, IoOp op, ByteSpan data, std::size_t chunk) {
    std::array<IoCompletion, 32> done;
    std::size_t at = 0;
    std::size_t finished = 0;
    while (finished < data.size()) {
      while (at < data.size() && device.outstanding() < 32) {
        const ByteSpan part = data.subspan(at, std::min(chunk, data.size() - at));
        const auto started = device.submit({.op = op,
                                            .lba = Lba{at / kSectorBytes},
                                            .sectors = part.size() / kSectorBytes,
                                            .read_into = op == IoOp::read ? part : ByteSpan(),
                                            .write_from = op == IoOp::write ? part : ByteSpan()});
        ASSERT_TRUE(started) << started.error().message;
        at += part.size();
      }
      ASSERT_TRUE(device.wait(os::monotonic_now() + Duration::seconds(60)));
      const std::size_t count = device.poll(done);
      for (const IoCompletion& completion : std::span(done).first(count)) {
        ASSERT_EQ(completion.status, IoStatus::ok) << device.error_of(completion).message;
        finished += completion.sectors * kSectorBytes;
      }
    }
  }

  testing::TempDir dir_;
  std::string image_;
  std::unique_ptr<os::ChildProcess> vblade_;
};

TEST_P(SessionVblade, WritesAndReadsBack64MiB) {
  const auto session = open_session();
  ASSERT_NE(session, nullptr);
  const auto device = open_device(*session);
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(device->sectors(), kDiskBytes / kSectorBytes);

  std::vector<std::byte> data = random_bytes(kDiskBytes, GetParam());
  const Instant start = os::monotonic_now();
  transfer(*device, IoOp::write, data, 128 * 1024);
  const Instant written = os::monotonic_now();
  ASSERT_TRUE(device->flush());
  std::vector<std::byte> back(kDiskBytes);
  transfer(*device, IoOp::read, back, 128 * 1024);
  const Instant read = os::monotonic_now();
  EXPECT_TRUE(back == data);

  std::string file(kDiskBytes, '\0');
  std::ifstream(image_, std::ios::binary).read(file.data(), kDiskBytes);
  EXPECT_TRUE(equal_bytes(as_byte_span(file), data));

  // A path proves bigger frames before it carries them.
  EXPECT_EQ(device->info().payload_bytes, GetParam() == 1500 ? 1024U : 8704U);
  const PathInfo path = device->info().paths.at(0);
  const auto mib_per_second = [](Duration d) { return 64e9 / static_cast<double>(d.ns); };
  fmt::print(
      "MTU {}: write {:.0f} MiB/s, read {:.0f} MiB/s, window {}, srtt {} us, p99 {} us, "
      "{} frames, {} retransmissions\n",
      GetParam(), mib_per_second(written - start), mib_per_second(read - written),
      path.window_frames, path.srtt.ns / 1000, path.rtt_p99.ns / 1000, path.frames_sent,
      path.retransmissions);
}

TEST_P(SessionVblade, OddRequestsOfEverySizeComeBack) {
  const auto session = open_session();
  ASSERT_NE(session, nullptr);
  const auto device = open_device(*session);
  ASSERT_NE(device, nullptr);
  Prng random(5);
  std::vector<std::byte> model(512 * 1024);
  ASSERT_TRUE(device->write(Lba{0}, model));
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t lba = random.below(1024);
    const std::uint64_t sectors = 1 + random.below(std::min<std::uint64_t>(1024 - lba, 100));
    const std::span part = ByteSpan(model).subspan(lba * 512, sectors * 512);
    if (random.chance(1, 2)) {
      copy_bytes(part, random_bytes(part.size(), random.next()));
      ASSERT_TRUE(device->write(Lba{lba}, part));
    } else {
      std::vector<std::byte> back(part.size());
      ASSERT_TRUE(device->read(Lba{lba}, back));
      ASSERT_TRUE(equal_bytes(back, part));
    }
  }
}

TEST_P(SessionVblade, RawCommandsWork) {
  const auto session = open_session();
  ASSERT_NE(session, nullptr);
  const auto found =
      session->discover({.address = std::nullopt, .wait = Duration::milliseconds(500)});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].address, kE71);
  EXPECT_EQ(found[0].interface, "va");

  const Peer peer{.address = kE71, .mac = {}, .interface = {}};
  const auto set = session->config(peer, protocol::ConfigCommand::set, as_byte_span("hello"), {});
  ASSERT_TRUE(set) << set.error().message;
  const auto read = session->config(peer, protocol::ConfigCommand::read, {}, {});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->string, "hello");
  const auto again = session->config(peer, protocol::ConfigCommand::set, as_byte_span("x"), {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::already_exists);
  const auto mismatch = session->config(peer, protocol::ConfigCommand::test, as_byte_span("no"),
                                        {.timeout = Duration::milliseconds(300)});
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().code, Errc::timed_out);

  const auto identity = session->identify(peer, {});
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->view.model.model, "Coraid EtherDrive vblade");
  const auto mask = session->mask_read(peer, {});
  ASSERT_TRUE(mask) << mask.error().message;
  EXPECT_TRUE(mask->empty());
  const auto holders = session->reserve(peer, protocol::ReserveCommand::read, {}, {});
  ASSERT_TRUE(holders) << holders.error().message;
  EXPECT_TRUE(holders->empty());
}

TEST_P(SessionVblade, ARestartUnderLoadIsOnlyADelay) {
  const auto session = open_session();
  ASSERT_NE(session, nullptr);
  const auto device = open_device(*session, {.timeout = Duration::seconds(30)});
  ASSERT_NE(device, nullptr);
  std::vector<std::byte> data = random_bytes(std::size_t{8} << 20U, 9);
  vblade_->send_signal(SIGSTOP);
  ASSERT_TRUE(device->submit({.op = IoOp::write,
                              .lba = Lba{0},
                              .sectors = 256,
                              .read_into = {},
                              .write_from = ConstByteSpan(data).first(256 * 512)}));
  EXPECT_FALSE(device->wait(os::monotonic_now() + Duration::milliseconds(700)));
  vblade_.reset();
  EXPECT_FALSE(device->wait(os::monotonic_now() + Duration::milliseconds(300)));
  start_vblade();
  const Instant start = os::monotonic_now();
  ASSERT_TRUE(device->wait(start + Duration::seconds(20)));
  std::array<IoCompletion, 1> done;
  ASSERT_EQ(device->poll(done), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_GT(done[0].retransmissions, 0U);
  std::vector<std::byte> back(256 * 512);
  ASSERT_TRUE(device->read(Lba{0}, back));
  EXPECT_TRUE(equal_bytes(back, ConstByteSpan(data).first(back.size())));
}

TEST_P(SessionVblade, ALinkThatGoesDownAndUpLosesNothing) {
  const auto session = open_session();
  ASSERT_NE(session, nullptr);
  const auto device = open_device(*session, {.timeout = Duration::seconds(30)});
  ASSERT_NE(device, nullptr);
  const std::vector<std::byte> data = random_bytes(64 * 512, 3);
  // vblade itself would end with its link: only our side goes down.
  ASSERT_EQ(run_command("ip link set va down"), 0);
  ASSERT_TRUE(device->submit(
      {.op = IoOp::write, .lba = Lba{9}, .sectors = 64, .read_into = {}, .write_from = data}));
  EXPECT_FALSE(device->wait(os::monotonic_now() + Duration::milliseconds(200)));
  if (vblade_->exit_status()) {
    start_vblade();
  }
  ASSERT_EQ(run_command("ip link set va up"), 0);
  if (!device->wait(os::monotonic_now() + Duration::milliseconds(500)) && vblade_->exit_status()) {
    start_vblade();
  }
  ASSERT_TRUE(device->wait(os::monotonic_now() + Duration::seconds(20)));
  std::array<IoCompletion, 1> done;
  ASSERT_EQ(device->poll(done), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
}

TEST_P(SessionVblade, ATargetThatIsNotThereIsReported) {
  const auto session = open_session();
  ASSERT_NE(session, nullptr);
  const auto device =
      session->open_device({Shelf{9}, Slot{9}}, {.open_timeout = Duration::milliseconds(300)});
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, Errc::not_found);
}

INSTANTIATE_TEST_SUITE_P(Mtu, SessionVblade, ::testing::Values(1500U, 9000U),
                         [](const auto& run) { return std::to_string(run.param); });

}  // namespace
}  // namespace aoe::client
