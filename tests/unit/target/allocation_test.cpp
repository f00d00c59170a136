// Frames must not make a core allocate: what a stranger sends costs no memory.
#include "support/allocation_counter.h"
#include "support/lent_frame.h"
#include "support/sealed_frames.h"
#include "support/target_fixture.h"

#include <array>

namespace aoe::test {
namespace {

using protocol::ConfigCommand;
using protocol::ReserveCommand;

constexpr std::uint8_t kAdd = 1;

class Allocating : public TargetTest {
 protected:
  Allocating() { (void)t.serve(TargetHarness::settings()); }

  // Allocations while the core takes one frame and gives its answers away.
  std::uint64_t cost(const Bytes& frame) {
    PacketBuffer buffer = frame_.make(frame);
    const std::uint64_t before = allocations();
    t.core().handle_frame(t.now(), PortId{0}, std::move(buffer));
    std::array<target::ExportStoreOp, 8> ops;
    const std::size_t op_count = t.core().poll_store_ops(ops);
    for (std::size_t i = 0; i < op_count; ++i) {
      t.core().handle_store_done(t.now(), {.tag = ops[i].op.tag});
    }
    std::array<target::TxFrame, 8> frames;
    (void)t.core().poll_transmit(frames);
    const std::uint64_t after = allocations();
    return after - before;
  }

  LentFrame frame_;
};

TEST_F(Allocating, CommandsOfEveryKindCostNoMemory) {
  for (const Bytes& frame :
       {FrameBuilder::read(0, 8).build(), FrameBuilder::write(0, pattern(4096, 1)).build(),
        FrameBuilder::ata(0xEA).build(), FrameBuilder::ata(0xE5).build(),
        FrameBuilder::smart(0xD0).build(), FrameBuilder::ata(0xEC).build(),
        FrameBuilder::trim({{1, 2}, {3, 4}}).build(), FrameBuilder::ata(0x42, 0, 255).build(),
        FrameBuilder::config(ConfigCommand::read).build(),
        FrameBuilder::config(ConfigCommand::read).address(kEverywhere).build(),
        FrameBuilder::mask_read().build(), FrameBuilder::reserve(ReserveCommand::read).build()}) {
    EXPECT_EQ(cost(frame), 0U) << protocol::dissect_line(frame);
  }
}

TEST_F(Allocating, BadFramesCostNoMemory) {
  for (const Bytes& frame :
       {FrameBuilder::read(0, 255).build(), FrameBuilder::read(kLbaLimit - 1).build(),
        FrameBuilder::write(0, pattern(512, 1)).truncate(100).build(),
        FrameBuilder::command(0x99).build(), FrameBuilder::command(4).build(),
        FrameBuilder::config(static_cast<ConfigCommand>(9), "x").build(),
        FrameBuilder::config(ConfigCommand::set, std::string(1025, 'x')).build(),
        FrameBuilder::mask_edit({{9, kInitiatorA}}).build(),
        FrameBuilder::mask_edit({{kAdd, MacAddress{}}}).build(),
        FrameBuilder::mask_edit(std::vector<protocol::MaskDirective>(255, {0, kInitiatorA}))
            .build(),
        FrameBuilder::reserve(ReserveCommand::set).build(),
        FrameBuilder::reserve(static_cast<ReserveCommand>(9)).build(),
        FrameBuilder::read(0).version(7).build(), FrameBuilder::read(0).flags(8).build(),
        FrameBuilder::read(0).from(MacAddress{}).build()}) {
    EXPECT_EQ(cost(frame), 0U) << protocol::dissect_line(frame);
  }
}

TEST_F(Allocating, SessionsCostNoMemory) {
  for (std::uint64_t instance = 1; instance < 3000; ++instance) {
    ASSERT_EQ(cost(hello_frame(hello_header(), hello_of(instance))), 0U) << instance;
  }
  const SentFrame reply = t.answer(hello_frame(hello_header(), hello_of(1)));
  const auto hello = protocol::parse_hello(reply.bytes);
  ASSERT_TRUE(hello);
  protocol::Seal seal{.has_crc = true, .session = hello->session, .sequence = 1, .sequence_low = 1};
  const FrameBuilder write = FrameBuilder::write(1, pattern(4096, 1));
  const Bytes good = sealed(write, seal);
  EXPECT_EQ(cost(good), 0U);
  EXPECT_EQ(t.at().stats.writes, 1U);
  EXPECT_EQ(cost(good), 0U) << "a copy";
  Bytes damaged = good;
  damaged[100] ^= std::byte{1};
  EXPECT_EQ(cost(damaged), 0U);
  seal.session ^= 1U;
  EXPECT_EQ(cost(sealed(write, seal)), 0U) << "an unknown session";
}

TEST_F(Allocating, StrangersCostNoMemory) {
  for (unsigned i = 0; i < 3000; ++i) {
    const MacAddress source{
        {0x02, 0, 0, 3, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i & 0xFFU)}};
    ASSERT_EQ(cost(FrameBuilder::read(0).from(source)), 0U) << i;
  }
}

}  // namespace
}  // namespace aoe::test
