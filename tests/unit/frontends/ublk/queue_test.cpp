#include "frontends/ublk/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <deque>
#include <vector>

namespace aoe::ublk {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// What the driver would be told.
struct FakeRing final : CommandSink {
  void fetch(std::uint16_t tag, std::span<std::byte> buffer) override {
    fetched.emplace_back(tag, buffer.data());
  }

  void commit_and_fetch(std::uint16_t tag, std::int32_t result,
                        std::span<std::byte> /*buffer*/) override {
    committed.emplace_back(tag, result);
  }

  std::vector<std::pair<std::uint16_t, std::byte*>> fetched;
  std::vector<std::pair<std::uint16_t, std::int32_t>> committed;
};

struct FakeDisk final : Disk {
  int start(const Request& request, std::span<std::byte> buffer, Ticket& ticket) override {
    if (refuses != 0) {
      return refuses;
    }
    started.push_back({request, buffer, &ticket});
    return 0;
  }

  struct Started {
    Request request;
    std::span<std::byte> buffer;
    Ticket* ticket;
  };

  std::vector<Started> started;
  int refuses = 0;
};

struct FakeSink final : RequestSink {
  void complete(std::uint16_t tag, int error) override { ends.emplace_back(tag, error); }

  std::deque<std::pair<std::uint16_t, int>> ends;
};

class UblkQueue : public ::testing::Test {
 protected:
  static constexpr std::size_t kDepth = 4;
  static constexpr std::size_t kBufferBytes = 4096;

  void ask(std::uint16_t tag, std::uint32_t op_flags, std::uint32_t sectors) {
    descriptors_[tag] = {.op_flags = op_flags, .nr_sectors = sectors, .start_sector = tag * 8U};
    queue_.handle_fetched(tag, uapi::kResultOk);
  }

  FakeRing ring_;
  FakeDisk disk_;
  FakeSink sink_;
  std::array<uapi::IoDescriptor, kDepth> descriptors_{};
  std::vector<std::byte> buffers_{kDepth * kBufferBytes};
  Queue queue_{{.commands = ring_,
                .disk = disk_,
                .done = sink_,
                .descriptors = descriptors_,
                .buffers = buffers_}};
};

TEST_F(UblkQueue, FetchesOnceForEachTagWithABufferOfItsOwn) {
  queue_.start();
  ASSERT_EQ(ring_.fetched.size(), kDepth);
  for (std::uint16_t tag = 0; tag < kDepth; ++tag) {
    EXPECT_EQ(ring_.fetched[tag], std::pair(tag, &buffers_[tag * kBufferBytes]));
  }
}

TEST_F(UblkQueue, AnswersEachTagWithItsOwnResultInAnyOrder) {
  queue_.start();
  ask(1, uapi::kOpWrite, 8);
  ask(3, uapi::kOpRead, 2);
  ask(0, uapi::kOpFlush, 0);
  ASSERT_EQ(disk_.started.size(), 3U);
  EXPECT_EQ(disk_.started[0].buffer.data(), &buffers_[kBufferBytes]);
  EXPECT_EQ(disk_.started[0].request.offset_bytes, 8U * 512U);
  EXPECT_THAT(ring_.committed, IsEmpty());
  for (auto it = disk_.started.rbegin(); it != disk_.started.rend(); ++it) {
    it->ticket->sink->complete(it->ticket->tag, it->ticket->tag == 1 ? EIO : 0);
  }
  for (const auto& [tag, error] : sink_.ends) {
    queue_.handle_done(tag, error);
  }
  EXPECT_THAT(ring_.committed, ElementsAre(Pair(0, 0), Pair(3, 1024), Pair(1, -EIO)));
  EXPECT_FALSE(queue_.has_ended());
}

TEST_F(UblkQueue, WhatTheDiskOrWeRefuseIsAnsweredAtOnce) {
  queue_.start();
  ask(2, 99, 1);
  disk_.refuses = EAGAIN;
  ask(1, uapi::kOpRead, 8);
  disk_.refuses = 0;
  ask(0, uapi::kOpRead, 9);
  EXPECT_THAT(disk_.started, IsEmpty());
  EXPECT_THAT(ring_.committed,
              ElementsAre(Pair(2, -EOPNOTSUPP), Pair(1, -EAGAIN), Pair(0, -EINVAL)));
}

TEST_F(UblkQueue, EndsWhenTheDriverTakesNothingMoreAndNoRequestIsUnderWay) {
  queue_.start();
  ask(0, uapi::kOpWrite, 8);
  for (std::uint16_t tag = 1; tag < kDepth; ++tag) {
    queue_.handle_fetched(tag, -ENODEV);
  }
  EXPECT_FALSE(queue_.has_ended());
  // Its buffer is the disk's until then; the driver refuses the answer.
  queue_.handle_done(0, 0);
  EXPECT_FALSE(queue_.has_ended());
  queue_.handle_fetched(0, -ENODEV);
  EXPECT_TRUE(queue_.has_ended());
}

}  // namespace
}  // namespace aoe::ublk
