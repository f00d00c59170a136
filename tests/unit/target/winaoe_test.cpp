// What WinAoE sends (its aoe.c: a search every 10 s, then a disk's size, a first read, the longest
// answer), and what it needs in return. It writes the number of a frame into the tag as the
// processor has it, so little-endian, sends lost frames again with the same tag, and looks at no
// status: whatever has the tag, shelf and slot of a question is the answer to it.
#include "protocol/ata_identify.h"
#include "support/target_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace aoe::test {
namespace {

using target::ExportSettings;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kTagAt = 20;
constexpr std::size_t kDataAt = protocol::kAtaHeaderBytes;
constexpr std::uint64_t kSectorCount = 4096;

class WinAoE : public TargetTest {
 protected:
  void SetUp() override {
    (void)t.serve(TargetHarness::settings(kE71, kSectorCount));
    disk().poke(0, content_);
  }

  // As its processor stores the number: 1 becomes the bytes 01 00 00 00.
  static Bytes numbered(FrameBuilder frame, std::uint32_t number) {
    Bytes bytes = frame.unpadded();
    for (std::size_t i = 0; i < 4; ++i) {
      store_u8(bytes, kTagAt + i, static_cast<std::uint8_t>(number >> (8 * i) & 0xFFU));
    }
    return bytes;
  }

  Bytes numbered(FrameBuilder frame) { return numbered(std::move(frame), next_number_++); }

  static FrameBuilder search() {
    return FrameBuilder::ata(0xEC, 0, 1).ata_flags(0).broadcast().address(kEverywhere);
  }

  static FrameBuilder get_size() { return FrameBuilder::ata(0xEC, 0, 1).ata_flags(0x40); }

  // The tag, the shelf and the slot are what it knows an answer by.
  static bool is_known_by_tag(const Bytes& question, const Bytes& answer) {
    return std::ranges::equal(ConstByteSpan(question).subspan(kTagAt, 4),
                              ConstByteSpan(answer).subspan(kTagAt, 4)) &&
           protocol::parse_header(answer)->address == kE71;
  }

  // It takes the size of a disk from words 100-103 of anything that answers a search.
  static std::uint64_t size_in(const Bytes& answer) { return load_le64(answer, kDataAt + 200); }

  Bytes answer(const Bytes& question) {
    Bytes answer = t.answer(question).bytes;
    EXPECT_FALSE(answer.empty());
    EXPECT_TRUE(answer.empty() || is_known_by_tag(question, answer));
    // What is looked for in it is there to be missed.
    answer.resize(std::max(answer.size(), kDataAt + kSectorBytes));
    return answer;
  }

  ModelDisk& disk() { return t.disk(t.at().id); }

  const Bytes content_ = pattern(64 * kSectorBytes, 5);

 private:
  std::uint32_t next_number_ = 1;
};

TEST_F(WinAoE, ASearchFindsTheDiskAtItsAddress) {
  const Bytes question = numbered(search());
  EXPECT_EQ(load_be32(question, kTagAt), 0x0100'0000U);
  const Bytes found = answer(question);
  EXPECT_EQ(load_mac(found, 0), kInitiatorA);
  EXPECT_EQ(load_mac(found, 6), kTargetMac);
  EXPECT_EQ(size_in(found), kSectorCount);
}

TEST_F(WinAoE, EverySearchIsAnswered) {
  for (int i = 0; i < 300; ++i) {
    (void)answer(numbered(search()));
    t.advance(Duration::seconds(10));
  }
}

TEST_F(WinAoE, ADiskOfWhichOnlyTheAddressIsKnownIsAskedForByBroadcast) {
  const Bytes found = answer(numbered(get_size().broadcast()));
  EXPECT_EQ(load_mac(found, 6), kTargetMac);
  EXPECT_EQ(size_in(found), kSectorCount);
  EXPECT_THAT(t.answers(numbered(get_size().broadcast().address(kE72))), IsEmpty());
}

// Reads of 1, 2, 3 .. sectors until an answer is shorter than that.
TEST_F(WinAoE, TheLongestAnswerIsFoundByAnAbort) {
  std::size_t sectors = 1;
  for (; sectors < 100; ++sectors) {
    const Bytes read =
        t.answer(numbered(FrameBuilder::read(0, static_cast<std::uint8_t>(sectors)))).bytes;
    ASSERT_GE(read.size(), protocol::kFrameBytesMin);
    if (read.size() - kDataAt < sectors * kSectorBytes) {
      break;
    }
    EXPECT_TRUE(std::ranges::equal(ConstByteSpan(read).subspan(kDataAt),
                                   ConstByteSpan(content_).first(sectors * kSectorBytes)));
  }
  EXPECT_EQ(sectors, 18U) << "the port of this test carries 17";
}

TEST_F(WinAoE, WritesAreDoneAndReadBack) {
  const Bytes data = pattern(2 * kSectorBytes, 7);
  const Bytes done = answer(numbered(FrameBuilder::write(100, data)));
  EXPECT_EQ(load_u8(done, 27) & protocol::kStatusFailureMask, 0);
  EXPECT_EQ(disk().peek(100, 2), data);
  const Bytes read = answer(numbered(FrameBuilder::read(100, 2)));
  EXPECT_TRUE(std::ranges::equal(ConstByteSpan(read).subspan(kDataAt), data));
}

TEST_F(WinAoE, AFrameThatIsSentAgainIsAnsweredAgain) {
  const Bytes write = numbered(FrameBuilder::write(100, pattern(kSectorBytes, 7)));
  for (int i = 0; i < 3; ++i) {
    (void)answer(write);
    t.advance(Duration::milliseconds(40));
  }
  EXPECT_EQ(disk().peek(100), pattern(kSectorBytes, 7));
}

// The upper half of a number, turned round, stands where Linux has its clock: at 25600 frames a
// second it goes on as quickly as the clock of a host with HZ 100. Nothing may be dropped for being
// older.
TEST_F(WinAoE, NumbersAreNotTakenForAClock) {
  constexpr std::uint32_t kFirst = 60'000;
  constexpr std::uint32_t kLast = 200'000;
  for (std::uint32_t number = kFirst; number < kLast; ++number) {
    const Bytes write = numbered(FrameBuilder::write(number % 8, Bytes(kSectorBytes)), number);
    ASSERT_THAT(t.answers(write), SizeIs(1)) << number;
    if (number % 64 == 0) {
      t.advance(Duration::microseconds(2500));
      (void)disk().take_log();
    }
  }
  EXPECT_EQ(t.core().stats().clocks_learned, 0U);
  EXPECT_EQ(t.core().stats().drops.late_write, 0U);
}

}  // namespace
}  // namespace aoe::test
