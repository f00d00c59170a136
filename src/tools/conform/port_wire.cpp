#include "tools/conform/port_wire.h"

#include "base/buffer_pool.h"
#include "os/clock.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace aoe::tools::conform {
namespace {

constexpr std::size_t kBatch = 64;

constexpr std::int64_t kCopiesPerTimeout = 16;
constexpr int kCopiesForSilence = 3;

bool has_answer(const Bytes& question, const std::vector<Bytes>& answers) {
  return std::ranges::any_of(answers,
                             [&](const Bytes& answer) { return is_answer_to(question, answer); });
}

// Waits until the port is readable, or `deadline`.
void wait_readable(const net::PacketPort& port, Instant deadline) {
  const Duration left = deadline - os::monotonic_now();
  constexpr std::int64_t kNsPerMs = 1'000'000;
  pollfd watched{.fd = port.wait_fd(), .events = POLLIN, .revents = 0};
  static_cast<void>(
      ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.ns / kNsPerMs, 0)) + 1));
}

}  // namespace

PortWire::PortWire(std::unique_ptr<net::PacketPort> port, const PortWireOptions& options)
    : port_(std::move(port)), options_(options) {}

void PortWire::send(std::span<const Bytes> frames) {
  std::size_t longest = 1;
  for (const Bytes& frame : frames) {
    longest = std::max(longest, frame.size());
  }
  BufferPool pool({.count = static_cast<std::uint32_t>(frames.size()), .frame_bytes = longest});
  std::vector<PacketBuffer> buffers;
  buffers.reserve(frames.size());
  for (const Bytes& frame : frames) {
    PacketBuffer buffer = pool.allocate();
    buffer.resize(frame.size());
    std::ranges::copy(frame, buffer.bytes().begin());
    buffers.push_back(std::move(buffer));
  }
  port_->transmit(buffers);
}

void PortWire::collect(std::span<const Bytes> frames, std::vector<Bytes>& answers) {
  std::array<PacketBuffer, kBatch> received;
  std::size_t count = 0;
  do {
    count = port_->receive(received);
    for (std::size_t i = 0; i < count; ++i) {
      const PacketBuffer buffer = std::move(received.at(i));
      Bytes frame(buffer.bytes().begin(), buffer.bytes().end());
      if (std::ranges::any_of(
              frames, [&](const Bytes& question) { return is_answer_to(question, frame); })) {
        answers.push_back(std::move(frame));
      }
    }
  } while (count == kBatch);
}

void PortWire::drain() {
  std::vector<Bytes> nobody_asked;
  collect({}, nobody_asked);
}

void PortWire::hear_answers(std::span<const Bytes> frames, Instant deadline,
                            std::vector<Bytes>& waiting, std::vector<Bytes>& answers) {
  while (os::monotonic_now() < deadline && !waiting.empty()) {
    wait_readable(*port_, deadline);
    collect(frames, answers);
    std::erase_if(waiting, [&](const Bytes& question) { return has_answer(question, answers); });
  }
}

void PortWire::hear_everything(std::span<const Bytes> frames, Instant deadline,
                               std::vector<Bytes>& answers) {
  while (os::monotonic_now() < deadline) {
    wait_readable(*port_, deadline);
    collect(frames, answers);
  }
}

std::vector<Bytes> PortWire::ask(std::span<const Bytes> frames, Listen listen) {
  drain();
  std::vector<Bytes> answers;
  std::vector<Bytes> waiting(frames.begin(), frames.end());
  const Duration between = options_.timeout / kCopiesPerTimeout;
  switch (listen) {
    case Listen::sent_once:
      send(frames);
      hear_answers(frames, os::monotonic_now() + options_.timeout, waiting, answers);
      break;
    case Listen::until_answered:
      for (std::int64_t copy = 0; copy < kCopiesPerTimeout && !waiting.empty(); ++copy) {
        send(waiting);
        hear_answers(frames, os::monotonic_now() + between, waiting, answers);
      }
      break;
    case Listen::to_the_end:
      for (int copy = 0; copy < kCopiesForSilence; ++copy) {
        send(frames);
        hear_everything(frames, os::monotonic_now() + between / kCopiesForSilence, answers);
      }
      hear_everything(frames, os::monotonic_now() + between, answers);
      break;
  }
  return answers;
}

Instant PortWire::now() const {
  return os::monotonic_now();
}

void PortWire::rest(Duration duration) {
  const Instant end = os::monotonic_now() + duration;
  while (os::monotonic_now() < end) {
    wait_readable(*port_, end);
    drain();
  }
}

}  // namespace aoe::tools::conform
