#include "initiator/frame_log.h"

#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <vector>

namespace aoe::initiator {
namespace {

TEST(FrameLog, TheNewestAreLeftOutWhenNobodyAsks) {
  FrameLog log;
  for (std::uint32_t i = 0; i < 150; ++i) {
    log.note({.tag = Tag{i}});
  }
  std::array<FrameNote, 200> notes;
  ASSERT_EQ(log.poll(notes), 100U);
  EXPECT_EQ(notes[0].tag, Tag{0});
  EXPECT_EQ(notes[99].tag, Tag{99});
  EXPECT_EQ(log.poll(notes), 0U);
}

TEST(FrameLog, AFrameThatIsSentAgainAndItsSecondAnswerAreNoted) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  std::array<FrameNote, 100> notes;
  static_cast<void>(world.core->poll_frame_notes(notes));
  Bytes sector(kSectorBytes);
  world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = sector, .cookie = 1});
  std::vector<Sent> sent;
  const auto keep = [&](const Sent& frame) {
    if (frame.is_data()) {
      sent.push_back(frame);
    }
  };
  world.advance(Duration::seconds(5), keep);
  ASSERT_GE(sent.size(), 2U);
  ASSERT_GE(world.core->poll_frame_notes(notes), 1U);
  EXPECT_EQ(notes[0].kind, FrameNote::Kind::retransmission);
  EXPECT_EQ(notes[0].address, kE71);
  EXPECT_EQ(notes[0].tag, sent[0].header.tag);
  EXPECT_EQ(notes[0].source, kHostMac);
  EXPECT_EQ(notes[0].destination, kTargetMac);

  world.receive(*target.answer(sent[0]));
  while (world.core->poll_frame_notes(notes) > 0) {
  }
  world.receive(*target.answer(sent[1]));
  ASSERT_EQ(world.core->poll_frame_notes(notes), 1U);
  EXPECT_EQ(notes[0].kind, FrameNote::Kind::unexpected_answer);
  EXPECT_EQ(notes[0].tag, sent[0].header.tag);
  EXPECT_EQ(notes[0].source, kTargetMac);
  EXPECT_EQ(notes[0].destination, kHostMac);
}

TEST(FrameLog, ARequestThatIsGivenUpIsNotedOnceWithTheFrameThatWasSent) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  std::array<FrameNote, 100> notes;
  static_cast<void>(world.core->poll_frame_notes(notes));
  const Bytes sectors(2 * kSectorBytes);
  world.submit(id, {.op = IoOp::write,
                    .lba = Lba{0x1234},
                    .sectors = 2,
                    .write_from = sectors,
                    .cookie = 1,
                    .timeout = Duration::seconds(5)});
  std::vector<Sent> sent;
  world.advance(Duration::seconds(10), [&](const Sent& frame) {
    if (frame.is_data()) {
      sent.push_back(frame);
    }
  });
  std::vector<FrameNote> given_up;
  while (const std::size_t count = world.core->poll_frame_notes(notes)) {
    for (const FrameNote& note : std::span(notes).first(count)) {
      if (note.kind == FrameNote::Kind::given_up) {
        given_up.push_back(note);
      }
    }
  }
  ASSERT_EQ(given_up.size(), 1U);
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(given_up[0].address, kE71);
  EXPECT_EQ(given_up[0].transmissions, sent.size());
  EXPECT_EQ(given_up[0].tag, sent[0].header.tag);
  EXPECT_EQ(Bytes(given_up[0].frame.begin(), given_up[0].frame.end()),
            Bytes(sent[0].frame.begin(), sent[0].frame.begin() + protocol::kAtaHeaderBytes));
}

}  // namespace
}  // namespace aoe::initiator
