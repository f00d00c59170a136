#include "tools/bench_run.h"

#include "os/clock.h"
#include "tools/bench_pattern.h"

#include <fmt/format.h>

#include <array>

namespace aoe::tools {
namespace {

using initiator::IoCompletion;
using initiator::IoOp;
using initiator::IoRequest;
using initiator::IoStatus;

constexpr std::uint64_t kMixedReadPercent = 70;
constexpr Duration kWait = Duration::milliseconds(100);

}  // namespace

BenchRun::BenchRun(client::Device& device, const BenchOptions& options, StopSignal& stop)
    : device_(device),
      options_(options),
      stop_(stop),
      prng_(options.seed),
      block_count_(options.range_sectors / (options.block_bytes / kSectorBytes)),
      memory_(options.block_bytes * options.depth) {
  for (std::size_t i = 0; i < options_.depth; ++i) {
    Slot slot;
    slot.memory = ByteSpan(memory_).subspan(i * options_.block_bytes, options_.block_bytes);
    fill_pattern(slot.memory, Lba{prng_.next()}, {options_.seed, 0});
    slots_.push_back(slot);
    free_.push_back(i);
  }
  if (options_.verify == BenchVerify::yes) {
    generations_.resize(block_count_);
    busy_.resize(block_count_);
  }
}

Result<BenchResult> BenchRun::run() {
  const std::uint64_t retransmissions_before = retransmissions();
  const Instant start = os::monotonic_now();
  AOE_TRY(measure());
  if (options_.op != BenchOp::read) {
    const Instant flush_start = os::monotonic_now();
    AOE_TRY(device_.flush());
    result_.flush_time = os::monotonic_now() - flush_start;
  }
  result_.elapsed = os::monotonic_now() - start;
  result_.retransmissions = retransmissions() - retransmissions_before;
  if (options_.verify == BenchVerify::yes && !result_.interrupted) {
    measuring_ = false;
    AOE_TRY(read_back());
  }
  return result_;
}

Result<void> BenchRun::measure() {
  const bool endless = options_.time == Duration{};
  const Instant end = os::monotonic_now() + options_.time;
  while (endless || os::monotonic_now() < end) {
    if (stop_.requested()) {
      result_.interrupted = !endless;
      if (endless) {
        stop_.clear();
      }
      break;
    }
    while (!free_.empty()) {
      Slot& slot = slots_[free_.back()];
      slot.op = next_op();
      slot.block = next_block();
      AOE_TRY(start(slot));
    }
    AOE_TRY(take_completions());
  }
  return drain();
}

// Reads every block that this run wrote, and checks it.
Result<void> BenchRun::read_back() {
  for (std::uint64_t block = 0; block < block_count_; ++block) {
    if (generations_[block] == 0) {
      continue;
    }
    while (free_.empty()) {
      AOE_TRY(take_completions());
    }
    if (stop_.requested()) {
      result_.interrupted = true;
      break;
    }
    Slot& slot = slots_[free_.back()];
    slot.op = IoOp::read;
    slot.block = block;
    AOE_TRY(start(slot));
  }
  return drain();
}

// `slot` is the last free one.
Result<void> BenchRun::start(Slot& slot) {
  const std::size_t index = free_.back();
  free_.pop_back();
  if (options_.verify == BenchVerify::yes) {
    busy_[slot.block] = true;
    if (slot.op == IoOp::write) {
      slot.generation = generations_[slot.block] + 1;
      fill_pattern(slot.memory, lba_of(slot.block), {options_.seed, slot.generation});
    } else {
      slot.generation = generations_[slot.block];
    }
  }
  return submit(index);
}

Result<void> BenchRun::submit(std::size_t index) {
  const Slot& slot = slots_[index];
  IoRequest request;
  request.op = slot.op;
  request.lba = lba_of(slot.block);
  request.sectors = options_.block_bytes / kSectorBytes;
  request.cookie = index;
  if (slot.op == IoOp::read) {
    request.read_into = slot.memory;
  } else {
    request.write_from = slot.memory;
  }
  return device_.submit(request);
}

// Waits for at least one, for a while.
Result<void> BenchRun::take_completions() {
  std::array<IoCompletion, 64> completions;
  std::size_t count = device_.poll(completions);
  if (count == 0 && device_.wait(os::monotonic_now() + kWait)) {
    count = device_.poll(completions);
  }
  for (std::size_t i = 0; i < count; ++i) {
    AOE_TRY(finish_slot(completions[i]));
  }
  return {};
}

Result<void> BenchRun::finish_slot(const IoCompletion& completion) {
  if (completion.status != IoStatus::ok) {
    return fail(device_.error_of(completion));
  }
  const auto index = completion.cookie;
  const Slot& slot = slots_.at(index);
  free_.push_back(index);
  if (measuring_) {
    const bool is_read = slot.op == IoOp::read;
    (is_read ? result_.reads : result_.writes).add(completion.latency);
    (is_read ? result_.read_bytes : result_.written_bytes) += options_.block_bytes;
  }
  if (options_.verify == BenchVerify::no) {
    return {};
  }
  busy_[slot.block] = false;
  if (slot.op == IoOp::write) {
    generations_[slot.block] = slot.generation;
    return {};
  }
  if (slot.generation == 0) {
    return {};
  }
  ++result_.blocks_verified;
  const std::string wrong =
      check_pattern(slot.memory, lba_of(slot.block), {options_.seed, slot.generation});
  if (!wrong.empty()) {
    return fail_with(Errc::corrupt, 0,
                     fmt::format("{}: verify: {}", to_string(device_.address()), wrong));
  }
  return {};
}

Result<void> BenchRun::drain() {
  while (free_.size() < slots_.size()) {
    AOE_TRY(take_completions());
  }
  return {};
}

std::uint64_t BenchRun::next_block() {
  const auto candidate = [this] {
    return options_.pattern == BenchPattern::random ? prng_.next() % block_count_
                                                    : sequential_next_++ % block_count_;
  };
  std::uint64_t block = candidate();
  if (options_.verify == BenchVerify::yes) {
    // Two requests for one block at the same time have no right answer.
    while (busy_[block]) {
      block = (block + 1) % block_count_;
    }
  }
  return block;
}

IoOp BenchRun::next_op() {
  switch (options_.op) {
    case BenchOp::read:
      return IoOp::read;
    case BenchOp::write:
      return IoOp::write;
    case BenchOp::mixed:
      return prng_.chance(kMixedReadPercent, 100) ? IoOp::read : IoOp::write;
  }
  return IoOp::read;
}

Lba BenchRun::lba_of(std::uint64_t block) const {
  return Lba{block * (options_.block_bytes / kSectorBytes)};
}

std::uint64_t BenchRun::retransmissions() const {
  std::uint64_t count = 0;
  for (const client::PathInfo& path : device_.info().paths) {
    count += path.retransmissions;
  }
  return count;
}

}  // namespace aoe::tools
