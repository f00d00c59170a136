// The calls that wait, and the questions, in one thread.
#include "os/clock.h"
#include "unit/libaoe/handle_fixture.h"

#include <array>
#include <cerrno>
#include <string>

namespace aoe::libaoe {
namespace {

using initiator::Bytes;
using initiator::pattern;
using initiator::Sent;
using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST_F(HandleTest, TellsItsVersion) {
  EXPECT_STREQ(aoe_version(), AOE_VERSION);
}

TEST_F(HandleTest, ReadsWhatItWrote) {
  open();
  const Bytes data = pattern(5000, 1);
  Bytes back(data.size());
  ASSERT_EQ(aoe_pwrite(handle, data.data(), data.size(), 777, 0), 0) << aoe_get_error();
  ASSERT_EQ(aoe_flush(handle, 0), 0) << aoe_get_error();
  ASSERT_EQ(aoe_pread(handle, back.data(), back.size(), 777, 0), 0) << aoe_get_error();
  EXPECT_EQ(back, data);
  ASSERT_EQ(aoe_zero(handle, 1000, 1000, AOE_FLAG_FUA), 0) << aoe_get_error();
  ASSERT_EQ(aoe_trim(handle, 1024, 4096, AOE_FLAG_FUA), 0) << aoe_get_error();
  ASSERT_EQ(aoe_trim(handle, 10, 0, 0), 0) << aoe_get_error();  // no whole sector, no frame
  ASSERT_EQ(aoe_pread(handle, back.data(), 1000, 1000, 0), 0) << aoe_get_error();
  EXPECT_TRUE(equal_bytes(ByteSpan(back).first(1000), Bytes(1000)));
}

TEST_F(HandleTest, AnswersQuestions) {
  target.disk.serial = "SERIAL";
  target.disk.model = std::string(40, 'M');
  target.disk.trim_reads_zero = true;
  target.disk.physical_sector_bytes = 4096;
  open();
  EXPECT_EQ(aoe_get_size(handle), 256 * 512);
  EXPECT_EQ(aoe_is_up(handle), 1);
  EXPECT_EQ(aoe_is_read_only(handle), 0);
  EXPECT_EQ(aoe_can_flush(handle), 1);
  EXPECT_EQ(aoe_can_fua(handle), 1);
  EXPECT_EQ(aoe_can_trim(handle), 1);
  EXPECT_EQ(aoe_can_zero(handle), 1);
  EXPECT_EQ(aoe_get_block_size(handle, AOE_BLOCK_MINIMUM), 512);
  EXPECT_EQ(aoe_get_block_size(handle, AOE_BLOCK_PREFERRED), 4096);
  EXPECT_EQ(aoe_get_block_size(handle, AOE_BLOCK_MAXIMUM), 1 << 30);
  aoe_identity identity{};
  ASSERT_EQ(aoe_get_identity(handle, &identity, sizeof identity), 0);
  EXPECT_EQ(identity.shelf, 7);
  EXPECT_EQ(identity.slot, 1);
  EXPECT_EQ(identity.size, 256U * 512U);
  EXPECT_EQ(identity.trim_reads_zero, 1);
  EXPECT_STREQ(identity.serial, "SERIAL");
  EXPECT_EQ(std::string(identity.model), std::string(40, 'M'));
}

TEST_F(HandleTest, CountsWhatItDoes) {
  open();
  Bytes block(1024);
  ASSERT_EQ(aoe_pwrite(handle, block.data(), 1024, 0, 0), 0);
  ASSERT_EQ(aoe_pread(handle, block.data(), 512, 0, 0), 0);
  hook = [this](const Sent& sent) {
    auto reply = target.answer(sent);
    (*reply)[25] = std::byte{0x40};
    (*reply)[27] = std::byte{0x41};
    return reply;
  };
  EXPECT_TRUE(failed_with(aoe_pread(handle, block.data(), 512, 512, 0), EIO, "at lba 1"));
  hook = nullptr;
  aoe_stats stats{};
  ASSERT_EQ(aoe_get_stats(handle, &stats, sizeof stats), 0);
  EXPECT_EQ(stats.requests, 3U);
  EXPECT_EQ(stats.errors, 1U);
  EXPECT_EQ(stats.bytes_read, 512U);
  EXPECT_EQ(stats.bytes_written, 1024U);
  EXPECT_GE(stats.frames_sent, 5U);
  EXPECT_EQ(stats.retransmissions, 0U);
  EXPECT_EQ(stats.rx_frames, stats.tx_frames);
}

TEST_F(HandleTest, StructuresOfOtherVersionsAreFilledAsFarAsTheyGo) {
  open();

  struct Longer {
    aoe_stats known;
    std::uint64_t later;
  } longer{};

  longer.later = 7;
  ASSERT_EQ(aoe_get_stats(handle, &longer.known, sizeof longer), 0);
  EXPECT_EQ(longer.later, 0U);
  EXPECT_TRUE(failed_with(aoe_get_stats(handle, &longer.known, 8), EINVAL, "8 bytes"));
  EXPECT_TRUE(failed_with(aoe_get_identity(handle, nullptr, 112), EINVAL, "structure: NULL"));
}

TEST_F(HandleTest, ListsItsPathsUntilToldToStop) {
  open();
  Bytes block(512);
  ASSERT_EQ(aoe_pread(handle, block.data(), 512, 0, 0), 0);

  struct Seen {
    std::string interface, state;
    std::uint32_t payload = 0;
    std::int64_t srtt_ns = 0;
  } seen;

  const auto look = [](void* into, const aoe_path* path) {
    *static_cast<Seen*>(into) = {path->interface, path->state, path->payload_bytes, path->srtt_ns};
    return 1;
  };
  EXPECT_EQ(aoe_list_paths(handle, look, &seen), 1);
  EXPECT_EQ(seen.interface, "test0");
  EXPECT_EQ(seen.state, "live");
  EXPECT_EQ(seen.payload, 1024U);
  EXPECT_GT(seen.srtt_ns, 0);
  EXPECT_TRUE(failed_with(aoe_list_paths(handle, nullptr, nullptr), EINVAL, "callback: NULL"));
}

TEST_F(HandleTest, TellsAboutAnotherSize) {
  std::vector<std::int64_t> sizes;
  const auto note_size = [](void* into, std::int64_t size) {
    static_cast<std::vector<std::int64_t>*>(into)->push_back(size);
  };
  ASSERT_EQ(aoe_set_size_callback(handle, note_size, &sizes), 0);
  open();
  EXPECT_TRUE(sizes.empty());
  target.disk.sector_count = 512;
  target.content.resize(512 * kSectorBytes);
  static_cast<void>(session->discover({.address = initiator::kE71}));
  while (sizes.empty()) {
    ASSERT_GE(aoe_poll(handle, -1), 0) << aoe_get_error();
  }
  EXPECT_THAT(sizes, ElementsAre(512 * 512));
  EXPECT_EQ(aoe_get_size(handle), 512 * 512);
  EXPECT_EQ(aoe_in_flight(handle), 0);
}

TEST_F(HandleTest, AFailedOpenMayBeTriedAgain) {
  ASSERT_EQ(aoe_set_open_timeout_ms(handle, 30), 0);
  EXPECT_TRUE(failed_with(aoe_open(handle, "aoe:e9.9"), ENXIO,
                          "aoe_open: e9.9: no target answers in 0.0 s"));
  EXPECT_TRUE(failed_with(aoe_is_up(handle), ENOTCONN, "aoe_is_up: the handle is not open"));
  hook = [this](const Sent& sent) {
    return sent.header.command == 1 ? target.answer(sent) : std::nullopt;
  };
  EXPECT_TRUE(failed_with(aoe_open(handle, "e7.1"), ETIMEDOUT, "does not identify itself"));
  hook = nullptr;
  ASSERT_EQ(aoe_set_open_timeout_ms(handle, 60'000), 0);
  open();
  EXPECT_TRUE(failed_with(aoe_open(handle, "e7.1"), EINVAL, "the handle is open"));
}

TEST_F(HandleTest, UriAndSettingsSayHowLongAndHowMuch) {
  ASSERT_EQ(aoe_set_timeout_ms(handle, 3'600'000), 0);
  ASSERT_EQ(aoe_set_payload_max(handle, 1024), 0);
  ASSERT_EQ(aoe_open(handle, "aoe:e7.1?timeout=0.03&payload=512"), 0) << aoe_get_error();
  EXPECT_EQ(aoe_get_block_size(handle, AOE_BLOCK_PREFERRED), 512);
  hook = [](const Sent&) { return std::nullopt; };
  Bytes block(512);
  EXPECT_TRUE(failed_with(aoe_pread(handle, block.data(), 512, 0, 0), ETIMEDOUT,
                          "aoe_pread: e7.1: read at lba 0: no answer in 0.0 s"));
}

TEST_F(HandleTest, ReadOnlyHandlesChangeNothing) {
  ASSERT_EQ(aoe_set_read_only(handle, 1), 0);
  open();
  EXPECT_EQ(aoe_is_read_only(handle), 1);
  Bytes block(512);
  EXPECT_TRUE(failed_with(aoe_pwrite(handle, block.data(), 512, 0, 0), EROFS, "read-only"));
  EXPECT_TRUE(failed_with(aoe_zero(handle, 512, 0, 0), EROFS, "read-only"));
  EXPECT_TRUE(failed_with(aoe_trim(handle, 512, 0, 0), EROFS, "read-only"));
  EXPECT_EQ(aoe_flush(handle, 0), 0);
  EXPECT_EQ(data_frames, 1U);
}

TEST_F(HandleTest, RefusesWhatItCannotDo) {
  Bytes block(512);
  EXPECT_TRUE(failed_with(aoe_pread(handle, block.data(), 512, 0, 0), ENOTCONN, "not open"));
  EXPECT_TRUE(failed_with(aoe_get_fd(handle), ENOTCONN, "not open"));
  EXPECT_TRUE(failed_with(aoe_process(handle), ENOTCONN, "not open"));
  EXPECT_TRUE(failed_with(aoe_start_thread(handle), ENOTCONN, "not open"));
  EXPECT_TRUE(failed_with(aoe_set_timeout_ms(handle, 0), EINVAL, "expected 1 or more"));
  EXPECT_TRUE(failed_with(aoe_set_interfaces(handle, "eth0,"), EINVAL, "interface name ''"));
  EXPECT_TRUE(failed_with(aoe_set_payload_max(handle, 100), EINVAL, "multiple of 512"));
  EXPECT_TRUE(failed_with(aoe_open(handle, "nbd://x"), EINVAL, "nbd://x"));
  open();
  EXPECT_TRUE(failed_with(aoe_set_timeout_ms(handle, 1), EINVAL, "the handle is open"));
  EXPECT_TRUE(failed_with(aoe_share_network(handle, handle), EINVAL, "the handle is open"));
  EXPECT_TRUE(failed_with(aoe_pread(handle, block.data(), 512, 131072, 0), EINVAL, "past the end"));
  EXPECT_TRUE(failed_with(aoe_pread(handle, block.data(), 0, 0, 0), EINVAL, "nothing to do"));
  EXPECT_TRUE(failed_with(aoe_pread(handle, block.data(), 512, 0, 1), EINVAL, "unknown flags"));
  EXPECT_TRUE(failed_with(aoe_pread(handle, nullptr, 512, 0, 0), EINVAL, "buffer: NULL"));
  EXPECT_TRUE(
      failed_with(aoe_pread(handle, block.data(), (1U << 30U) + 1, 0, 0), EINVAL, "at most 1 GiB"));
  EXPECT_TRUE(failed_with(aoe_flush(handle, AOE_FLAG_FUA), EINVAL, "unknown flags"));
  EXPECT_TRUE(failed_with(static_cast<int>(aoe_get_block_size(handle, 3)), EINVAL, "block size"));
  EXPECT_TRUE(failed_with(aoe_aio_flush(handle, 0, nullptr, nullptr), EINVAL, "completion: NULL"));
  EXPECT_TRUE(failed_with(aoe_flush(nullptr, 0), EINVAL, "handle: NULL"));
  EXPECT_EQ(data_frames, 0U);
}

TEST_F(HandleTest, FlagsRuleOutAWayToZero) {
  open();
  EXPECT_EQ(aoe_zero(handle, 512, 0, AOE_FLAG_NO_HOLE), 0);
  EXPECT_TRUE(failed_with(aoe_zero(handle, 512, 0, AOE_FLAG_FAST_ZERO), ENOTSUP, "sent zeros"));
}

TEST_F(HandleTest, FlagsRuleOutTheOtherWayToZero) {
  target.disk.trim_reads_zero = true;
  open();
  EXPECT_EQ(aoe_zero(handle, 512, 0, AOE_FLAG_FAST_ZERO), 0);
  EXPECT_TRUE(failed_with(aoe_zero(handle, 512, 0, AOE_FLAG_NO_HOLE), ENOTSUP, "release"));
}

TEST_F(HandleTest, TrimNeedsATargetThatHasIt) {
  target.disk.has_trim = false;
  open();
  EXPECT_EQ(aoe_can_trim(handle), 0);
  EXPECT_TRUE(failed_with(aoe_trim(handle, 512, 0, 0), ENOTSUP, "no trim"));
}

TEST_F(HandleTest, HandlesShareANetwork) {
  aoe_handle* other = aoe_create();
  EXPECT_TRUE(failed_with(aoe_share_network(other, handle), ENOTCONN, "not open"));
  open();
  ASSERT_EQ(aoe_share_network(other, handle), 0) << aoe_get_error();
  EXPECT_TRUE(failed_with(aoe_open(other, "aoe:e7.1"), EEXIST, "open already"));
  ASSERT_EQ(aoe_set_open_timeout_ms(other, 20), 0);
  EXPECT_TRUE(failed_with(aoe_open(other, "aoe:e7.2"), ENXIO, "e7.2"));
  initiator::FakeTarget second{64};
  second.address = {Shelf{7}, Slot{2}};
  hook = [&](const Sent& sent) {
    return sent.header.address.slot == Slot{2} ? second.answer(sent) : target.answer(sent);
  };
  ASSERT_EQ(aoe_set_open_timeout_ms(other, 60'000), 0);
  ASSERT_EQ(aoe_open(other, "aoe:e7.2"), 0) << aoe_get_error();
  EXPECT_EQ(aoe_get_fd(other), aoe_get_fd(handle));
  EXPECT_EQ(aoe_get_size(other), 64 * 512);
  const Bytes data = pattern(512, 3);
  ASSERT_EQ(aoe_pwrite(other, data.data(), 512, 512, 0), 0) << aoe_get_error();
  EXPECT_TRUE(equal_bytes(ByteSpan(second.content).subspan(512, 512), data));
  EXPECT_EQ(target.content, Bytes(target.content.size()));
  // The network goes on without the handle that made it.
  ASSERT_EQ(aoe_close(handle), 0);
  Bytes back(512);
  EXPECT_EQ(aoe_pread(other, back.data(), 512, 512, 0), 0) << aoe_get_error();
  EXPECT_EQ(back, data);
  handle = other;
}

TEST_F(HandleTest, ANetworkHasRoomForSixteenDevices) {
  open();
  std::vector<initiator::FakeTarget> targets(17, initiator::FakeTarget{8});
  hook = [&](const Sent& sent) {
    return sent.header.address.slot == Slot{1}
               ? target.answer(sent)
               : targets.at(sent.header.address.slot.value - 2U).answer(sent);
  };
  std::vector<aoe_handle*> others;
  for (unsigned slot = 2; slot <= 17; ++slot) {
    targets.at(slot - 2).address = {Shelf{7}, Slot{static_cast<std::uint8_t>(slot)}};
    aoe_handle* other = others.emplace_back(aoe_create());
    ASSERT_EQ(aoe_share_network(other, handle), 0);
    const std::string device = "e7." + std::to_string(slot);
    if (slot <= 16) {
      EXPECT_EQ(aoe_open(other, device.c_str()), 0) << aoe_get_error();
    } else {
      EXPECT_TRUE(failed_with(aoe_open(other, device.c_str()), ENOSPC, "too many devices"));
    }
  }
  for (aoe_handle* other : others) {
    EXPECT_EQ(aoe_close(other), 0);
  }
}

TEST(HandleLimits, ANetworkHasAtMost32Interfaces) {
  aoe_handle* handle = aoe_create();
  std::string names = "if0";
  for (int i = 1; i <= 32; ++i) {
    names += ",if" + std::to_string(i);
  }
  ASSERT_EQ(aoe_set_interfaces(handle, names.c_str()), 0);
  EXPECT_TRUE(failed_with(aoe_open(handle, "e7.1"), EINVAL, "33 interfaces given, at most 32"));
  EXPECT_EQ(aoe_close(handle), 0);
}

TEST_F(HandleTest, ClosingNothingIsFine) {
  EXPECT_EQ(aoe_close(nullptr), 0);
  EXPECT_EQ(aoe_close(aoe_create()), 0);
}

}  // namespace
}  // namespace aoe::libaoe
