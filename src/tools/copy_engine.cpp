#include "tools/copy_engine.h"

#include "base/check.h"
#include "os/clock.h"
#include "tools/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::tools {
namespace {

// Reads started in one turn: a file reads at once, and a device at the other end must not wait for
// all buffers to be filled before it gets its first.
constexpr int kReadsPerTurn = 4;
// How long to wait where only one end can have news, and where both can.
constexpr Duration kWaitForOne = Duration::milliseconds(100);
constexpr Duration kWaitForEither = Duration::milliseconds(1);

}  // namespace

CopyBuffers::CopyBuffers(Options options)
    : options_(options), memory_(options.block_bytes * options.block_count) {
  for (std::size_t i = 0; i < options.block_count; ++i) {
    CopyBlock block;
    block.index = i;
    block.memory = ByteSpan(memory_).subspan(i * options.block_bytes, options.block_bytes);
    blocks_.push_back(block);
  }
}

CopyEngine::CopyEngine(Options options) : options_(std::move(options)) {
  for (CopyBlock& block : options_.buffers.blocks()) {
    free_.push_back(&block);
  }
}

Result<std::uint64_t> CopyEngine::run() {
  const std::size_t block_count = free_.size();
  while (has_more_to_read() || free_.size() < block_count) {
    moved_ = false;
    AOE_TRY(start_reads());
    AOE_TRY(take_reads());
    AOE_TRY(start_writes());
    AOE_TRY(take_writes());
    if (options_.is_stopped && options_.is_stopped()) {
      return fail_with(Errc::io, 0,
                       fmt::format("{}: interrupted after {} bytes ({})",
                                   options_.destination.name(), written_, size_text(written_)));
    }
    if (moved_) {
      if (options_.on_progress) {
        options_.on_progress(written_);
      }
    } else {
      wait_for_an_end();
    }
  }
  return written_;
}

bool CopyEngine::has_more_to_read() const {
  return !source_ended_ && (!options_.total_bytes || next_read_ < *options_.total_bytes);
}

Result<void> CopyEngine::start_reads() {
  for (int i = 0; i < kReadsPerTurn && has_more_to_read() && !free_.empty(); ++i) {
    CopyBlock& block = *free_.back();
    free_.pop_back();
    block.offset = next_read_;
    block.bytes = options_.buffers.block_bytes();
    if (options_.total_bytes) {
      block.bytes = std::min<std::uint64_t>(block.bytes, *options_.total_bytes - next_read_);
    }
    next_read_ += block.bytes;
    moved_ = true;
    AOE_TRY(options_.source.start_read(block));
  }
  return {};
}

Result<void> CopyEngine::take_reads() {
  done_.clear();
  AOE_TRY(options_.source.poll(done_));
  for (CopyBlock* block : done_) {
    moved_ = true;
    if (options_.total_bytes) {
      const std::uint64_t expected = std::min<std::uint64_t>(options_.buffers.block_bytes(),
                                                             *options_.total_bytes - block->offset);
      if (block->bytes < expected) {
        return fail_with(
            Errc::io, 0,
            fmt::format("{}: read: it ended after {} of {} bytes", options_.source.name(),
                        block->offset + block->bytes, *options_.total_bytes));
      }
    } else if (block->bytes < options_.buffers.block_bytes()) {
      source_ended_ = true;
    }
    if (block->bytes == 0) {
      free_.push_back(block);
      continue;
    }
    if (options_.hashes != nullptr) {
      const auto number = block->offset / options_.buffers.block_bytes();
      options_.hashes->resize(std::max(options_.hashes->size(), number + 1));
      (*options_.hashes)[number] = content_hash(block->data());
    }
    ready_.emplace(block->offset, block);
  }
  return {};
}

Result<void> CopyEngine::start_writes() {
  while (!ready_.empty()) {
    CopyBlock* block = ready_.begin()->second;
    if (options_.destination.in_order() && block->offset != next_write_) {
      break;
    }
    ready_.erase(ready_.begin());
    next_write_ = block->offset + block->bytes;
    moved_ = true;
    AOE_TRY(options_.destination.start_write(*block));
  }
  return {};
}

Result<void> CopyEngine::take_writes() {
  done_.clear();
  AOE_TRY(options_.destination.poll(done_));
  for (CopyBlock* block : done_) {
    moved_ = true;
    written_ += block->bytes;
    free_.push_back(block);
  }
  return {};
}

void CopyEngine::wait_for_an_end() {
  const bool source_works = options_.source.outstanding() > 0;
  const bool destination_works = options_.destination.outstanding() > 0;
  AOE_CHECK(source_works || destination_works, "a copy that is not done has a block under way");
  wait_on_source_ = source_works && (!destination_works || !wait_on_source_);
  const Duration patience = source_works && destination_works ? kWaitForEither : kWaitForOne;
  CopyEnd& end = wait_on_source_ ? options_.source : options_.destination;
  end.wait(os::monotonic_now() + patience);
}

}  // namespace aoe::tools
