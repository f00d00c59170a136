// Sessions and devices over a port with a target behind it. The clock is real; nothing waits long.
#include "client/session.h"

#include "os/clock.h"
#include "protocol/ata_command.h"
#include "unit/client/target_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>

#include <array>

namespace aoe::client {
namespace {

using initiator::Bytes;
using initiator::FakeTarget;
using initiator::kE71;
using initiator::kTargetMac;
using initiator::pattern;
using initiator::reply_to;
using initiator::Sent;
using ::testing::HasSubstr;

constexpr Duration kSoon = Duration::milliseconds(50);

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::unique_ptr<net::PacketPort>> ports;
    ports.push_back(std::make_unique<TargetPort>(
        "test0", [this](const Sent& sent) { return hook ? hook(sent) : target.answer(sent); }));
    auto opened =
        Session::open_over(std::move(ports), {.interfaces = {}, .seed = 1, .requests_max = 8});
    ASSERT_TRUE(opened);
    session = *std::move(opened);
  }

  std::unique_ptr<Device> open(const DeviceOptions& options = {}) const {
    auto device = session->open_device(kE71, options);
    EXPECT_TRUE(device) << device.error().message;
    return *std::move(device);
  }

  static Bytes aoe_error(const Sent& sent, const FakeTarget& from, std::uint8_t code) {
    Bytes reply = reply_to(sent, from);
    reply[14] |= std::byte{0x04};
    reply[15] = std::byte{code};
    return reply;
  }

  const Peer peer{.address = kE71, .mac = {}, .interface = {}};
  FakeTarget target;
  TargetPort::Answerer hook;
  std::unique_ptr<Session> session;
};

TEST_F(SessionTest, DiscoversWhatAnswers) {
  target.config_string = "hello";
  const auto found = session->discover({.address = {}, .wait = kSoon});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].address, kE71);
  EXPECT_EQ(found[0].interface, "test0");
  EXPECT_EQ(found[0].mac, kTargetMac);
  EXPECT_EQ(found[0].config_string, "hello");
  EXPECT_EQ(found[0].sector_count, 2);
}

TEST_F(SessionTest, AnAddressEndsTheDiscoveryWithItsFirstAnswer) {
  const Instant start = os::monotonic_now();
  EXPECT_EQ(session->discover({.address = kE71, .wait = Duration::seconds(60)}).size(), 1U);
  EXPECT_LT((os::monotonic_now() - start).ns, Duration::seconds(30).ns);
  EXPECT_TRUE(
      session->discover({.address = DeviceAddress{Shelf{1}, Slot{1}}, .wait = kSoon}).empty());
}

TEST_F(SessionTest, ExchangesGoToTheTargetThatWasFound) {
  std::vector<MacAddress> destinations;
  hook = [&](const Sent& sent) {
    destinations.push_back(sent.header.destination);
    return target.answer(sent);
  };
  const auto reply = session->config(peer, protocol::ConfigCommand::read, {}, {});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->buffer_count, 64);
  EXPECT_EQ(reply->exchange.mac, kTargetMac);
  ASSERT_EQ(destinations.size(), 2U);
  EXPECT_EQ(destinations[0], MacAddress::broadcast());
  EXPECT_EQ(destinations[1], kTargetMac);
}

TEST_F(SessionTest, ARefusedConfigCommandIsAValueForWhoAsksSo) {
  hook = [&](const Sent& sent) { return std::optional(aoe_error(sent, target, 4)); };
  const auto refused = session->ask_config({.address = kE71, .mac = kTargetMac, .interface = {}},
                                           protocol::ConfigCommand::set, as_byte_span("x"), {});
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_TRUE(refused->exchange.header.is_error);
  EXPECT_EQ(refused->exchange.header.error, 4);
}

TEST_F(SessionTest, TagsFollowTheFirstWhereOneIsGiven) {
  std::vector<std::uint32_t> tags;
  std::vector<std::unique_ptr<net::PacketPort>> ports;
  ports.push_back(std::make_unique<TargetPort>("test0", [&](const Sent& sent) {
    tags.push_back(sent.header.tag.value);
    return target.answer(sent);
  }));
  auto opened = Session::open_over(
      std::move(ports),
      {.interfaces = {}, .seed = 1, .first_tag = Tag{0x80000007}, .requests_max = 8});
  ASSERT_TRUE(opened);
  const Peer known{.address = kE71, .mac = kTargetMac, .interface = {}};
  ASSERT_TRUE((*opened)->config(known, protocol::ConfigCommand::read, {}, {}));
  ASSERT_TRUE((*opened)->identify(known, {}));
  EXPECT_THAT(tags, ::testing::ElementsAre(0x80000007U, 0x80000008U));
}

TEST_F(SessionTest, ErrorsNameTheirCause) {
  struct Case {
    std::uint8_t code;
    Errc errc;
    const char* says;
  };

  for (const Case& c :
       {Case{1, Errc::unsupported, "unrecognised command"},
        Case{2, Errc::invalid_argument, "bad argument"}, Case{3, Errc::unavailable, "unavailable"},
        Case{4, Errc::already_exists, "config string present"},
        Case{6, Errc::not_permitted, "reserved"}, Case{99, Errc::io, "error 99"}}) {
    hook = [&](const Sent& sent) -> std::optional<Bytes> {
      return sent.header.command == 3 ? aoe_error(sent, target, c.code) : target.answer(sent);
    };
    const auto holders = session->reserve(peer, protocol::ReserveCommand::read, {}, {});
    ASSERT_FALSE(holders);
    EXPECT_EQ(holders.error().code, c.errc);
    EXPECT_THAT(holders.error().message, HasSubstr(c.says));
    EXPECT_THAT(holders.error().message, HasSubstr("e7.1"));
  }
}

TEST_F(SessionTest, SilenceIsATimeout) {
  hook = [&](const Sent& sent) -> std::optional<Bytes> {
    return sent.header.destination.is_group() ? target.answer(sent) : std::nullopt;
  };
  const auto reply =
      session->config(peer, protocol::ConfigCommand::test, as_byte_span("x"), {.timeout = kSoon});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::timed_out);
}

TEST_F(SessionTest, NobodyThereIsNotFound) {
  const Peer nobody{.address = {Shelf{9}, Slot{9}}, .mac = {}, .interface = {}};
  const auto reply = session->identify(nobody, {.timeout = kSoon});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::not_found);
  const auto device = session->open_device(nobody.address, {.open_timeout = kSoon});
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, Errc::not_found);
}

TEST_F(SessionTest, ATargetThatDoesNotIdentifyItselfIsNamed) {
  hook = [&](const Sent& sent) -> std::optional<Bytes> {
    return sent.header.command == 1 ? target.answer(sent) : std::nullopt;
  };
  const auto device = session->open_device(kE71, {.open_timeout = kSoon});
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, Errc::timed_out);
  EXPECT_THAT(device.error().message, HasSubstr(to_string(kTargetMac)));
}

TEST_F(SessionTest, IdentifyParsesAndKeepsTheBytes) {
  target.disk.serial = "SERIAL";
  const auto reply = session->identify(peer, {});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->view.model.serial, "SERIAL");
  EXPECT_EQ(reply->view.checksum, protocol::IdentifyChecksum::valid);
  EXPECT_EQ(protocol::parse_identify(reply->raw).model, reply->view.model);
}

TEST_F(SessionTest, AtaErrorsAreValuesAndShortDataIsCorrupt) {
  AtaRequest request{.registers = {}, .data_out = {}, .data_in_bytes = 512};
  request.registers.flags = protocol::kAtaFlagExtended;
  request.registers.sector_count = 1;
  request.registers.command_status = static_cast<std::uint8_t>(protocol::AtaOp::read_ext);
  request.registers.set_lba48(Lba{1'000'000});
  const auto failed = session->ata(peer, request, {});
  ASSERT_TRUE(failed) << failed.error().message;
  EXPECT_EQ(failed->registers.command_status, protocol::kAtaIdNotFound.status);
  EXPECT_TRUE(failed->data.empty());

  request.registers.set_lba48(Lba{0});
  request.data_in_bytes = 1024;
  const auto cut = session->ata(peer, request, {});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::corrupt);
}

TEST_F(SessionTest, MalformedRepliesAreCorrupt) {
  hook = [&](const Sent& sent) -> std::optional<Bytes> {
    if (sent.header.command == 1) {
      return target.answer(sent);
    }
    Bytes reply = reply_to(sent, target);
    std::fill(reply.begin() + 24, reply.end(), std::byte{0xFF});
    if (sent.header.command == 2) {
      reply[26] = std::byte{0};
    }
    return reply;
  };
  EXPECT_EQ(session->mask_read(peer, {}).error().code, Errc::corrupt);
  EXPECT_EQ(session->reserve(peer, protocol::ReserveCommand::read, {}, {}).error().code,
            Errc::corrupt);
}

TEST_F(SessionTest, UnknownInterfacesAndLongArgumentsAreRefused) {
  const Peer elsewhere{.address = kE71, .mac = {}, .interface = "eth99"};
  EXPECT_EQ(session->identify(elsewhere, {}).error().code, Errc::invalid_argument);
  const Bytes long_string(1025);
  EXPECT_EQ(session->config(peer, protocol::ConfigCommand::set, long_string, {}).error().code,
            Errc::invalid_argument);
  const std::vector<MacAddress> many(256);
  EXPECT_EQ(session->reserve(peer, protocol::ReserveCommand::set, many, {}).error().code,
            Errc::invalid_argument);
}

TEST_F(SessionTest, DevicesReadWhatTheyWrote) {
  const auto device = open();
  const Bytes data = pattern(512 * 100, 1);
  Bytes back(data.size());
  ASSERT_TRUE(device->write(Lba{33}, data));
  ASSERT_TRUE(device->flush());
  ASSERT_TRUE(device->read(Lba{33}, back));
  EXPECT_EQ(back, data);
  ASSERT_TRUE(device->trim(Lba{33}, 50));
  ASSERT_TRUE(device->write_zeroes(Lba{83}, 50));
  ASSERT_TRUE(device->read(Lba{33}, back));
  EXPECT_EQ(back, Bytes(back.size()));
}

TEST_F(SessionTest, InfoShowsDiskAndPaths) {
  const auto device = open({.window_max = 3});
  Bytes into(512 * 64);
  ASSERT_TRUE(device->read(Lba{0}, into));
  const DeviceInfo info = device->info();
  EXPECT_TRUE(info.is_up);
  EXPECT_EQ(info.sectors, 4096U);
  EXPECT_EQ(info.payload_bytes, 1024U);
  EXPECT_EQ(info.identity.serial, "S1");
  ASSERT_EQ(info.paths.size(), 1U);
  EXPECT_EQ(info.paths[0].interface, "test0");
  EXPECT_EQ(info.paths[0].state, "live");
  EXPECT_EQ(info.paths[0].window_frames, 3U);
  EXPECT_EQ(info.paths[0].frames_answered, 32U);
  EXPECT_GT(info.paths[0].srtt.ns, 0);
  const SessionStats stats = session->stats();
  EXPECT_EQ(stats.interfaces.at(0).interface, "test0");
  EXPECT_GE(stats.frames_sent, 34U);
}

TEST_F(SessionTest, AsynchronousRequestsKeepTheirCookies) {
  const auto device = open();
  std::array<Bytes, 8> memory;
  for (std::uint64_t i = 0; i < memory.size(); ++i) {
    memory.at(i).resize(512);
    ASSERT_TRUE(device->submit({.op = IoOp::read,
                                .lba = Lba{i},
                                .sectors = 1,
                                .read_into = memory.at(i),
                                .write_from = {},
                                .cookie = 1000 + i}));
  }
  EXPECT_EQ(device->outstanding(), 8U);
  EXPECT_EQ(device->submit({.op = IoOp::flush}).error().code, Errc::busy);
  // A call in between waits for a slot and takes no completion of the others.
  Bytes into(512);
  ASSERT_TRUE(device->read(Lba{0}, into));
  std::vector<std::uint64_t> cookies;
  std::array<IoCompletion, 3> done;
  while (cookies.size() < 8) {
    ASSERT_TRUE(device->wait(os::monotonic_now() + Duration::seconds(10)));
    const std::size_t count = device->poll(done);
    for (const IoCompletion& completion : std::span(done).first(count)) {
      cookies.push_back(completion.cookie);
    }
  }
  std::sort(cookies.begin(), cookies.end());
  EXPECT_THAT(cookies, ::testing::ElementsAre(1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007));
  EXPECT_EQ(device->outstanding(), 0U);
}

TEST_F(SessionTest, WaitReturnsAtItsDeadline) {
  const auto device = open();
  hook = [](const Sent&) { return std::nullopt; };
  Bytes into(512);
  ASSERT_TRUE(device->submit({.op = IoOp::read,
                              .lba = Lba{0},
                              .sectors = 1,
                              .read_into = into,
                              .write_from = {},
                              .cookie = 0,
                              .timeout = Duration::seconds(60)}));
  EXPECT_FALSE(device->wait(os::monotonic_now() + kSoon));
}

TEST_F(SessionTest, RequestErrorsNameDeviceSectorAndReason) {
  const auto device = open({.timeout = kSoon});
  Bytes block(512);
  const auto past = device->read(Lba{4096}, block);
  EXPECT_EQ(past.error().code, Errc::invalid_argument);
  EXPECT_THAT(past.error().message,
              HasSubstr("e7.1: read of 1 sectors at lba 4096: past the end of the device"));
  EXPECT_EQ(device->read(Lba{0}, ByteSpan(block).first(100)).error().code, Errc::invalid_argument);
  hook = [&](const Sent& sent) -> std::optional<Bytes> {
    auto reply = target.answer(sent);
    (*reply)[25] = std::byte{0x40};
    (*reply)[27] = std::byte{0x41};
    return reply;
  };
  const auto bad = device->read(Lba{77}, block);
  EXPECT_EQ(bad.error().code, Errc::io);
  EXPECT_EQ(bad.error().message,
            "e7.1: read at lba 77: medium cannot be read (ata status 41h, error 40h)");
  hook = [&](const Sent& sent) { return std::optional(aoe_error(sent, target, 6)); };
  EXPECT_EQ(device->write(Lba{1}, block).error().code, Errc::not_permitted);
  hook = [](const Sent&) { return std::nullopt; };
  EXPECT_EQ(device->read(Lba{1}, block).error().code, Errc::timed_out);
}

TEST_F(SessionTest, ADeviceIsOpenOnceAndMayBeOpenedAgain) {
  auto device = open({.access = Access::read_only});
  EXPECT_EQ(session->open_device(kE71, {}).error().code, Errc::already_exists);
  Bytes block(512);
  EXPECT_EQ(device->write(Lba{0}, block).error().code, Errc::not_permitted);
  device.reset();
  device = open();
  EXPECT_TRUE(device->write(Lba{0}, block));
}

TEST_F(SessionTest, ADestroyedDeviceLeavesItsBuffersAlone) {
  auto device = open();
  Bytes into(512);
  std::optional<Bytes> late;
  hook = [&](const Sent& sent) {
    late = target.answer(sent);
    return std::nullopt;
  };
  ASSERT_TRUE(device->submit(
      {.op = IoOp::read, .lba = Lba{0}, .sectors = 1, .read_into = into, .write_from = {}}));
  EXPECT_FALSE(device->wait(os::monotonic_now() + Duration::milliseconds(1)));
  device.reset();
  target.content[0] = std::byte{0xEE};
  hook = nullptr;
  static_cast<void>(session->discover({.address = kE71, .wait = kSoon}));
  EXPECT_EQ(into, Bytes(512));
}

TEST(SessionOpen, SaysWhatIsWrongWithItsInterfaces) {
  EXPECT_EQ(Session::open({}).error().code, Errc::invalid_argument);
  EXPECT_EQ(Session::open({.interfaces = {"a", "b", "a"}}).error().code, Errc::invalid_argument);
  EXPECT_EQ(Session::open({.interfaces = {"nosuchif0"}}).error().code, Errc::not_found);
}

class WaitableSessionTest : public SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    ASSERT_TRUE(session->make_waitable());
  }

  // Turns the session until nothing is left to do.
  void settle() const {
    while (readable(0)) {
      session->process();
    }
  }

  [[nodiscard]] bool readable(int timeout_ms) const {
    pollfd ready{session->wait_fd(), POLLIN, 0};
    return ::poll(&ready, 1, timeout_ms) == 1;
  }

  // Waits as a foreign loop does.
  IoCompletion next_completion(Device& device) const {
    IoCompletion completion;
    while (device.take(std::span(&completion, 1)) == 0) {
      EXPECT_TRUE(readable(-1));
      session->process();
    }
    return completion;
  }
};

TEST_F(WaitableSessionTest, AForeignLoopIsWokenForFramesOnly) {
  const auto device = open();
  settle();
  EXPECT_FALSE(readable(0));
  Bytes into(512);
  ASSERT_TRUE(device->submit({.op = IoOp::read,
                              .lba = Lba{3},
                              .sectors = 1,
                              .read_into = into,
                              .write_from = {},
                              .cookie = 5}));
  EXPECT_FALSE(readable(0));
  session->send();
  EXPECT_TRUE(readable(0));
  EXPECT_EQ(next_completion(*device).cookie, 5U);
  settle();
  EXPECT_FALSE(readable(0));
}

TEST_F(WaitableSessionTest, WakeSendsWithTheNextTurn) {
  const auto device = open();
  settle();
  Bytes into(512);
  ASSERT_TRUE(device->submit(
      {.op = IoOp::read, .lba = Lba{3}, .sectors = 1, .read_into = into, .write_from = {}}));
  session->wake_now();
  session->wake_now();
  EXPECT_TRUE(readable(0));
  EXPECT_EQ(next_completion(*device).status, IoStatus::ok);
}

TEST_F(WaitableSessionTest, DeadlinesMakeItReadable) {
  const auto device = open({.timeout = kSoon});
  settle();
  hook = [](const Sent&) { return std::nullopt; };
  Bytes into(512);
  ASSERT_TRUE(device->submit(
      {.op = IoOp::read, .lba = Lba{3}, .sectors = 1, .read_into = into, .write_from = {}}));
  session->send();
  EXPECT_EQ(next_completion(*device).status, IoStatus::timed_out);
}

TEST_F(WaitableSessionTest, ADeviceComesUpWithoutAWaitingCall) {
  auto device = session->start_device(kE71, {});
  ASSERT_TRUE(device);
  EXPECT_FALSE((*device)->is_up());
  EXPECT_EQ((*device)->identity(), nullptr);
  while (!(*device)->is_up()) {
    ASSERT_TRUE(readable(-1));
    session->process();
  }
  EXPECT_EQ((*device)->identity()->serial, "S1");
  EXPECT_EQ((*device)->access(), Access::read_write);
}

}  // namespace
}  // namespace aoe::client
