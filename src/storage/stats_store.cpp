#include "storage/stats_store.h"

namespace aoe::storage {

StatsStore::StatsStore(std::unique_ptr<BlockStore> next)
    : FilterStore(std::move(next)), records_(info_.in_flight_max) {
  down_.reserve(info_.in_flight_max);
}

void StatsStore::submit(Instant now, std::span<const StoreOp> ops) {
  down_.clear();
  for (const StoreOp& op : ops) {
    const SlotHandle handle = records_.acquire();
    records_.at(handle) = {.tag = op.tag, .kind = op.kind, .started = now};
    down_.push_back(op);
    down_.back().tag = StoreTag{handle.value};
  }
  next().submit(now, down_);
}

std::size_t StatsStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  const std::size_t count = next().poll_completions(now, out);
  for (StoreCompletion& completion : out.first(count)) {
    const SlotHandle handle{completion.tag.value};
    const Record record = records_.at(handle);
    records_.release(handle);
    completion.tag = record.tag;
    latencies_[static_cast<std::size_t>(record.kind)].add(now - record.started);
    ++completed_[static_cast<std::size_t>(completion.status)];
  }
  return count;
}

}  // namespace aoe::storage
