#include "tools/stream_end.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <deque>
#include <utility>

namespace aoe::tools {
namespace {

// Never blocks for long: a device at the other end needs its timers to run. The descriptor itself
// stays blocking, because other processes may share it.
class StreamEnd final : public CopyEnd {
 public:
  StreamEnd(std::string name, os::Fd fd) : name_(std::move(name)), fd_(std::move(fd)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override { return std::nullopt; }

  [[nodiscard]] bool in_order() const override { return true; }

  Result<void> prepare(std::optional<std::uint64_t> /*total_bytes*/) override { return {}; }

  Result<void> start_read(CopyBlock& block) override { return start(Direction::read, block); }

  Result<void> start_write(CopyBlock& block) override { return start(Direction::write, block); }

  Result<void> poll(std::vector<CopyBlock*>& done) override {
    // How much of the stream one call moves, so that the other end gets its turn.
    constexpr int kRounds = 256;
    for (int round = 0; round < kRounds && !blocks_.empty() && (ended_ || is_ready({})); ++round) {
      CopyBlock& block = *blocks_.front();
      AOE_TRY(direction_ == Direction::read ? read_some(block) : write_some(block));
      const bool whole = moved_ == block.bytes;
      if (whole || ended_) {
        block.bytes = moved_;
        moved_ = 0;
        blocks_.pop_front();
        done.push_back(&block);
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t outstanding() const override { return blocks_.size(); }

  void wait(Instant deadline) override { (void)is_ready(deadline - os::monotonic_now()); }

  Result<void> finish(std::uint64_t /*total_bytes*/) override { return {}; }

 private:
  enum class Direction : std::uint8_t { read, write };

  Result<void> start(Direction direction, CopyBlock& block) {
    direction_ = direction;
    blocks_.push_back(&block);
    return {};
  }

  [[nodiscard]] bool is_ready(Duration patience) const {
    pollfd entry{fd_.get(), static_cast<short>(direction_ == Direction::read ? POLLIN : POLLOUT),
                 0};
    const std::int64_t ns = std::max<std::int64_t>(patience.ns, 0);
    const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    return ::ppoll(&entry, 1, &timeout, nullptr) > 0;
  }

  Result<void> read_some(CopyBlock& block) {
    if (ended_) {
      return {};
    }
    const ByteSpan rest = block.data().subspan(moved_);
    const ssize_t count = ::read(fd_.get(), rest.data(), rest.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return fail(os::os_error(errno, fmt::format("{}: read", name_)));
    }
    if (count == 0) {
      ended_ = true;
    } else if (count > 0) {
      moved_ += static_cast<std::size_t>(count);
    }
    return {};
  }

  Result<void> write_some(CopyBlock& block) {
    // A pipe that is ready for writing takes this much without blocking (pipe(7)).
    const ConstByteSpan rest = block.data().subspan(moved_);
    const ssize_t count =
        ::write(fd_.get(), rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return fail(os::os_error(errno, fmt::format("{}: write", name_)));
    }
    moved_ += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    return {};
  }

  std::string name_;
  os::Fd fd_;
  Direction direction_ = Direction::read;
  std::deque<CopyBlock*> blocks_;  // the first is being moved
  std::size_t moved_ = 0;          // bytes of the first
  bool ended_ = false;             // of a source
};

}  // namespace

std::unique_ptr<CopyEnd> make_stream_end(std::string name, os::Fd fd) {
  return std::make_unique<StreamEnd>(std::move(name), std::move(fd));
}

}  // namespace aoe::tools
