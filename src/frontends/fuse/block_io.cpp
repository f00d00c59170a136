#include "frontends/fuse/block_io.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace aoe::fuse {

using client::IoOp;
using client::IoRequest;
using client::IoStatus;

namespace {

constexpr std::uint64_t sector_of(std::uint64_t offset) {
  return offset / kSectorBytes;
}

constexpr std::size_t inside_sector(std::uint64_t offset) {
  return offset % kSectorBytes;
}

constexpr std::uint64_t sectors_up_to(std::uint64_t offset) {
  return (offset + kSectorBytes - 1) / kSectorBytes;
}

}  // namespace

int errno_of(const client::IoCompletion& completion) {
  switch (completion.status) {
    case IoStatus::ok:
      return 0;
    case IoStatus::timed_out:
      return ETIMEDOUT;
    case IoStatus::cancelled:
      return ENODEV;
    case IoStatus::rejected:
      // As libaoe.
      return client::is_reserved(completion) ? EPERM : EIO;
    case IoStatus::media_error:
    case IoStatus::out_of_range:
    case IoStatus::aborted:
    case IoStatus::device_fault:
    case IoStatus::no_path:
    case IoStatus::cache_lost:
      break;
  }
  return EIO;
}

void BlockIo::finish(std::uint32_t slot, int os_errno, ConstByteSpan body) {
  connection_.answer(slots_.at(slot).unique, os_errno, body);
  slots_.give_back(slot);
}

void BlockIo::submit_or_fail(std::uint32_t slot, const IoRequest& request) {
  if (const int failed = backend_.submit(slots_.at(slot).address, request); failed != 0) {
    finish(slot, failed);
  }
}

// --- reads ---

void BlockIo::read(std::uint32_t slot, const Target& target, const fuse_read_in& in) {
  PooledRequest& subject = slots_.at(slot);
  const std::uint64_t size = target.volume.sectors * kSectorBytes;
  if (in.offset >= size || in.size == 0) {
    finish(slot, 0);
    return;
  }
  subject.address = target.address;
  subject.step = Step::read;
  subject.offset = in.offset;
  // The kernel keeps to max_read; a slot holds that and the rest of two sectors.
  const std::size_t room = slots_.request(slot).size() - std::size_t{2} * kSectorBytes;
  subject.bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>({in.size, size - in.offset, room}));
  subject.data_at = inside_sector(in.offset);
  const std::uint64_t sectors = sectors_up_to(in.offset + subject.bytes) - sector_of(in.offset);
  submit_or_fail(slot, {.op = IoOp::read,
                        .lba = Lba{sector_of(in.offset)},
                        .sectors = sectors,
                        .read_into = slots_.buffer(slot).first(sectors * kSectorBytes),
                        .cookie = slot});
}

void BlockIo::answer_read(std::uint32_t slot) {
  const PooledRequest& subject = slots_.at(slot);
  finish(slot, 0, slots_.buffer(slot).subspan(subject.data_at, subject.bytes));
}

// --- writes ---

void BlockIo::write(std::uint32_t slot, const Target& target, const fuse_write_in& in) {
  PooledRequest& subject = slots_.at(slot);
  const std::uint64_t size = target.volume.sectors * kSectorBytes;
  subject.data_at = SlotPool::kHeadRoomBytes + sizeof(fuse_in_header) + sizeof(fuse_write_in);
  const std::size_t room = SlotPool::kHeadRoomBytes + slots_.request(slot).size() - subject.data_at;
  if (in.size > room) {
    finish(slot, EINVAL);
    return;
  }
  if (in.size == 0 || in.offset >= size) {
    finish(slot, in.size == 0 ? 0 : ENOSPC);
    return;
  }
  subject.address = target.address;
  subject.offset = in.offset;
  subject.bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(in.size, size - in.offset));
  subject.is_durable = (in.flags & static_cast<std::uint32_t>(O_DSYNC)) != 0;
  subject.holds_sectors =
      inside_sector(in.offset) != 0 || inside_sector(in.offset + subject.bytes) != 0;
  const auto order = orders_.find(target.address);
  if (order == orders_.end()) {
    finish(slot, EBADF);
    return;
  }
  if (!order->second.enter(slots_, slot)) {
    return;
  }
  if (const int failed = start_write(slot); failed != 0) {
    end_write(slot, failed);
  }
}

int BlockIo::start_write(std::uint32_t slot) {
  const PooledRequest& subject = slots_.at(slot);
  const std::uint64_t end = subject.offset + subject.bytes;
  if (inside_sector(subject.offset) != 0) {
    return read_edge(slot, Step::read_head, sector_of(subject.offset));
  }
  if (inside_sector(end) != 0) {
    return read_edge(slot, Step::read_tail, sector_of(end));
  }
  return submit_write(slot);
}

int BlockIo::read_edge(std::uint32_t slot, Step step, std::uint64_t sector) {
  PooledRequest& subject = slots_.at(slot);
  subject.step = step;
  return backend_.submit(subject.address, {.op = IoOp::read,
                                           .lba = Lba{sector},
                                           .sectors = 1,
                                           .read_into = subject.edge,
                                           .cookie = slot});
}

int BlockIo::submit_write(std::uint32_t slot) {
  PooledRequest& subject = slots_.at(slot);
  subject.step = Step::write;
  const std::size_t gap = inside_sector(subject.offset);
  const std::uint64_t sectors =
      sectors_up_to(subject.offset + subject.bytes) - sector_of(subject.offset);
  return backend_.submit(subject.address, {.op = IoOp::write,
                                           .lba = Lba{sector_of(subject.offset)},
                                           .sectors = sectors,
                                           .write_from = slots_.buffer(slot).subspan(
                                               subject.data_at - gap, sectors * kSectorBytes),
                                           .durable = subject.is_durable,
                                           .cookie = slot});
}

std::optional<int> BlockIo::next_of_write(std::uint32_t slot) {
  PooledRequest& subject = slots_.at(slot);
  const ByteSpan buffer = slots_.buffer(slot);
  const std::uint64_t end = subject.offset + subject.bytes;
  const std::size_t gap = inside_sector(subject.offset);
  const std::size_t used = inside_sector(end);
  const auto complete_tail = [&] {
    copy_bytes(buffer.subspan(subject.data_at + subject.bytes),
               ConstByteSpan(subject.edge).subspan(used));
  };
  switch (subject.step) {
    case Step::read_head:
      copy_bytes(buffer.subspan(subject.data_at - gap), ConstByteSpan(subject.edge).first(gap));
      if (used == 0) {
        return submit_write(slot);
      }
      if (sector_of(end) != sector_of(subject.offset)) {
        return read_edge(slot, Step::read_tail, sector_of(end));
      }
      complete_tail();
      return submit_write(slot);
    case Step::read_tail:
      complete_tail();
      return submit_write(slot);
    default:
      return std::nullopt;
  }
}

void BlockIo::end_write(std::uint32_t slot, int os_errno) {
  const PooledRequest& subject = slots_.at(slot);
  WriteOrder& order = orders_.at(subject.address);
  order.leave(subject);
  fuse_write_out out{};
  out.size = subject.bytes;
  finish(slot, os_errno, os_errno == 0 ? std::as_bytes(std::span(&out, 1)) : ConstByteSpan());
  while (const auto waiting = order.next(slots_)) {
    if (const int failed = start_write(*waiting); failed != 0) {
      order.leave(slots_.at(*waiting));
      finish(*waiting, failed);
    }
  }
}

// --- flushes and holes ---

void BlockIo::sync(std::uint32_t slot, const Target& target) {
  slots_.at(slot).address = target.address;
  slots_.at(slot).step = Step::sync;
  submit_or_fail(slot, {.op = IoOp::flush, .cookie = slot});
}

void BlockIo::allocate(std::uint32_t slot, const Target& target, const fuse_fallocate_in& in) {
  const std::uint64_t size = target.volume.sectors * kSectorBytes;
  const bool punch = (in.mode & FALLOC_FL_PUNCH_HOLE) != 0;
  const bool zero = (in.mode & FALLOC_FL_ZERO_RANGE) != 0;
  if ((in.mode & ~static_cast<std::uint32_t>(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
                                             FALLOC_FL_ZERO_RANGE)) != 0) {
    finish(slot, EOPNOTSUPP);
    return;
  }
  // The kernel does not cut the range to the file.
  const bool fits = in.offset <= size && in.length <= size - in.offset;
  if (!punch && !zero) {
    // All of the device is allocated as it is.
    finish(slot, fits ? 0 : ENOSPC);
    return;
  }
  if (inside_sector(in.offset) != 0 || (inside_sector(in.length) != 0 && fits)) {
    finish(slot, EINVAL);
    return;
  }
  if (punch && !target.volume.discard_reads_zero) {
    // A hole must read as zeros, and whoever asks has another way to get them.
    finish(slot, EOPNOTSUPP);
    return;
  }
  if (target.volume.is_read_only) {
    finish(slot, EROFS);
    return;
  }
  if (in.offset >= size) {
    finish(slot, 0);
    return;
  }
  PooledRequest& subject = slots_.at(slot);
  subject.address = target.address;
  subject.step = Step::discard;
  submit_or_fail(slot, {.op = punch ? IoOp::trim : IoOp::write_zeroes,
                        .lba = Lba{sector_of(in.offset)},
                        .sectors = sector_of(std::min(in.length, size - in.offset)),
                        .cookie = slot});
}

// --- completions ---

void BlockIo::handle_completion(const client::IoCompletion& completion) {
  const auto slot = static_cast<std::uint32_t>(completion.cookie);
  PooledRequest& subject = slots_.at(slot);
  backend_.completed(subject.address, completion);
  const int failed = errno_of(completion);
  switch (subject.step) {
    case Step::read:
      if (failed != 0) {
        finish(slot, failed);
      } else {
        answer_read(slot);
      }
      return;
    case Step::sync:
    case Step::discard:
      finish(slot, failed);
      return;
    case Step::read_head:
    case Step::read_tail:
    case Step::write:
      break;
    case Step::none:
    case Step::event:
      return;
  }
  if (failed != 0) {
    end_write(slot, failed);
    return;
  }
  const std::optional<int> next = next_of_write(slot);
  if (!next || *next != 0) {
    end_write(slot, next.value_or(0));
  }
}

}  // namespace aoe::fuse
