#include "storage/io_engine.h"

#include "base/check.h"
#include "os/clock.h"
#include "storage/io_call.h"
#include "storage/thread_engine.h"
#include "storage/uring_engine.h"

#include <poll.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace aoe::storage {

namespace {

// user_data: client index, client generation, cookie, from the top bit down.
constexpr std::uint64_t pack(IoClientId id, std::uint32_t cookie) {
  return std::uint64_t{id.index} << 48U | std::uint64_t{id.generation} << 32U | cookie;
}

constexpr IoClientId client_of(std::uint64_t user_data) {
  return {.index = static_cast<std::uint16_t>(user_data >> 48U),
          .generation = static_cast<std::uint16_t>(user_data >> 32U)};
}

// Holes may cover a whole disk.
constexpr bool is_quick(IoKind kind) {
  return kind == IoKind::readv || kind == IoKind::writev || kind == IoKind::fdatasync;
}

constexpr std::uint32_t cookie_of(std::uint64_t user_data) {
  return static_cast<std::uint32_t>(user_data);
}

}  // namespace

IoEngine::~IoEngine() {
  AOE_CHECK(in_flight_ == 0, "the derived engine waited for its operations");
  for (const Entry& entry : entries_) {
    AOE_CHECK(entry.is_free, "an engine outlives its clients");
  }
}

IoClientId IoEngine::attach(IoClient& client) {
  std::uint16_t index = 0;
  if (free_.empty()) {
    AOE_CHECK(entries_.size() < std::numeric_limits<std::uint16_t>::max(),
              "the number of stores of a shard is bounded by its configuration");
    index = static_cast<std::uint16_t>(entries_.size());
    entries_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[index];
  entry.client = &client;
  entry.is_free = false;
  return {.index = index, .generation = entry.generation};
}

void IoEngine::hold_file(IoClientId id, int fd) {
  Entry* entry = find(id);
  AOE_CHECK(entry != nullptr && entry->client != nullptr && entry->held_file == kNotHeld,
            "only an attached client has a file, and one");
  entry->fd = fd;
  entry->held_file = hold(fd);
}

void IoEngine::detach(IoClientId id, std::unique_ptr<IoKeepalive> keepalive) {
  Entry* entry = find(id);
  AOE_CHECK(entry != nullptr && entry->client != nullptr, "only an attached client detaches");
  entry->client = nullptr;
  if (entry->in_flight == 0) {
    release(id.index);
  } else {
    entry->keepalive = std::move(keepalive);
  }
}

void IoEngine::submit(IoClientId id, std::span<const IoOp> ops) {
  Entry* entry = find(id);
  AOE_CHECK(entry != nullptr && entry->client != nullptr, "only an attached client submits");
  entry->in_flight += static_cast<std::uint32_t>(ops.size());
  in_flight_ += ops.size();
  bool has_started = false;
  for (const IoOp& op : ops) {
    const std::uint64_t user_data = pack(id, op.cookie);
    if (op.never_waits && is_quick(op.kind)) {
      done_at_once_.push_back({user_data, call_kernel(op)});
    } else {
      start(user_data, op, op.fd == entry->fd ? entry->held_file : kNotHeld);
      has_started = true;
    }
  }
  if (has_started) {
    kick();
  }
}

std::size_t IoEngine::poll() {
  const std::uint64_t before = finished_;
  // Clients may submit more from their handlers; what that finishes waits for the next poll.
  handing_out_.swap(done_at_once_);
  for (const DoneAtOnce& done : handing_out_) {
    finish(done.user_data, done.result);
  }
  handing_out_.clear();
  collect();
  return finished_ - before;
}

bool IoEngine::drain(Duration timeout) {
  const Instant deadline = os::monotonic_now() + timeout;
  while (true) {
    poll();
    if (in_flight_ == 0) {
      return true;
    }
    const Duration left = deadline - os::monotonic_now();
    if (left.ns <= 0) {
      return false;
    }
    (void)wait_for_completion(left.ns / 1'000'000 + 1);
  }
}

void IoEngine::finish(std::uint64_t user_data, std::int64_t result) {
  const IoClientId id = client_of(user_data);
  Entry* entry = find(id);
  if (entry == nullptr || entry->in_flight == 0) {
    ++stale_completions_;
    return;
  }
  --entry->in_flight;
  --in_flight_;
  ++finished_;
  if (entry->client != nullptr) {
    // The client may submit, but not attach: `entry` stays where it is.
    entry->client->handle_io_done(cookie_of(user_data), result);
  } else if (entry->in_flight == 0) {
    release(id.index);
  }
}

void IoEngine::wait_until_idle() {
  while (in_flight_ > 0) {
    poll();
    if (in_flight_ > 0) {
      (void)wait_for_completion(100);
    }
  }
}

IoEngine::Entry* IoEngine::find(IoClientId id) {
  if (id.index >= entries_.size() || entries_[id.index].is_free ||
      entries_[id.index].generation != id.generation) {
    return nullptr;
  }
  return &entries_[id.index];
}

void IoEngine::release(std::uint16_t index) {
  Entry& entry = entries_[index];
  if (entry.held_file != kNotHeld) {
    // Before the descriptor is closed, or the file would outlive that.
    let_go(std::exchange(entry.held_file, kNotHeld));
  }
  entry.fd = -1;
  entry.keepalive.reset();
  ++entry.generation;
  entry.is_free = true;
  free_.push_back(index);
}

bool IoEngine::wait_for_completion(std::int64_t timeout_ms) const {
  constexpr std::int64_t kWantsPollMs = 1;
  const std::int64_t longest_ms = wants_poll() ? kWantsPollMs : 1'000;
  pollfd waited{.fd = wait_fd(), .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, static_cast<int>(std::min(timeout_ms, longest_ms))) > 0;
}

Result<OpenedIoEngine> open_io_engine(const IoEngineOptions& options) {
  OpenedIoEngine opened;
  if (options.kind != IoEngineKind::threads) {
    const auto issuer =
        options.issuer == IoIssuer::one ? os::UringIssuer::one : os::UringIssuer::several;
    auto uring = UringEngine::open(options.ring_entries, issuer);
    if (uring) {
      opened.engine = *std::move(uring);
      return opened;
    }
    if (options.kind == IoEngineKind::uring) {
      return fail(std::move(uring).error());
    }
    opened.fallback_reason = std::move(uring).error().message;
  }
  AOE_TRY_ASSIGN(opened.engine, ThreadEngine::open(options.threads));
  return opened;
}

}  // namespace aoe::storage
