// Asynchronous calls and the driving of a handle, in one thread.
#include "unit/libaoe/handle_fixture.h"

#include <poll.h>

#include <array>
#include <cerrno>

namespace aoe::libaoe {
namespace {

using initiator::Bytes;
using initiator::pattern;
using initiator::Sent;
using ::testing::HasSubstr;

bool readable(int fd, int timeout_ms) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, timeout_ms) == 1;
}

class AioTest : public HandleTest {
 protected:
  // Turns until nothing is left to do.
  void settle() const {
    while (readable(aoe_get_fd(handle), 0)) {
      ASSERT_GE(aoe_process(handle), 0) << aoe_get_error();
    }
  }
};

TEST_F(AioTest, CompletesThroughADescriptorAlone) {
  open();
  settle();
  const Bytes data = pattern(3000, 1);
  Outcome outcome;
  ASSERT_EQ(aoe_aio_pwrite(handle, data.data(), data.size(), 100, AOE_FLAG_FUA, note, &outcome), 0);
  EXPECT_EQ(aoe_in_flight(handle), 1);
  EXPECT_EQ(outcome.calls, 0);
  while (outcome.calls == 0) {
    ASSERT_TRUE(readable(aoe_get_fd(handle), -1));
    ASSERT_GE(aoe_process(handle), 0) << aoe_get_error();
  }
  EXPECT_EQ(outcome.error, 0);
  EXPECT_EQ(aoe_in_flight(handle), 0);
  EXPECT_TRUE(equal_bytes(ByteSpan(target.content).subspan(100, 3000), data));
  settle();
  EXPECT_FALSE(readable(aoe_get_fd(handle), 0));
  EXPECT_EQ(aoe_process(handle), 0);
}

TEST_F(AioTest, EveryKindHasAnAsynchronousForm) {
  open();
  std::array<Outcome, 5> outcomes;
  Bytes block(512);
  const Bytes data = pattern(512, 1);
  ASSERT_EQ(aoe_aio_pwrite(handle, data.data(), 512, 0, 0, note, &outcomes[0]), 0);
  ASSERT_EQ(aoe_aio_pread(handle, block.data(), 512, 0, 0, note, &outcomes[1]), 0);
  ASSERT_EQ(aoe_aio_flush(handle, 0, note, &outcomes[2]), 0);
  ASSERT_EQ(aoe_aio_zero(handle, 100, 0, 0, note, &outcomes[3]), 0);
  ASSERT_EQ(aoe_aio_trim(handle, 512, 512, 0, note, &outcomes[4]), 0);
  ASSERT_EQ(aoe_drain(handle), 0) << aoe_get_error();
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.calls, 1);
    EXPECT_EQ(outcome.error, 0) << outcome.text;
  }
  EXPECT_EQ(block, data);
}

TEST_F(AioTest, PollWaitsForCallbacksOrTheTime) {
  open();
  settle();
  EXPECT_EQ(aoe_poll(handle, 0), 0);
  EXPECT_EQ(aoe_poll(handle, 5), 0);
  Outcome outcome;
  ASSERT_EQ(aoe_aio_flush(handle, 0, note, &outcome), 0);
  EXPECT_EQ(aoe_poll(handle, -1), 1);
  EXPECT_EQ(outcome.calls, 1);
}

TEST_F(AioTest, ErrorsComeWithTheirText) {
  open();
  hook = [this](const Sent& sent) {
    auto reply = target.answer(sent);
    (*reply)[25] = std::byte{0x40};
    (*reply)[27] = std::byte{0x41};
    return reply;
  };
  Outcome outcome;
  Bytes block(512);
  ASSERT_EQ(aoe_aio_pread(handle, block.data(), 512, 1024, 0, note, &outcome), 0);
  ASSERT_EQ(aoe_drain(handle), 0);
  EXPECT_EQ(outcome.error, EIO);
  EXPECT_THAT(outcome.text, HasSubstr("aoe_aio_pread: e7.1: read at lba 2: medium cannot be read"));
}

TEST_F(AioTest, AnErrorAtOnceHasNoCallback) {
  open();
  Outcome outcome;
  Bytes block(512);
  EXPECT_TRUE(failed_with(aoe_aio_pread(handle, block.data(), 512, 1 << 20, 0, note, &outcome),
                          EINVAL, "aoe_aio_pread: e7.1: read of 512 bytes at 1048576"));
  EXPECT_EQ(aoe_drain(handle), 0);
  EXPECT_EQ(outcome.calls, 0);
}

TEST_F(AioTest, ManyRequestsWakeOnceAndMoreAreRefused) {
  open();
  settle();
  std::array<Bytes, Network::kRequestsMax> memory;
  Outcome outcome;
  for (std::size_t i = 0; i < memory.size(); ++i) {
    memory.at(i).resize(512);
    ASSERT_EQ(aoe_aio_pread(handle, memory.at(i).data(), 512, i % 256 * 512, 0, note, &outcome), 0);
  }
  // Nothing has left yet: they leave together.
  EXPECT_EQ(data_frames, 0U);
  Bytes block(512);
  EXPECT_TRUE(failed_with(aoe_aio_pread(handle, block.data(), 512, 0, 0, note, &outcome), EAGAIN,
                          "as many requests outstanding as it can"));
  // A call that waits finds a slot.
  EXPECT_EQ(aoe_pread(handle, block.data(), 512, 0, 0), 0) << aoe_get_error();
  ASSERT_EQ(aoe_drain(handle), 0);
  EXPECT_EQ(outcome.calls, static_cast<int>(Network::kRequestsMax));
}

// Starts the next read from the callback of the last one.
struct Chain {
  aoe_handle* handle = nullptr;
  Bytes block = Bytes(512);
  int left = 0;
  int error = 0;

  static void next(void* data, int error) {
    auto& chain = *static_cast<Chain*>(data);
    chain.error = error;
    if (error == 0 && chain.left-- > 0) {
      chain.error = aoe_aio_pread(chain.handle, chain.block.data(), 512, 0, 0, next, data);
    }
  }
};

TEST_F(AioTest, CallbacksStartTheNextRequest) {
  open();
  Chain chain{.handle = handle, .left = 100};
  Chain::next(&chain, 0);
  ASSERT_EQ(aoe_drain(handle), 0);
  EXPECT_EQ(chain.error, 0);
  EXPECT_EQ(data_frames, 100U);
}

TEST_F(AioTest, ACallbackMayStartWhatNeedsNoFrame) {
  open();
  Outcome outcome;

  struct Then {
    aoe_handle* handle;
    Outcome* outcome;
  } then{handle, &outcome};

  const auto trim_little = [](void* data, int) {
    const auto& wanted = *static_cast<Then*>(data);
    EXPECT_EQ(aoe_aio_trim(wanted.handle, 10, 0, 0, note, wanted.outcome), 0);
  };
  ASSERT_EQ(aoe_aio_flush(handle, 0, trim_little, &then), 0);
  ASSERT_EQ(aoe_drain(handle), 0);
  EXPECT_EQ(outcome.calls, 1);
}

TEST_F(AioTest, CallsThatWaitFailInACallback) {
  open();

  struct Seen {
    aoe_handle* handle;
    int calls = 0;
  } seen{handle};

  const auto try_all = [](void* data, int) {
    auto& s = *static_cast<Seen*>(data);
    ++s.calls;
    Bytes block(512);
    EXPECT_TRUE(failed_with(aoe_pread(s.handle, block.data(), 512, 0, 0), EDEADLK, "callback"));
    EXPECT_TRUE(failed_with(aoe_flush(s.handle, 0), EDEADLK, "callback"));
    EXPECT_TRUE(failed_with(aoe_drain(s.handle), EDEADLK, "callback"));
    EXPECT_TRUE(failed_with(aoe_process(s.handle), EDEADLK, "callback"));
    EXPECT_TRUE(failed_with(aoe_poll(s.handle, 0), EDEADLK, "callback"));
    EXPECT_TRUE(failed_with(aoe_start_thread(s.handle), EDEADLK, "callback"));
    EXPECT_TRUE(failed_with(aoe_close(s.handle), EDEADLK, "callback"));
    EXPECT_EQ(aoe_get_size(s.handle), 256 * 512);
    EXPECT_EQ(aoe_in_flight(s.handle), 1);
  };
  ASSERT_EQ(aoe_aio_flush(handle, 0, try_all, &seen), 0);
  ASSERT_EQ(aoe_drain(handle), 0);
  EXPECT_EQ(seen.calls, 1);
}

TEST_F(AioTest, CloseEndsWhatIsOutstanding) {
  open();
  hook = [](const Sent&) { return std::nullopt; };
  std::array<Outcome, 2> outcomes;
  Bytes block(1024);
  ASSERT_EQ(aoe_aio_pread(handle, block.data(), 512, 0, 0, note, &outcomes[0]), 0);
  ASSERT_EQ(aoe_aio_pwrite(handle, block.data(), 10, 600, 0, note, &outcomes[1]), 0);
  EXPECT_EQ(aoe_poll(handle, 1), 0);
  ASSERT_EQ(aoe_close(handle), 0);
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.calls, 1);
    EXPECT_EQ(outcome.error, ECANCELED);
    EXPECT_THAT(outcome.text, HasSubstr("the device was closed"));
  }
  EXPECT_FALSE(network->lock().mutex() == nullptr);
  EXPECT_TRUE(network->has_room());
  handle = nullptr;
}

TEST_F(AioTest, ACallbackOfCloseFindsTheHandleClosed) {
  open();
  hook = [](const Sent&) { return std::nullopt; };
  const auto look = [](void* data, int error) {
    auto* closed = static_cast<aoe_handle*>(data);
    EXPECT_EQ(error, ECANCELED);
    EXPECT_TRUE(failed_with(aoe_aio_flush(closed, 0, note, nullptr), ENOTCONN, "not open"));
    EXPECT_TRUE(failed_with(aoe_open(closed, "e7.1"), EDEADLK, "being closed"));
    EXPECT_TRUE(failed_with(aoe_close(closed), EDEADLK, "being closed"));
  };
  Bytes block(512);
  ASSERT_EQ(aoe_aio_pread(handle, block.data(), 512, 0, 0, look, handle), 0);
  ASSERT_EQ(aoe_close(handle), 0);
  handle = nullptr;
}

TEST_F(AioTest, OpensWithoutWaiting) {
  Outcome outcome;
  ASSERT_EQ(aoe_aio_open(handle, "aoe:e7.1", note, &outcome), 0) << aoe_get_error();
  EXPECT_TRUE(failed_with(aoe_is_up(handle), ENOTCONN, "not open"));
  EXPECT_TRUE(failed_with(aoe_open(handle, "aoe:e7.1"), EINVAL, "the handle is open"));
  EXPECT_EQ(aoe_in_flight(handle), 1);
  while (outcome.calls == 0) {
    ASSERT_TRUE(readable(aoe_get_fd(handle), -1));
    ASSERT_GE(aoe_process(handle), 0);
  }
  EXPECT_EQ(outcome.error, 0) << outcome.text;
  EXPECT_EQ(aoe_get_size(handle), 256 * 512);
}

TEST_F(AioTest, AnOpenThatFindsNobodyEndsInTime) {
  ASSERT_EQ(aoe_set_open_timeout_ms(handle, 20), 0);
  Outcome outcome;
  ASSERT_EQ(aoe_aio_open(handle, "aoe:e9.1", note, &outcome), 0);
  ASSERT_EQ(aoe_drain(handle), 0);
  EXPECT_EQ(outcome.error, ENXIO);
  EXPECT_THAT(outcome.text, HasSubstr("aoe_aio_open: e9.1: no target answers"));
  open();
}

TEST_F(AioTest, CloseEndsAnOpen) {
  hook = [](const Sent&) { return std::nullopt; };
  Outcome outcome;
  ASSERT_EQ(aoe_aio_open(handle, "aoe:e7.1", note, &outcome), 0);
  ASSERT_EQ(aoe_close(handle), 0);
  EXPECT_EQ(outcome.calls, 1);
  EXPECT_EQ(outcome.error, ECANCELED);
  handle = nullptr;
}

}  // namespace
}  // namespace aoe::libaoe
