#include "tools/copy_end.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace aoe::tools {
namespace {

using initiator::IoCompletion;
using initiator::IoOp;
using initiator::IoRequest;
using initiator::IoStatus;

std::uint64_t sectors_for(std::uint64_t bytes) {
  return (bytes + kSectorBytes - 1) / kSectorBytes;
}

class DeviceEnd final : public CopyEnd {
 public:
  explicit DeviceEnd(DeviceEndOptions options)
      : name_(std::move(options.name)),
        session_(std::move(options.session)),
        device_(std::move(options.device)) {
    const protocol::IdentifyModel identity = device_->info().identity;
    trims_zeros_ = options.sparse == Sparse::yes && identity.has_trim && identity.trim_reads_zero;
  }

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override {
    return device_->sectors() * kSectorBytes;
  }

  Result<void> prepare(std::optional<std::uint64_t> total_bytes) override {
    if (total_bytes && sectors_for(*total_bytes) > device_->sectors()) {
      return fail_with(Errc::no_space, 0,
                       fmt::format("{}: copy: the device has {} sectors, the source needs {}",
                                   name_, device_->sectors(), sectors_for(*total_bytes)));
    }
    return {};
  }

  Result<void> start_read(CopyBlock& block) override {
    IoRequest request = request_for(IoOp::read, block);
    request.read_into = block.memory.first(request.sectors * kSectorBytes);
    return submit(request, block);
  }

  Result<void> start_write(CopyBlock& block) override {
    const bool as_zeros = trims_zeros_ && is_all_zero(block.data());
    IoRequest request = request_for(as_zeros ? IoOp::write_zeroes : IoOp::write, block);
    if (block.offset / kSectorBytes + request.sectors > device_->sectors()) {
      return fail_with(Errc::no_space, 0,
                       fmt::format("{}: copy: the device has {} sectors, the source is longer",
                                   name_, device_->sectors()));
    }
    if (!as_zeros) {
      // The rest of the last sector of an image that is no multiple of 512 reads as zeros.
      const ByteSpan whole = block.memory.first(request.sectors * kSectorBytes);
      fill_zero(whole.subspan(block.bytes));
      request.write_from = whole;
    }
    return submit(request, block);
  }

  Result<void> poll(std::vector<CopyBlock*>& done) override {
    std::array<IoCompletion, 64> completions;
    for (;;) {
      const std::size_t count = device_->poll(completions);
      for (std::size_t i = 0; i < count; ++i) {
        const IoCompletion& completion = completions[i];
        if (completion.status != IoStatus::ok) {
          return fail(device_->error_of(completion));
        }
        --outstanding_;
        done.push_back(blocks_.at(completion.cookie));
      }
      if (count < completions.size()) {
        return {};
      }
    }
  }

  [[nodiscard]] std::size_t outstanding() const override { return outstanding_; }

  void wait(Instant deadline) override { (void)device_->wait(deadline); }

  Result<void> finish(std::uint64_t /*total_bytes*/) override { return device_->flush(); }

  [[nodiscard]] std::uint64_t retransmissions() const override {
    std::uint64_t count = 0;
    for (const client::PathInfo& path : device_->info().paths) {
      count += path.retransmissions;
    }
    return count;
  }

 private:
  [[nodiscard]] static IoRequest request_for(IoOp op, const CopyBlock& block) {
    IoRequest request;
    request.op = op;
    request.lba = Lba{block.offset / kSectorBytes};
    request.sectors = sectors_for(block.bytes);
    request.cookie = block.index;
    return request;
  }

  Result<void> submit(const IoRequest& request, CopyBlock& block) {
    if (blocks_.size() <= block.index) {
      blocks_.resize(block.index + 1);
    }
    blocks_[block.index] = &block;
    AOE_TRY(device_->submit(request));
    ++outstanding_;
    return {};
  }

  std::string name_;
  std::unique_ptr<client::Session> session_;
  std::unique_ptr<client::Device> device_;  // before its session in destruction
  bool trims_zeros_ = false;
  std::size_t outstanding_ = 0;
  std::vector<CopyBlock*> blocks_;  // by index
};

}  // namespace

std::unique_ptr<CopyEnd> make_device_end(DeviceEndOptions options) {
  return std::make_unique<DeviceEnd>(std::move(options));
}

}  // namespace aoe::tools
