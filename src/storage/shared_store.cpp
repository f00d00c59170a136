#include "storage/shared_store.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace aoe::storage {

namespace {

constexpr unsigned kPortShift = 16;

}  // namespace

class SharedStore::Port final : public BlockStore {
 public:
  Port(std::shared_ptr<SharedStore> shared, std::uint32_t in_flight_max)
      : shared_(std::move(shared)), records_(in_flight_max), done_(in_flight_max) {
    index_ = shared_->place_for(*this);
    info_ = shared_->store().info();
    info_.in_flight_max = in_flight_max;
    free_.reserve(in_flight_max);
    for (std::uint32_t i = in_flight_max; i > 0; --i) {
      free_.push_back(static_cast<std::uint16_t>(i - 1));
    }
  }

  ~Port() override {
    const std::size_t below = records_.size() - free_.size();
    shared_->ports_[index_] = {.port = nullptr, .is_taken = below != 0};
  }

  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] std::string describe() const override { return shared_->store().describe(); }

  [[nodiscard]] const StoreInfo& info() const override { return info_; }

  [[nodiscard]] StoreStats stats() const override { return stats_; }

  void submit(Instant now, std::span<const StoreOp> ops) override {
    for (const StoreOp& op : ops) {
      AOE_CHECK(!free_.empty(), "the number of operations in flight is bounded by the submitter");
      const std::uint16_t slot = free_.back();
      free_.pop_back();
      records_[slot] = op.tag;
      stats_.count(op.kind, op.length_bytes);
      shared_->lower_.add(op, std::uint32_t{index_} << kPortShift | slot);
    }
    if (!shared_->is_held_) {
      (void)shared_->lower_.flush(now);
    }
  }

  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override {
    // Lives at least as long as the call: what completes may take the last port away.
    const std::shared_ptr<SharedStore> shared = shared_;
    shared->move(now);
    return done_.take(out);
  }

  [[nodiscard]] std::optional<Instant> poll_timeout() const override {
    return shared_->store().poll_timeout();
  }

  Result<std::uint64_t> refresh() override {
    AOE_TRY_ASSIGN(info_.size_bytes, shared_->store().refresh());
    return info_.size_bytes;
  }

  std::uint64_t look_at_size() override {
    info_.size_bytes = shared_->store().look_at_size();
    return info_.size_bytes;
  }

  void take(std::uint16_t slot, StoreCompletion completion) {
    completion.tag = records_[slot];
    stats_.errors += completion.status == StoreErrc::ok ? 0U : 1U;
    free_.push_back(slot);
    done_.push(completion);
  }

  // Another store has it now.
  std::uint16_t move_to(std::shared_ptr<SharedStore> shared) {
    shared_ = std::move(shared);
    index_ = shared_->place_for(*this);
    return index_;
  }

 private:
  std::shared_ptr<SharedStore> shared_;
  std::uint16_t index_ = 0;
  StoreInfo info_;
  StoreStats stats_;
  std::vector<StoreTag> records_;  // of operations below
  std::vector<std::uint16_t> free_;
  CompletionQueue done_;
};

SharedStore::SharedStore(std::unique_ptr<BlockStore> store) : lower_(std::move(store)) {}

std::shared_ptr<SharedStore> SharedStore::make(std::unique_ptr<BlockStore> store) {
  return std::unique_ptr<SharedStore>(new SharedStore(std::move(store)));
}

std::unique_ptr<BlockStore> SharedStore::open_port(std::uint32_t in_flight_max) {
  return std::make_unique<Port>(shared_from_this(), in_flight_max);
}

std::uint16_t SharedStore::place_for(Port& port) {
  auto place = std::find_if(ports_.begin(), ports_.end(),
                            [](const Place& candidate) { return !candidate.is_taken; });
  if (place == ports_.end()) {
    AOE_CHECK(ports_.size() < kPortsMax, "the caller bounds the number of ports");
    ports_.emplace_back();
    place = ports_.end() - 1;
  }
  *place = {.port = &port, .is_taken = true};
  return static_cast<std::uint16_t>(place - ports_.begin());
}

void SharedStore::absorb(SharedStore& other) {
  AOE_CHECK(other.is_held_ && other.is_quiet(),
            "a store is absorbed when nothing is under way in it");
  std::vector<std::uint16_t> moved(other.ports_.size());
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (other.ports_[i].port != nullptr) {
      moved[i] = other.ports_[i].port->move_to(shared_from_this());
      other.ports_[i] = {};
    }
  }
  other.lower_.take_waiting([&](const StoreOp& op, std::uint32_t note) {
    lower_.add(op, std::uint32_t{moved[note >> kPortShift]} << kPortShift |
                       (note & ((std::uint32_t{1} << kPortShift) - 1)));
  });
}

void SharedStore::move(Instant now) {
  do {
    finished_.clear();
    lower_.collect(now, finished_);
    for (const LowerDone& done : finished_) {
      Port* port = ports_[done.note >> kPortShift].port;
      if (port != nullptr) {
        port->take(static_cast<std::uint16_t>(done.note), done.completion);
      }
    }
  } while (!is_held_ && lower_.flush(now));
}

}  // namespace aoe::storage
