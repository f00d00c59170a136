// Work must not make a core allocate, and what strangers send costs no memory.
#include "support/allocation_counter.h"
#include "support/lent_frame.h"
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <array>

namespace aoe::initiator {
namespace {

class Allocating : public ::testing::TestWithParam<FakePeer> {
 protected:
  Allocating() {
    world_.port_up();
    world_.port_up(PortId{1}, 1500, kHostMac2);
    target_.peer = GetParam();
    id_ = world_.open(target_);
  }

  // What the core allocates while it does this, is added to cost_.
  template <class Call>
  void watched(Call call) {
    const std::uint64_t before = test::allocations();
    call();
    cost_ += test::allocations() - before;
  }

  void submit(const IoRequest& request) {
    watched([&] { ASSERT_TRUE(world_.core->submit(world_.now, id_, request).has_value()); });
  }

  void receive(const Bytes& frame, PortId port = PortId{0}) {
    PacketBuffer buffer = lent_.make(frame);
    watched([&] { world_.core->handle_frame(world_.now, port, std::move(buffer)); });
  }

  // Sends what is to be sent, and has it answered, but for each `lost_of`-th frame.
  void exchange(std::uint32_t lost_of) {
    std::array<TxFrame, 8> batch;
    std::size_t count = 0;
    do {
      watched([&] { count = world_.core->poll_transmit(world_.now, batch); });
      for (TxFrame& out : std::span(batch).first(count)) {
        const PacketBuffer frame = std::move(out.frame);
        Sent sent{out.port, {frame.bytes().begin(), frame.bytes().end()}, {}};
        sent.header = *protocol::parse_header(sent.frame);
        const auto reply = ++frames_ % lost_of == 0 ? std::nullopt : target_.answer(sent);
        if (reply && sent.is_identify()) {
          world_.receive(*reply, sent.port);  // its texts cost memory
        } else if (reply) {
          receive(*reply, sent.port);
        }
      }
    } while (count != 0);
  }

  // Until the device has nothing to do.
  void finish(std::uint32_t lost_of) {
    std::array<IoCompletion, 8> done;
    std::array<Event, 8> events;
    for (int turns = 0; turns < 10'000 && ended_ < submitted_; ++turns) {
      exchange(lost_of);
      watched([&] {
        ended_ += world_.core->poll_completions(done);
        static_cast<void>(world_.core->poll_events(events));
      });
      if (const auto next = world_.core->poll_timeout(); next && ended_ < submitted_) {
        world_.now = std::max(world_.now, *next);
        watched([&] { world_.core->handle_timeout(world_.now); });
      }
    }
    EXPECT_EQ(ended_, submitted_);
  }

  CoreWorld world_;
  FakeTarget target_;
  DeviceId id_{};
  test::LentFrame lent_;
  std::uint64_t cost_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t submitted_ = 0;
  std::uint64_t ended_ = 0;
};

TEST_P(Allocating, RequestsOfEveryKindCostNoMemory) {
  Bytes memory(std::size_t{8} * kSectorBytes);
  for (std::uint64_t round = 0; round < 40; ++round) {
    // Neighbours that share frames, overlaps that wait, and what is lost and fenced.
    for (std::uint64_t i = 0; i < 4; ++i) {
      const Lba lba{(round * 4 + i) * 3 % 512};
      submit({.op = IoOp::read, .lba = lba, .sectors = 8, .read_into = memory});
      submit({.op = IoOp::write, .lba = lba, .sectors = 8, .write_from = memory});
      submit({.op = IoOp::write, .lba = lba, .sectors = 8, .write_from = memory, .durable = true});
      submit({.op = IoOp::write_zeroes, .lba = lba, .sectors = 8});
      submit({.op = IoOp::trim, .lba = lba, .sectors = 8});
      submit({.op = IoOp::flush});
      submitted_ += 6;
    }
    finish(round < 20 ? 1'000'000 : 7);
  }
  EXPECT_GT(world_.core->stats().retransmissions, 10U);
  EXPECT_EQ(cost_, 0U);
}

TEST_P(Allocating, StrangersCostNoMemory) {
  FakeTarget stranger;
  const Sent question{PortId{0},
                      Bytes(protocol::kFrameBytesMin),
                      {.source = kHostMac, .address = kE71, .command = 1}};
  for (std::uint32_t i = 0; i < 3000; ++i) {
    stranger.mac = {{2, 0, 0, 9, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)}};
    // An offer of the device, one of another, and an answer that nobody asked for.
    for (const bool is_ours : {true, false}) {
      stranger.address = {kE71.shelf,
                          is_ours ? kE71.slot : Slot{static_cast<std::uint8_t>(i % 200)}};
      Bytes offer = reply_to(question, stranger);
      protocol::build_config(offer, {.buffer_count = 16, .sector_count = 2});
      receive(offer);
    }
    Sent data = question;
    data.header.command = 0;
    data.header.tag = Tag{0x80000000U | i};
    receive(reply_to(data, stranger));
  }
  exchange(1'000'000);
  EXPECT_EQ(world_.core->table_use().paths, CoreLimits{}.paths_max);
  EXPECT_EQ(world_.core->table_use().targets, CoreLimits{}.targets_max);
  EXPECT_EQ(cost_, 0U);
}

std::string name_of_peer(const ::testing::TestParamInfo<FakePeer>& peer) {
  return peer.param == FakePeer::plain ? "plain" : "sessions";
}

INSTANTIATE_TEST_SUITE_P(Each, Allocating, ::testing::Values(FakePeer::plain, FakePeer::sessions),
                         name_of_peer);

}  // namespace
}  // namespace aoe::initiator
