#include "compat/aoetools/ping.h"

#include "compat/aoetools/commands.h"
#include "unit/compat/aoetools/fake_session.h"
#include "unit/compat/recording_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

using initiator::Bytes;
using initiator::FakeTarget;
using initiator::Sent;
using testing::HasSubstr;
using testing::StartsWith;

class PingTest : public ::testing::Test {
 protected:
  PingTest() {
    options.address = initiator::kE71;
    options.interface = "test0";
    options.timeout = Duration::milliseconds(50);
  }

  PingOutcome run() {
    const auto session =
        session_with([this](const Sent& sent) { return hook ? hook(sent) : target.answer(sent); });
    return ping_device(*session, options, console);
  }

  FakeTarget target;
  std::function<std::optional<Bytes>(const Sent&)> hook;
  PingOptions options;
  RecordingConsole console;
};

TEST_F(PingTest, IsSilentWhereTheTargetAnswers) {
  std::vector<MacAddress> destinations;
  hook = [&](const Sent& sent) {
    destinations.push_back(sent.header.destination);
    return target.answer(sent);
  };
  EXPECT_EQ(run(), PingOutcome::ok);
  EXPECT_EQ(console.printed + console.complaints, "");
  EXPECT_THAT(destinations, testing::ElementsAre(MacAddress::broadcast()));
}

TEST_F(PingTest, VerboseShowsTheWholeAnswerAndWhoSentIt) {
  target.config_string = "foo";
  options.is_verbose = true;
  EXPECT_EQ(run(), PingOutcome::ok);
  EXPECT_THAT(console.printed,
              StartsWith("config query response:\n"
                         "02 00 00 00 00 10 02 00 00 00 00 20 88 a2 18 00 \n00 07 01 01 "));
  EXPECT_THAT(console.printed, HasSubstr("00 40 40 17 02 10 00 03 \n66 6f 6f "));
  EXPECT_THAT(console.printed, testing::EndsWith("\nfound e7.1 with mac 020000000020\n"));
}

TEST_F(PingTest, ShowsTheIdentityInEitherForm) {
  options.shows_identify = true;
  options.dumps_identify = true;
  EXPECT_EQ(run(), PingOutcome::ok);
  EXPECT_THAT(console.printed, StartsWith("device identify fields:\n"));
  EXPECT_THAT(console.printed, HasSubstr("serial_number: S1 "));
  console.printed.clear();
  options.shows_identify = false;
  EXPECT_EQ(run(), PingOutcome::ok);
  EXPECT_THAT(console.printed, StartsWith("device identify response:\n"));
  EXPECT_EQ(std::count(console.printed.begin(), console.printed.end(), '\n'), 33);
}

TEST_F(PingTest, SilenceIsATimeout) {
  hook = [](const Sent&) { return std::nullopt; };
  EXPECT_EQ(run(), PingOutcome::timed_out);
  EXPECT_EQ(console.printed + console.complaints, "");
}

TEST_F(PingTest, AsksForSmartOnlyWhereThereIsSmart) {
  options.smart = "return_status";
  EXPECT_EQ(run(), PingOutcome::failed);
  EXPECT_EQ(console.complaints, "Error: e7.1 does not support SMART\n");
}

TEST_F(PingTest, ShowsRegistersAndDataOfSmart) {
  target.disk.has_smart = true;
  hook = [&](const Sent& sent) {
    auto reply = target.answer(sent);
    if (sent.header.command == 0 && sent.ata().command_status == 0xB0) {
      EXPECT_EQ(sent.ata().feature_error, 0xD5);
      EXPECT_EQ(sent.ata().lba[0], 6);
      EXPECT_EQ(sent.ata().lba[1], 0x4F);
      EXPECT_EQ(sent.ata().lba[2], 0xC2);
      reply->resize(protocol::kAtaHeaderBytes + kSectorBytes, std::byte{0xEE});
    }
    return reply;
  };
  options.smart = "read_log:6";
  EXPECT_EQ(run(), PingOutcome::ok) << console.complaints;
  EXPECT_THAT(console.printed, StartsWith("ATA registers:\n"));
  EXPECT_THAT(console.printed, HasSubstr("Status: 0x40\nSMART data:\n"));
  EXPECT_THAT(console.printed, testing::EndsWith("ee ee ee \n"));
}

TEST_F(PingTest, WritesALogFromItsInputWithTheFlagForIt) {
  target.disk.has_smart = true;
  Bytes data;
  std::uint8_t flags = 0;
  hook = [&](const Sent& sent) {
    if (sent.header.command == 0 && sent.ata().command_status == 0xB0) {
      data = sent.data();
      flags = sent.ata().flags;
    }
    return target.answer(sent);
  };
  options.smart = "write_log:0x80";
  options.read_input = [](ByteSpan sector) {
    sector[0] = std::byte{0x42};
    return true;
  };
  EXPECT_EQ(run(), PingOutcome::ok) << console.complaints;
  ASSERT_EQ(data.size(), kSectorBytes);
  EXPECT_EQ(data[0], std::byte{0x42});
  EXPECT_EQ(flags, protocol::kAtaFlagWrite);
}

TEST_F(PingTest, SaysWhatItWasToldWrong) {
  const auto call = [&](std::vector<std::string> arguments) {
    console.printed.clear();
    console.complaints.clear();
    return ping(
        {.name = "aoeping", .arguments = std::move(arguments), .called = "aoeping", .places = {}},
        console);
  };
  EXPECT_EQ(call({"7", "1"}), 1);
  EXPECT_THAT(console.complaints, StartsWith("usage:\taoeping [options] {shelf} {slot} {netif}\n"));
  EXPECT_EQ(call({"-s", "0", "7", "1", "lo"}), 1);
  EXPECT_EQ(console.complaints, "aoeping Error: timeout seconds must be one or more\n");
  EXPECT_EQ(call({"-x", "7", "1", "lo"}), 1);
  EXPECT_THAT(console.complaints, StartsWith("aoeping: invalid option -- 'x'\n"
                                             "aoeping Error: unrecognized option: x\nusage:"));
  EXPECT_EQ(call({"65535", "255", "lo"}), 1);
  EXPECT_THAT(console.complaints, HasSubstr("65535.255 is not an address"));
  EXPECT_EQ(call({"-h"}), 0);
  EXPECT_THAT(console.complaints, StartsWith("usage:"));
}

}  // namespace
}  // namespace aoe::compat::aoetools
