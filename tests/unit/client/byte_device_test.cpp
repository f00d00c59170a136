// Byte ranges over a device with a target behind it, against a model in memory.
#include "client/byte_device.h"

#include "base/prng.h"
#include "client/session.h"
#include "protocol/ata_command.h"
#include "unit/client/target_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>

namespace aoe::client {
namespace {

using initiator::Bytes;
using initiator::FakeTarget;
using initiator::kE71;
using initiator::pattern;
using initiator::Sent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint32_t kRequestsMax = 8;

class ByteDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }

  void open(const DeviceOptions& options) {
    bytes.reset();
    std::vector<std::unique_ptr<net::PacketPort>> ports;
    ports.push_back(std::make_unique<TargetPort>("test0", [this](const Sent& sent) {
      if (sent.is_data()) {
        sent_ops.push_back(sent.ata().command_status);
      }
      return hook ? hook(sent) : target.answer(sent);
    }));
    auto opened = Session::open_over(
        std::move(ports),
        {.interfaces = {}, .seed = 1, .requests_max = kRequestsMax * ByteDevice::kPartsMax});
    ASSERT_TRUE(opened);
    session = *std::move(opened);
    auto device = session->open_device(kE71, options);
    ASSERT_TRUE(device) << device.error().message;
    bytes = std::make_unique<ByteDevice>(*std::move(device), kRequestsMax);
    sent_ops.clear();
  }

  // Drives until everything has completed; the errors by cookie.
  std::map<std::uint64_t, std::optional<Error>> finish() {
    std::map<std::uint64_t, std::optional<Error>> done;
    std::array<ByteCompletion, 3> batch;
    while (bytes->outstanding() != 0) {
      session->process();
      const std::size_t count = bytes->take(batch);
      for (ByteCompletion& completion : std::span(batch).first(count)) {
        done.emplace(completion.cookie, std::move(completion.error));
      }
    }
    return done;
  }

  Result<void> run(const ByteRequest& request) {
    AOE_TRY(bytes->submit(request));
    auto done = finish();
    if (auto& error = done.begin()->second) {
      return aoe::fail(*std::move(error));
    }
    return {};
  }

  [[nodiscard]] std::ptrdiff_t sent(protocol::AtaOp op) const {
    return std::count(sent_ops.begin(), sent_ops.end(), static_cast<std::uint8_t>(op));
  }

  static ByteRequest write_of(std::uint64_t offset, const Bytes& data, std::uint64_t cookie = 0) {
    return {.op = IoOp::write,
            .offset = offset,
            .bytes = data.size(),
            .read_into = {},
            .write_from = data,
            .durability = Durability::by_flush,
            .cookie = cookie};
  }

  static ByteRequest read_of(std::uint64_t offset, Bytes& into, std::uint64_t cookie = 0) {
    return {.op = IoOp::read,
            .offset = offset,
            .bytes = into.size(),
            .read_into = into,
            .write_from = {},
            .durability = Durability::by_flush,
            .cookie = cookie};
  }

  FakeTarget target{64};
  TargetPort::Answerer hook;
  std::vector<std::uint8_t> sent_ops;  // ATA opcodes of data frames
  std::unique_ptr<Session> session;
  std::unique_ptr<ByteDevice> bytes;
};

TEST_F(ByteDeviceTest, RandomRangesMatchAModel) {
  Bytes model(target.content.size());
  Prng random(20);
  for (unsigned i = 0; i < 400; ++i) {
    const std::uint64_t offset = random.below(model.size());
    const std::uint64_t length =
        1 + random.below(std::min<std::size_t>(model.size() - offset, 3000));
    const ByteSpan range = ByteSpan(model).subspan(offset, length);
    Bytes data = pattern(length, i);
    switch (random.below(4)) {
      case 0:
        ASSERT_TRUE(run(read_of(offset, data)));
        ASSERT_TRUE(equal_bytes(data, range)) << i;
        break;
      case 1:
        ASSERT_TRUE(run({.op = IoOp::write_zeroes, .offset = offset, .bytes = length}));
        fill_zero(range);
        break;
      case 2:
        ASSERT_TRUE(run({.op = IoOp::trim, .offset = offset, .bytes = length}));
        if (const SectorRun whole = split_bytes(offset, length).middle; whole.sectors != 0) {
          fill_zero(range.subspan(whole.range_begin, whole.sectors * kSectorBytes));
        }
        break;
      default:
        ASSERT_TRUE(run(write_of(offset, data)));
        copy_bytes(range, data);
    }
    ASSERT_EQ(target.content, model) << i << ": " << length << " bytes at " << offset;
  }
}

TEST_F(ByteDeviceTest, WholeSectorsAreWrittenWithoutReading) {
  ASSERT_TRUE(run(write_of(1024, pattern(4096, 1))));
  EXPECT_EQ(sent(protocol::AtaOp::read_ext), 0);
  EXPECT_EQ(sent(protocol::AtaOp::write_ext), 4);
  ASSERT_TRUE(run(write_of(100, pattern(1000, 1))));
  EXPECT_EQ(sent(protocol::AtaOp::read_ext), 2);
}

TEST_F(ByteDeviceTest, WritesToPartsOfOneSectorKeepEachOther) {
  // The first is still reading the sector when the others come.
  const Bytes first = pattern(100, 1);
  const Bytes second = pattern(100, 2);
  const Bytes third = pattern(700, 3);
  ASSERT_TRUE(bytes->submit(write_of(1000, first, 1)));
  ASSERT_TRUE(bytes->submit(write_of(900, second, 2)));
  ASSERT_TRUE(bytes->submit(write_of(300, third, 3)));
  ASSERT_TRUE(bytes->submit({.op = IoOp::write_zeroes, .offset = 1090, .bytes = 5, .cookie = 4}));
  for (const auto& [cookie, error] : finish()) {
    EXPECT_FALSE(error) << cookie;
  }
  Bytes model(target.content.size());
  copy_bytes(ByteSpan(model).subspan(1000), first);
  copy_bytes(ByteSpan(model).subspan(900), second);
  copy_bytes(ByteSpan(model).subspan(300), third);
  fill_zero(ByteSpan(model).subspan(1090, 5));
  EXPECT_EQ(target.content, model);
}

TEST_F(ByteDeviceTest, AWholeSectorWriteDuringAnEditIsNotUndone) {
  const Bytes part = pattern(10, 1);
  const Bytes whole = pattern(512, 2);
  ASSERT_TRUE(bytes->submit(write_of(520, part)));
  ASSERT_TRUE(bytes->submit(write_of(512, whole)));
  finish();
  EXPECT_TRUE(equal_bytes(ByteSpan(target.content).subspan(512, 512), whole));
}

TEST_F(ByteDeviceTest, NobodyOvertakesWhoWaitsForAnEdit) {
  const Bytes part = pattern(10, 1);
  const Bytes waits = pattern(1024, 2);
  const Bytes last = pattern(512, 3);
  ASSERT_TRUE(bytes->submit(write_of(520, part)));
  ASSERT_TRUE(bytes->submit(write_of(512, waits)));
  ASSERT_TRUE(bytes->submit(write_of(1024, last)));
  finish();
  EXPECT_TRUE(
      equal_bytes(ByteSpan(target.content).subspan(512, 512), ConstByteSpan(waits).first(512)));
  EXPECT_TRUE(equal_bytes(ByteSpan(target.content).subspan(1024, 512), last));
}

TEST_F(ByteDeviceTest, WhatDoesNotTouchAnEditGoesAhead) {
  const Bytes data = pattern(512, 1);
  Bytes part(10);
  ASSERT_TRUE(bytes->submit(write_of(520, part)));
  ASSERT_TRUE(bytes->submit(write_of(0, data)));
  session->process();
  EXPECT_EQ(sent(protocol::AtaOp::write_ext), 1);
  finish();
}

TEST_F(ByteDeviceTest, AFailedEditWritesNothingAndLetsTheNextOneGo) {
  const Bytes before = target.content;
  unsigned reads = 0;
  hook = [&](const Sent& sent) -> std::optional<Bytes> {
    auto reply = target.answer(sent);
    if (sent.is_data() && ++reads == 1) {
      (*reply)[25] = std::byte{0x40};
      (*reply)[27] = std::byte{0x41};
    }
    return reply;
  };
  const Bytes part = pattern(10, 1);
  const Bytes whole = pattern(512, 2);
  ASSERT_TRUE(bytes->submit(write_of(1, part, 1)));
  ASSERT_TRUE(bytes->submit(write_of(0, whole, 2)));
  auto done = finish();
  ASSERT_TRUE(done[1]);
  EXPECT_EQ(done[1]->code, Errc::io);
  EXPECT_THAT(done[1]->message, HasSubstr("medium cannot be read"));
  EXPECT_FALSE(done[2]);
  EXPECT_TRUE(equal_bytes(ByteSpan(target.content).first(512), whole));
}

TEST_F(ByteDeviceTest, DurableWritesFlushWhereThereIsACache) {
  ByteRequest request = write_of(0, pattern(512, 1));
  const Bytes data = pattern(512, 1);
  request.write_from = data;
  request.durability = Durability::at_once;
  ASSERT_TRUE(run(request));
  EXPECT_THAT(sent_ops, ElementsAre(static_cast<std::uint8_t>(protocol::AtaOp::write_ext)));

  target.disk.has_write_cache = true;
  target.disk.write_cache_enabled = true;
  open({});
  ASSERT_TRUE(run(request));
  EXPECT_THAT(sent_ops, ElementsAre(static_cast<std::uint8_t>(protocol::AtaOp::write_ext),
                                    static_cast<std::uint8_t>(protocol::AtaOp::flush)));
  sent_ops.clear();
  ASSERT_TRUE(run(
      {.op = IoOp::write_zeroes, .offset = 512, .bytes = 10, .durability = Durability::at_once}));
  EXPECT_EQ(sent(protocol::AtaOp::flush), 1);
  Bytes into(512);
  request = read_of(0, into);
  request.durability = Durability::at_once;
  ASSERT_TRUE(run(request));
  EXPECT_EQ(sent(protocol::AtaOp::flush), 1);
}

TEST_F(ByteDeviceTest, RefusesWhatCannotBeDone) {
  Bytes block(512);
  EXPECT_EQ(bytes->submit(read_of(32768, block)).error().code, Errc::invalid_argument);
  EXPECT_EQ(bytes->submit(read_of(32768 - 511, block)).error().code, Errc::invalid_argument);
  EXPECT_EQ(bytes->submit(read_of(~std::uint64_t{0} - 100, block)).error().message,
            "e7.1: read of 512 bytes at 18446744073709551515: past the end of the device "
            "(32768 bytes)");
  Bytes nothing;
  EXPECT_EQ(bytes->submit(read_of(0, nothing)).error().code, Errc::invalid_argument);
  for (std::uint32_t i = 0; i < kRequestsMax; ++i) {
    ASSERT_TRUE(bytes->submit(read_of(i, block)));
  }
  EXPECT_EQ(bytes->submit(read_of(0, block)).error().code, Errc::busy);
  finish();

  target.disk.has_trim = false;
  open({.access = Access::read_only});
  EXPECT_EQ(bytes->submit(write_of(0, block)).error().os_errno, EROFS);
  EXPECT_EQ(bytes->submit({.op = IoOp::trim, .offset = 0, .bytes = 512}).error().os_errno, EROFS);
  EXPECT_TRUE(run({.op = IoOp::flush}));
  open({});
  EXPECT_EQ(bytes->submit({.op = IoOp::trim, .offset = 0, .bytes = 1}).error().code,
            Errc::unsupported);
  EXPECT_EQ(bytes->outstanding(), 0U);
}

TEST_F(ByteDeviceTest, ATrimOfLessThanASectorIsDoneWithoutAFrame) {
  ASSERT_TRUE(run({.op = IoOp::trim, .offset = 100, .bytes = 600}));
  EXPECT_TRUE(sent_ops.empty());
}

TEST_F(ByteDeviceTest, CloseEndsEverythingInEveryStage) {
  hook = [](const Sent&) { return std::nullopt; };
  Bytes into(512);
  const Bytes part = pattern(10, 1);
  ASSERT_TRUE(bytes->submit(read_of(0, into, 1)));
  ASSERT_TRUE(bytes->submit(write_of(513, part, 2)));
  ASSERT_TRUE(bytes->submit(write_of(600, part, 3)));
  session->process();
  bytes->close();
  const auto done = finish();
  EXPECT_EQ(done.size(), 3U);
  for (const auto& [cookie, error] : done) {
    ASSERT_TRUE(error) << cookie;
    EXPECT_EQ(error->os_errno, ECANCELED);
    EXPECT_THAT(error->message, HasSubstr("e7.1"));
  }
}

}  // namespace
}  // namespace aoe::client
