// An engine whose results a test writes.
#pragma once

#include "storage/io_engine.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace aoe::testing {

// What happens to operations of one kind. Without a rule an operation really runs, at once.
struct FakeRule {
  storage::IoKind kind = storage::IoKind::readv;
  std::size_t skip = 0;           // so many of them pass first
  std::size_t count = 1;          // then so many are hit
  int os_errno = 0;               // fails with this, without running
  std::int64_t short_bytes = -1;  // runs on the first so many bytes only
  bool hangs = false;             // does not run before release()
  std::int64_t from_bytes = -1;   // hits only operations that touch this byte of the file
};

class FakeEngine final : public storage::IoEngine {
 public:
  struct Seen {
    storage::IoKind kind;
    std::uint64_t offset_bytes;
    std::uint64_t length_bytes;
    std::size_t iovec_count;
    int fd;
  };

  FakeEngine() = default;
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  ~FakeEngine() override {
    release();
    wait_until_idle();
  }

  void add_rule(const FakeRule& rule) { rules_.push_back(rule); }

  // Runs everything that hangs.
  void release() {
    for (const Hung& hung : hung_) {
      done_.push_back({hung.user_data, run(hung.op, length_of(hung.op))});
    }
    hung_.clear();
  }

  [[nodiscard]] std::size_t hanging() const { return hung_.size(); }

  [[nodiscard]] std::string describe() const override { return "fake"; }

  [[nodiscard]] int wait_fd() const override { return -1; }

  [[nodiscard]] std::size_t count(storage::IoKind kind) const {
    return static_cast<std::size_t>(
        std::count_if(seen.begin(), seen.end(), [&](const Seen& s) { return s.kind == kind; }));
  }

  std::vector<Seen> seen;
  std::size_t batches = 0;

 private:
  struct Done {
    std::uint64_t user_data;
    std::int64_t result;
  };

  struct Hung {
    std::uint64_t user_data;
    storage::IoOp op;
  };

  void start(std::uint64_t user_data, const storage::IoOp& op, int /*held_file*/) override {
    const std::uint64_t length = length_of(op);
    seen.push_back({op.kind, op.offset_bytes, length, op.iovecs.size(), op.fd});
    for (FakeRule& rule : rules_) {
      if (rule.kind != op.kind || rule.count == 0 || !touches(op, length, rule.from_bytes)) {
        continue;
      }
      if (rule.skip > 0) {
        --rule.skip;
        continue;
      }
      --rule.count;
      if (rule.hangs) {
        hung_.push_back({user_data, op});
      } else if (rule.os_errno != 0) {
        done_.push_back({user_data, -rule.os_errno});
      } else {
        done_.push_back({user_data, run(op, static_cast<std::uint64_t>(rule.short_bytes))});
      }
      return;
    }
    done_.push_back({user_data, run(op, length)});
  }

  void kick() override { ++batches; }

  void collect() override {
    // What the handlers submit is for the next poll, as with a real kernel.
    for (std::size_t left = done_.size(); left > 0; --left) {
      const Done done = done_.front();
      done_.pop_front();
      finish(done.user_data, done.result);
    }
  }

  static bool touches(const storage::IoOp& op, std::uint64_t length, std::int64_t byte) {
    if (byte < 0) {
      return true;
    }
    const auto at = static_cast<std::uint64_t>(byte);
    return op.offset_bytes <= at && at < op.offset_bytes + length;
  }

  static std::uint64_t length_of(const storage::IoOp& op) {
    std::uint64_t length = op.length_bytes;
    if (op.kind == storage::IoKind::readv || op.kind == storage::IoKind::writev) {
      length = 0;
      for (const iovec& piece : op.iovecs) {
        length += piece.iov_len;
      }
    }
    return length;
  }

  static std::int64_t run(const storage::IoOp& op, std::uint64_t limit_bytes) {
    std::vector<iovec> pieces;
    for (iovec piece : op.iovecs) {
      piece.iov_len = std::min<std::uint64_t>(piece.iov_len, limit_bytes);
      limit_bytes -= piece.iov_len;
      if (piece.iov_len > 0) {
        pieces.push_back(piece);
      }
    }
    const auto offset = static_cast<off_t>(op.offset_bytes);
    const auto length = static_cast<off_t>(op.length_bytes);
    const auto piece_count = static_cast<int>(pieces.size());
    std::int64_t result = 0;
    switch (op.kind) {
      case storage::IoKind::readv:
        result = ::preadv(op.fd, pieces.data(), piece_count, offset);
        break;
      case storage::IoKind::writev:
        result = ::pwritev(op.fd, pieces.data(), piece_count, offset);
        break;
      case storage::IoKind::fdatasync:
        result = ::fdatasync(op.fd);
        break;
      case storage::IoKind::punch_hole:
        result = ::fallocate(op.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
        break;
      case storage::IoKind::zero_range:
        result = ::fallocate(op.fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length);
        break;
      case storage::IoKind::status:
        result = ::statx(op.fd, "", AT_EMPTY_PATH, STATX_SIZE, op.status);
        break;
    }
    return result >= 0 ? result : -std::int64_t{errno};
  }

  std::vector<FakeRule> rules_;
  std::deque<Done> done_;
  std::vector<Hung> hung_;
};

}  // namespace aoe::testing
