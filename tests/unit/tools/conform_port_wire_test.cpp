// The wire of `aoe conform` over a port: what counts as an answer, and what a lost frame does.
#include "base/buffer_pool.h"
#include "os/event_fd.h"
#include "protocol/aoe_frame.h"
#include "support/frame_builder.h"
#include "tools/conform/port_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace aoe::tools::conform {
namespace {

using test::FrameBuilder;
using test::kE71;
using test::kInitiatorA;
using test::kInitiatorB;
using test::kTargetMac;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Answers in the call of transmit(), or does not.
class AnsweringPort final : public net::PacketPort {
 public:
  // Answers to the `number`-th frame that was sent, from 0.
  using Answerer = std::function<std::vector<Bytes>(std::size_t number, const Bytes& question)>;

  explicit AnsweringPort(Answerer answerer)
      : answerer_(std::move(answerer)),
        wake_(*os::EventFd::open()),
        pool_({.count = 256, .frame_bytes = 1514}) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] const PortInfo& info() const override { return info_; }

  [[nodiscard]] net::PortStats stats() const override { return {}; }

  [[nodiscard]] std::size_t receive(std::span<PacketBuffer> out) override {
    wake_.drain();
    std::size_t count = 0;
    while (count < out.size() && !waiting_.empty()) {
      PacketBuffer buffer = pool_.allocate();
      buffer.resize(waiting_.front().size());
      copy_bytes(buffer.bytes(), waiting_.front());
      waiting_.pop_front();
      out[count++] = std::move(buffer);
    }
    return count;
  }

  void transmit(std::span<PacketBuffer> frames) override {
    for (PacketBuffer& frame : frames) {
      const Bytes question(frame.bytes().begin(), frame.bytes().end());
      frame.reset();
      for (Bytes& answer : answerer_(sent_++, question)) {
        waiting_.push_back(std::move(answer));
        wake_.signal();
      }
    }
  }

  [[nodiscard]] int wait_fd() const override { return wake_.fd(); }

  bool refresh() override { return false; }

 private:
  std::string name_ = "eth0";
  Answerer answerer_;
  PortInfo info_{.mac = kInitiatorA, .mtu_bytes = 1500, .link_up = true};
  os::EventFd wake_;
  BufferPool pool_;
  std::deque<Bytes> waiting_;
  std::size_t sent_ = 0;
};

PortWire wire_of(AnsweringPort::Answerer answerer) {
  // Sixteenths of it are what the tests wait for.
  constexpr Duration kTimeout = Duration::milliseconds(64);
  return {std::make_unique<AnsweringPort>(std::move(answerer)), {.timeout = kTimeout}};
}

Bytes question() {
  return FrameBuilder::config(protocol::ConfigCommand::read);
}

Bytes answer(const MacAddress& from, const MacAddress& to, Tag tag) {
  Bytes frame(protocol::kFrameBytesMin);
  protocol::FrameHeader header;
  header.destination = to;
  header.source = from;
  header.is_response = true;
  header.address = kE71;
  header.command = static_cast<std::uint8_t>(protocol::Command::config);
  header.tag = tag;
  protocol::build_header(frame, header);
  return frame;
}

Bytes answer_to(const Bytes& asked) {
  return answer(kTargetMac, kInitiatorA, protocol::parse_header(asked)->tag);
}

std::vector<Bytes> ask(PortWire& wire, const Bytes& frame, Listen listen) {
  return wire.ask({&frame, 1}, listen);
}

TEST(ConformPortWire, AnswersHaveTheTagOfTheQuestion) {
  const Bytes right = answer_to(question());
  PortWire wire = wire_of([&](std::size_t /*number*/, const Bytes& /*question*/) {
    return std::vector<Bytes>{answer(kTargetMac, kInitiatorA, Tag{2}), question(), right};
  });
  EXPECT_THAT(ask(wire, question(), Listen::until_answered), ElementsAre(right));
}

TEST(ConformPortWire, WhatIsSentForHalfAHeaderIsAnAnswerWhateverItsTag) {
  Bytes runt = question();
  runt.resize(protocol::kEthernetHeaderBytes + 4);
  const Bytes wrong = answer(kTargetMac, kInitiatorA, Tag{77});
  PortWire wire = wire_of([&](std::size_t number, const Bytes& asked) {
    EXPECT_EQ(asked, runt);
    return number == 0
               ? std::vector<Bytes>{answer(kInitiatorB, kInitiatorA, Tag{77}),
                                    answer(kTargetMac, MacAddress::broadcast(), Tag{0}), wrong}
               : std::vector<Bytes>{};
  });
  EXPECT_THAT(ask(wire, runt, Listen::to_the_end), ElementsAre(wrong));
}

TEST(ConformPortWire, ALostQuestionIsNotSilence) {
  for (const Listen listen : {Listen::until_answered, Listen::to_the_end}) {
    PortWire wire = wire_of([](std::size_t number, const Bytes& asked) {
      return number < 2 ? std::vector<Bytes>{} : std::vector<Bytes>{answer_to(asked)};
    });
    EXPECT_THAT(ask(wire, question(), listen), SizeIs(1));
  }
}

TEST(ConformPortWire, ToTheEndHearsEveryAnswer) {
  PortWire wire = wire_of([](std::size_t number, const Bytes& asked) {
    return number == 0
               ? std::vector<Bytes>{answer_to(asked), answer(kInitiatorB, kInitiatorA,
                                                             protocol::parse_header(asked)->tag)}
               : std::vector<Bytes>{};
  });
  EXPECT_THAT(ask(wire, question(), Listen::to_the_end), SizeIs(2));
}

TEST(ConformPortWire, AQuestionIsRepeatedAllTheTimeout) {
  const std::map<Listen, std::size_t> copies{
      {Listen::until_answered, 16}, {Listen::to_the_end, 3}, {Listen::sent_once, 1}};
  for (const auto& [listen, expected] : copies) {
    std::size_t count = 0;
    PortWire wire = wire_of([&](std::size_t number, const Bytes& /*question*/) {
      count = number + 1;
      return std::vector<Bytes>{};
    });
    EXPECT_THAT(ask(wire, question(), listen), IsEmpty());
    EXPECT_EQ(count, expected);
  }
}

}  // namespace
}  // namespace aoe::tools::conform
