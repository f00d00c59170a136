// The half of LayeredStore that makes the layer durable: many writes a commit.
#include "base/check.h"
#include "base/ids.h"
#include "storage/layered_store.h"

#include <algorithm>

namespace aoe::storage {

namespace {

// The map gets its space in the file ahead of its blocks, so that a full file system is noticed
// while there is still room to write down all that is under way.
constexpr std::uint64_t kRoomBlocks = 512;
constexpr std::uint64_t kReserveBlocks = 256;

}  // namespace

// True if something began.
bool LayeredStore::step_commit() {
  if (commit_step_ != CommitStep::idle || !has_layer() || layer_error_ != StoreErrc::ok ||
      unsafe_.empty()) {
    return false;
  }
  covered_.swap(unsafe_);
  committing_.swap(dirty_);
  commit_step_ = CommitStep::flushing_data;
  submit_layer(StoreOpKind::flush, 0, {}, Owner::commit);
  return true;
}

void LayeredStore::end_commit_step(StoreErrc status) {
  const CommitStep step = commit_step_;
  if (status == StoreErrc::no_space && step == CommitStep::making_room) {
    is_full_ = true;
    wants_merge_ =
        wants_merge_ || (options_.when_full == WhenFull::merge && phase_ == LayerPhase::active);
    write_map();  // perhaps the room that is left is enough
    return;
  }
  if (status != StoreErrc::ok) {
    fail_commit(status);
    return;
  }
  switch (step) {
    case CommitStep::idle:
      AOE_CHECK(false, "only a commit that runs has completions");
      return;
    case CommitStep::flushing_data:
      if (committing_.empty()) {
        end_commit();
        return;
      }
      map_buffer_.clear();
      (void)encode_map_blocks({.id = header_.id,
                               .epoch = header_.epoch,
                               .index = next_map_block_,
                               .commit = next_commit_},
                              committing_, map_buffer_);
      if (next_map_block_ + map_buffer_.size() / kMapBlockBytes + kReserveBlocks >
          std::min(room_until_block_, layout_.map_blocks)) {
        const std::uint64_t first = std::max(room_until_block_, next_map_block_);
        const std::uint64_t blocks =
            std::min(kRoomBlocks + map_buffer_.size() / kMapBlockBytes, layout_.map_blocks - first);
        if (blocks > 0) {
          zeros_.assign(std::max<std::size_t>(zeros_.size(), blocks * kMapBlockBytes), std::byte{});
          commit_step_ = CommitStep::making_room;
          room_asked_block_ = first + blocks;
          submit_layer(StoreOpKind::write, layout_.map_offset_bytes + first * kMapBlockBytes,
                       ByteSpan(zeros_).first(blocks * kMapBlockBytes), Owner::commit);
          return;
        }
      }
      write_map();
      return;
    case CommitStep::making_room:
      room_until_block_ = room_asked_block_;
      write_map();
      return;
    case CommitStep::writing:
      commit_step_ = CommitStep::flushing_map;
      submit_layer(StoreOpKind::flush, 0, {}, Owner::commit);
      return;
    case CommitStep::flushing_map:
      next_map_block_ += map_buffer_.size() / kMapBlockBytes;
      ++next_commit_;
      end_commit();
      return;
  }
}

void LayeredStore::write_map() {
  commit_step_ = CommitStep::writing;
  submit_layer(StoreOpKind::write, layout_.map_offset_bytes + next_map_block_ * kMapBlockBytes,
               map_buffer_, Owner::commit);
}

void LayeredStore::end_commit() {
  for (const std::uint16_t slot : covered_) {
    complete(slot, StoreErrc::ok, 0);
  }
  covered_.clear();
  committing_.clear();
  commit_step_ = CommitStep::idle;
}

void LayeredStore::fail_commit(StoreErrc status) {
  // Room that ran out may come back; anything else says that what the kernel accepted may be gone,
  // and no later flush proves the opposite.
  const bool is_lost = status != StoreErrc::no_space;
  if (is_lost) {
    layer_error_ = StoreErrc::sync_failed;
  }
  dirty_.insert(dirty_.end(), committing_.begin(), committing_.end());
  committing_.clear();
  commit_step_ = CommitStep::idle;
  std::vector<std::uint16_t> refused;
  refused.swap(covered_);
  if (is_lost) {
    refused.insert(refused.end(), unsafe_.begin(), unsafe_.end());
    unsafe_.clear();
  }
  for (const std::uint16_t slot : refused) {
    complete(slot, is_lost ? StoreErrc::sync_failed : status, requests_[slot].op.offset_bytes);
  }
}

}  // namespace aoe::storage
