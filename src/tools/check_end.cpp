#include "tools/copy_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::tools {
namespace {

class CompareEnd final : public CopyEnd {
 public:
  CompareEnd(std::unique_ptr<CopyEnd> inner, std::vector<std::byte>& memory,
             std::size_t block_bytes)
      : inner_(std::move(inner)), memory_(memory), block_bytes_(block_bytes) {}

  [[nodiscard]] const std::string& name() const override { return inner_->name(); }

  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override {
    return inner_->size_bytes();
  }

  Result<void> prepare(std::optional<std::uint64_t> /*total_bytes*/) override { return {}; }

  Result<void> start_read(CopyBlock& block) override { return inner_->start_read(block); }

  Result<void> start_write(CopyBlock& block) override {
    if (pairs_.size() <= block.index) {
      pairs_.resize(block.index + 1);
    }
    Pair& pair = pairs_[block.index];
    pair.original = &block;
    if (!pair.copy) {
      pair.copy = std::make_unique<CopyBlock>();
    }
    *pair.copy = block;
    pair.copy->memory = ByteSpan(memory_).subspan(block.index * block_bytes_, block_bytes_);
    return inner_->start_read(*pair.copy);
  }

  Result<void> poll(std::vector<CopyBlock*>& done) override {
    read_.clear();
    AOE_TRY(inner_->poll(read_));
    for (const CopyBlock* copy : read_) {
      CopyBlock* original = pairs_.at(copy->index).original;
      const ConstByteSpan a = original->data();
      const ConstByteSpan b = copy->data();
      const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
      if (at != a.end()) {
        return fail_with(
            Errc::corrupt, 0,
            fmt::format("{}: verify: differs from the source at byte {}", name(),
                        original->offset + static_cast<std::uint64_t>(at - a.begin())));
      }
      done.push_back(original);
    }
    return {};
  }

  [[nodiscard]] std::size_t outstanding() const override { return inner_->outstanding(); }

  void wait(Instant deadline) override { inner_->wait(deadline); }

  Result<void> finish(std::uint64_t /*total_bytes*/) override { return {}; }

  [[nodiscard]] std::uint64_t retransmissions() const override { return inner_->retransmissions(); }

 private:
  struct Pair {
    CopyBlock* original = nullptr;
    std::unique_ptr<CopyBlock> copy;
  };

  std::unique_ptr<CopyEnd> inner_;
  std::vector<std::byte>& memory_;
  std::size_t block_bytes_;
  std::vector<Pair> pairs_;  // by index
  std::vector<CopyBlock*> read_;
};

class HashCheckEnd final : public CopyEnd {
 public:
  HashCheckEnd(std::string name, const std::vector<std::uint64_t>& hashes)
      : name_(std::move(name)), hashes_(hashes) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override { return std::nullopt; }

  Result<void> prepare(std::optional<std::uint64_t> /*total_bytes*/) override { return {}; }

  Result<void> start_read(CopyBlock& /*block*/) override {
    return fail_with(Errc::unsupported, 0, fmt::format("{}: verify: nothing to read", name_));
  }

  Result<void> start_write(CopyBlock& block) override {
    const std::uint64_t number = block.offset / block.memory.size();
    if (number >= hashes_.size() || hashes_[number] != content_hash(block.data())) {
      return fail_with(Errc::corrupt, 0,
                       fmt::format("{}: verify: differs from what was written, between byte {} and "
                                   "byte {}",
                                   name_, block.offset, block.offset + block.bytes - 1));
    }
    done_.push_back(&block);
    return {};
  }

  Result<void> poll(std::vector<CopyBlock*>& done) override {
    done.insert(done.end(), done_.begin(), done_.end());
    done_.clear();
    return {};
  }

  [[nodiscard]] std::size_t outstanding() const override { return done_.size(); }

  void wait(Instant /*deadline*/) override {}

  Result<void> finish(std::uint64_t /*total_bytes*/) override { return {}; }

 private:
  std::string name_;
  const std::vector<std::uint64_t>& hashes_;
  std::vector<CopyBlock*> done_;
};

}  // namespace

std::unique_ptr<CopyEnd> make_compare_end(std::unique_ptr<CopyEnd> inner,
                                          std::vector<std::byte>& memory, std::size_t block_bytes) {
  return std::make_unique<CompareEnd>(std::move(inner), memory, block_bytes);
}

std::unique_ptr<CopyEnd> make_hash_check_end(std::string name,
                                             const std::vector<std::uint64_t>& hashes) {
  return std::make_unique<HashCheckEnd>(std::move(name), hashes);
}

}  // namespace aoe::tools
