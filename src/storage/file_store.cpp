#include "storage/file_store.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/ids.h"
#include "storage/op_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace aoe::storage {

namespace {

constexpr std::uint16_t kInterruptionsMax = 16;
constexpr std::uint32_t kInFlightLimit = 4096;
// Of looks at the size: no record has such an index.
constexpr std::uint32_t kLookCookie = 0xFFFFFFFF;
static_assert((kLookCookie & 0xFFFFU) >= kInFlightLimit);

constexpr std::uint64_t round_down(std::uint64_t bytes) {
  return bytes / kSectorBytes * kSectorBytes;
}

StoreInfo make_info(const FileBacking& backing, const StoreOptions& options) {
  const bool is_writable = options.access == Access::read_write;
  StoreInfo info;
  info.size_bytes = backing.size_bytes();
  info.physical_block_bytes = backing.physical_block_bytes();
  info.is_read_only = !is_writable;
  info.can_discard = backing.can_punch_hole();
  info.discard_reads_zero = backing.can_punch_hole();
  info.can_write_zeroes = is_writable;
  info.is_volatile = is_writable;
  info.outlives_process = true;
  info.is_rotational = backing.is_rotational();
  info.answers_at_once = backing.is_in_memory();
  info.flushes_at_once = static_cast<std::uint32_t>(backing.more_flush_fds().size()) + 1;
  info.in_flight_max = options.in_flight_max;
  return info;
}

}  // namespace

Result<std::unique_ptr<FileStore>> FileStore::open(const std::string& path,
                                                   const StoreOptions& options, IoEngine& engine) {
  if (options.in_flight_max == 0 || options.in_flight_max > kInFlightLimit) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{}: {} operations in flight: expected 1 to {}", path,
                                 options.in_flight_max, kInFlightLimit));
  }
  AOE_TRY_ASSIGN(FileBacking backing, FileBacking::open(path, options));
  const StoreInfo info = make_info(backing, options);
  auto state = std::make_unique<State>(std::move(backing), options.in_flight_max);
  if (state->backing.is_direct()) {
    AOE_TRY_ASSIGN(state->bounce_memory,
                   os::MappedMemory::allocate(kBounceBytes * kBounceBuffers, path));
  }
  // Never written, so all of it is the kernel's one page of zeros.
  AOE_TRY_ASSIGN(state->zeros, os::MappedMemory::allocate(kZeroBytes, path));
  return std::unique_ptr<FileStore>(new FileStore(std::move(state), engine, info));
}

FileStore::FileStore(std::unique_ptr<State> state, IoEngine& engine, const StoreInfo& info)
    : engine_(engine),
      client_(engine.attach(*this)),
      state_(std::move(state)),
      info_(info),
      waiting_for_bounce_(state_->backing.is_direct() ? info.in_flight_max : 0),
      flushes_of_fd_(info.flushes_at_once),
      done_(info.in_flight_max) {
  const FileBacking& backing = state_->backing;
  engine_.hold_file(client_, backing.fd());
  if (backing.is_in_memory() && !backing.is_direct()) {
    mapped_ = MappedWindow(backing.fd(), backing.window_offset_bytes(), info_.size_bytes,
                           info_.is_read_only ? Access::read_only : Access::read_write);
  }
  if (state_->backing.is_direct()) {
    for (std::uint16_t i = 0; i < kBounceBuffers; ++i) {
      free_bounces_.push_back(i);
    }
  }
}

FileStore::~FileStore() {
  engine_.detach(client_, std::move(state_));
}

std::string FileStore::describe() const {
  return fmt::format("file:{} ({}{})", state_->backing.path(),
                     state_->backing.is_direct() ? "direct" : "buffered",
                     info_.is_read_only ? ", read-only" : "");
}

std::uint32_t FileStore::odd_tail_bytes() const {
  return state_->backing.odd_tail_bytes();
}

Result<std::uint64_t> FileStore::refresh() {
  AOE_TRY_ASSIGN(info_.size_bytes, state_->backing.measure());
  mapped_.resize(info_.size_bytes);
  return info_.size_bytes;
}

std::uint64_t FileStore::look_at_size() {
  mapped_.stamp_change();
  if (state_->backing.is_block_device()) {
    // The kernel knows the size of a device without asking it.
    info_.size_bytes = state_->backing.measure().value_or(info_.size_bytes);
  } else if (!is_looking_) {
    is_looking_ = true;
    const IoOp op{.cookie = kLookCookie,
                  .kind = IoKind::status,
                  .fd = state_->backing.fd(),
                  .status = &state_->status};
    engine_.submit(client_, std::span(&op, 1));
  }
  return info_.size_bytes;
}

std::size_t FileStore::poll_completions(Instant /*now*/, std::span<StoreCompletion> out) {
  return done_.take(out);
}

// ---- accepting work

const Prefetcher* FileStore::prefetcher() const {
  return mapped_.is_mapped() ? this : nullptr;
}

void FileStore::prefetch_data(const StoreOp& op) const {
  if (moves_data(op.kind)) {
    mapped_.prefetch(op.offset_bytes, op.length_bytes);
  }
}

void FileStore::submit(Instant /*now*/, std::span<const StoreOp> ops) {
  mergeable_.clear();
  for (const StoreOp& op : ops) {
    AOE_CHECK(op.durability == Durability::visible || !changes_data(op.kind),
              "a file store is volatile: durability is the business of the filter above");
    accept(op, Merging::yes);
  }
  for (const SlotHandle handle : mergeable_) {
    issue(handle);
  }
  mergeable_.clear();
  flush_issued();
}

void FileStore::accept(const StoreOp& op, Merging merging) {
  if (op.length_bytes == 0 && op.kind != StoreOpKind::flush) {
    done_.push({.tag = op.tag});
    return;
  }
  if (move_mapped(op)) {
    return;
  }
  const bool bounces = needs_bounce(op);
  if (merging == Merging::yes && try_merge(op, bounces)) {
    return;
  }
  const SlotHandle handle = state_->runs.acquire();
  Run& run = state_->runs.at(handle);
  run.kind = op.kind;
  run.zero_method = zero_method_;
  run.needs_bounce = bounces;
  run.bounce = kNoBounce;
  run.flush_fd = kNoFlushFd;
  run.part_count = 1;
  run.parts_done = 0;
  run.interruptions = 0;
  run.offset_bytes = op.offset_bytes;
  run.length_bytes = op.length_bytes;
  run.done_bytes = 0;
  run.parts_done_bytes = 0;
  run.parts[0] = {op.tag, op.length_bytes, op.data.data()};

  if (!is_inside(op)) {
    finish_rest(handle, run, StoreErrc::truncated);
  } else if (changes_data(op.kind) && info_.is_read_only) {
    finish_rest(handle, run, StoreErrc::read_only);
  } else if (op.kind == StoreOpKind::flush && info_.is_read_only) {
    finish_rest(handle, run, StoreErrc::ok);  // nothing was written that could be lost
  } else if (merging == Merging::yes) {
    mergeable_.push_back(handle);
  } else {
    issue(handle);
  }
}

bool FileStore::is_inside(const StoreOp& op) const {
  return op.length_bytes <= info_.size_bytes &&
         op.offset_bytes <= info_.size_bytes - op.length_bytes;
}

bool FileStore::move_mapped(const StoreOp& op) {
  if (!moves_data(op.kind) || !is_inside(op)) {
    return false;
  }
  const bool is_moved = op.kind == StoreOpKind::read ? mapped_.read(op.offset_bytes, op.data)
                                                     : mapped_.write(op.offset_bytes, op.data);
  if (is_moved) {
    stats_.count(op.kind, op.length_bytes);
    done_.push({.tag = op.tag});
  }
  return is_moved;
}

bool FileStore::try_merge(const StoreOp& op, bool bounces) {
  if (!moves_data(op.kind)) {
    return false;
  }
  // A few runs back is enough: a batch holds a few sequential streams at most.
  constexpr std::size_t kLookBack = 4;
  for (std::size_t i = 0; i < std::min(kLookBack, mergeable_.size()); ++i) {
    Run& run = state_->runs.at(mergeable_[mergeable_.size() - 1 - i]);
    if (run.kind == op.kind && run.needs_bounce == bounces && run.part_count < kRunPartsMax &&
        run.offset_bytes + run.length_bytes == op.offset_bytes &&
        op.length_bytes <= info_.size_bytes - op.offset_bytes) {
      run.parts[run.part_count++] = {op.tag, op.length_bytes, op.data.data()};
      run.length_bytes += op.length_bytes;
      return true;
    }
  }
  return false;
}

bool FileStore::needs_bounce(const StoreOp& op) const {
  return moves_data(op.kind) && state_->backing.is_direct() &&
         !os::is_aligned(op.data, state_->backing.memory_alignment_bytes());
}

// ---- giving it to the engine

void FileStore::issue(SlotHandle handle) {
  Run& run = state_->runs.at(handle);
  IoOp op{.cookie = handle.value,
          .fd = state_->backing.fd(),
          .offset_bytes = state_->backing.window_offset_bytes() + run.offset_bytes,
          .length_bytes = run.length_bytes};
  switch (run.kind) {
    case StoreOpKind::read:
    case StoreOpKind::write:
      issue_transfer(handle, run);
      return;
    case StoreOpKind::write_zeroes:
      issue_zeroes(handle, run);
      return;
    case StoreOpKind::flush:
      mapped_.stamp_change();
      op.kind = IoKind::fdatasync;
      op.fd = take_flush_fd(run);
      op.offset_bytes = 0;
      break;
    case StoreOpKind::discard:
      op.kind = IoKind::punch_hole;
      break;
  }
  issued_.push_back(op);
}

// One that no other flush uses, if there is one.
int FileStore::take_flush_fd(Run& run) {
  const auto least = std::min_element(flushes_of_fd_.begin(), flushes_of_fd_.end());
  ++*least;
  run.flush_fd = static_cast<std::uint16_t>(least - flushes_of_fd_.begin());
  return run.flush_fd == 0 ? state_->backing.fd()
                           : state_->backing.more_flush_fds()[run.flush_fd - 1U].get();
}

void FileStore::issue_transfer(SlotHandle handle, Run& run) {
  IoOp op{.cookie = handle.value,
          .kind = run.kind == StoreOpKind::read ? IoKind::readv : IoKind::writev,
          .fd = state_->backing.fd(),
          .offset_bytes = state_->backing.window_offset_bytes() + run.offset_bytes + run.done_bytes,
          .iovecs = rest_of(run)};
  if (run.needs_bounce) {
    if (run.bounce == kNoBounce) {
      if (free_bounces_.empty()) {
        waiting_for_bounce_.push(handle);
        return;
      }
      run.bounce = free_bounces_.back();
      free_bounces_.pop_back();
    }
    std::span<std::byte> bounce = bounce_buffer(run.bounce);
    std::size_t used_bytes = 0;
    for (const iovec& from : op.iovecs) {
      const std::size_t piece_bytes = std::min(from.iov_len, bounce.size() - used_bytes);
      if (run.kind == StoreOpKind::write) {
        copy_bytes(bounce.subspan(used_bytes),
                   std::span(static_cast<const std::byte*>(from.iov_base), piece_bytes));
      }
      used_bytes += piece_bytes;
    }
    run.iovecs[0] = {.iov_base = bounce.data(), .iov_len = used_bytes};
    op.iovecs = std::span(run.iovecs).first(1);
  }
  issued_.push_back(op);
}

void FileStore::issue_zeroes(SlotHandle handle, Run& run) {
  IoOp op{.cookie = handle.value,
          .fd = state_->backing.fd(),
          .offset_bytes = state_->backing.window_offset_bytes() + run.offset_bytes + run.done_bytes,
          .length_bytes = run.length_bytes - run.done_bytes};
  switch (run.zero_method) {
    case ZeroMethod::zero_range:
      op.kind = IoKind::zero_range;
      break;
    case ZeroMethod::punch_hole:
      op.kind = IoKind::punch_hole;
      break;
    case ZeroMethod::write: {
      op.kind = IoKind::writev;
      std::uint64_t left_bytes = op.length_bytes;
      std::size_t count = 0;
      while (left_bytes > 0 && count < run.iovecs.size()) {
        const std::size_t piece_bytes = std::min<std::uint64_t>(left_bytes, kZeroBytes);
        run.iovecs[count++] = {.iov_base = state_->zeros.bytes().data(), .iov_len = piece_bytes};
        left_bytes -= piece_bytes;
      }
      op.iovecs = std::span(run.iovecs).first(count);
      break;
    }
  }
  issued_.push_back(op);
}

void FileStore::flush_issued() {
  if (!issued_.empty()) {
    for (IoOp& op : issued_) {
      op.may_hang = state_->backing.is_remote();
      op.never_waits = state_->backing.is_in_memory();
    }
    engine_.submit(client_, issued_);
    issued_.clear();
  }
}

// The parts from done_bytes on, as iovecs in the run.
std::span<const iovec> FileStore::rest_of(Run& run) const {
  std::uint64_t skip_bytes = run.done_bytes - run.parts_done_bytes;
  std::size_t count = 0;
  for (std::size_t i = run.parts_done; i < run.part_count; ++i) {
    const Part& part = run.parts[i];
    run.iovecs[count++] = {.iov_base = part.data + skip_bytes,
                           .iov_len = part.length_bytes - skip_bytes};
    skip_bytes = 0;
  }
  return std::span(run.iovecs).first(count);
}

std::span<std::byte> FileStore::bounce_buffer(std::uint16_t index) const {
  return state_->bounce_memory.bytes().subspan(index * kBounceBytes, kBounceBytes);
}

// ---- taking results

void FileStore::handle_io_done(std::uint32_t cookie, std::int64_t result) {
  if (cookie == kLookCookie) {
    is_looking_ = false;
    if (result >= 0) {
      info_.size_bytes = state_->backing.window_bytes(state_->status.stx_size);
      mapped_.resize(info_.size_bytes);
    }
    return;
  }
  const SlotHandle handle{cookie};
  Run* run = state_->runs.find(handle);
  AOE_CHECK(run != nullptr, "the engine reports each operation once");
  advance(handle, *run, result);
  flush_issued();
}

void FileStore::advance(SlotHandle handle, Run& run, std::int64_t result) {
  if (result < 0) {
    const int os_errno = static_cast<int>(-result);
    // Interrupted before anything happened. Not so for fdatasync, which may have lost pages
    // already.
    if ((os_errno == EINTR || os_errno == EAGAIN) && run.kind != StoreOpKind::flush &&
        run.interruptions < kInterruptionsMax) {
      ++run.interruptions;
      issue(handle);
      return;
    }
    fail_run(handle, run, os_errno);
    return;
  }
  run.interruptions = 0;
  if (!moves_data(run.kind) && run.kind != StoreOpKind::flush) {
    mapped_.forget(run.offset_bytes, run.length_bytes);
  }
  if (moves_data(run.kind)) {
    advance_transfer(handle, run, static_cast<std::uint64_t>(result));
  } else if (run.kind == StoreOpKind::write_zeroes && run.zero_method == ZeroMethod::write) {
    const std::uint64_t moved_bytes = round_down(static_cast<std::uint64_t>(result));
    run.done_bytes += moved_bytes;
    if (moved_bytes == 0) {
      finish_rest(handle, run, StoreErrc::io);
    } else if (run.done_bytes == run.length_bytes) {
      finish_rest(handle, run, StoreErrc::ok);
    } else {
      issue(handle);
    }
  } else {
    finish_rest(handle, run, StoreErrc::ok);
  }
}

void FileStore::advance_transfer(SlotHandle handle, Run& run, std::uint64_t moved_bytes) {
  if (state_->backing.is_direct()) {
    // The rest starts on a sector again; less than one means that the end is in sight.
    moved_bytes = round_down(moved_bytes);
  }
  if (moved_bytes == 0) {
    // Nothing moved although something was asked for: the end of the backing.
    finish_rest(handle, run, run.kind == StoreOpKind::read ? StoreErrc::truncated : StoreErrc::io);
    return;
  }
  if (run.needs_bounce && run.kind == StoreOpKind::read) {
    std::span<const std::byte> bounce = bounce_buffer(run.bounce).first(moved_bytes);
    for (const iovec& to : rest_of(run)) {
      const std::size_t piece_bytes = std::min(to.iov_len, bounce.size());
      copy_bytes(std::span(static_cast<std::byte*>(to.iov_base), piece_bytes),
                 bounce.first(piece_bytes));
      bounce = bounce.subspan(piece_bytes);
    }
  }
  run.done_bytes += moved_bytes;
  finish_covered_parts(run);
  if (run.parts_done == run.part_count) {
    release(handle);
  } else {
    issue(handle);
  }
}

void FileStore::fail_run(SlotHandle handle, Run& run, int os_errno) {
  if (run.kind == StoreOpKind::write_zeroes && try_next_zero_method(handle, run, os_errno)) {
    return;
  }
  if (run.part_count - run.parts_done > 1) {
    split(handle);
    return;
  }
  finish_rest(handle, run, classify(run, os_errno));
}

// One of several parts failed and the kernel does not say which: each one tries for itself.
void FileStore::split(SlotHandle handle) {
  const Run old = state_->runs.at(handle);
  release(handle);
  std::uint64_t offset_bytes = old.offset_bytes + old.parts_done_bytes;
  for (std::size_t i = old.parts_done; i < old.part_count; ++i) {
    const Part& part = old.parts[i];
    accept({.tag = part.tag,
            .kind = old.kind,
            .offset_bytes = offset_bytes,
            .length_bytes = part.length_bytes,
            .data = std::span(part.data, part.length_bytes)},
           Merging::no);
    offset_bytes += part.length_bytes;
  }
}

bool FileStore::try_next_zero_method(SlotHandle handle, Run& run, int os_errno) {
  if (run.zero_method == ZeroMethod::write) {
    return false;
  }
  if (os_errno == EOPNOTSUPP || os_errno == ENOSYS) {
    const bool may_punch = run.zero_method == ZeroMethod::zero_range && info_.can_discard;
    run.zero_method = may_punch ? ZeroMethod::punch_hole : ZeroMethod::write;
    zero_method_ = std::max(zero_method_, run.zero_method);  // the backing will not learn it
  } else if (os_errno == EINVAL) {
    run.zero_method = ZeroMethod::write;  // not with this range: a device with larger blocks
  } else {
    return false;
  }
  issue(handle);
  return true;
}

StoreErrc FileStore::classify(const Run& run, int os_errno) const {
  if (run.kind == StoreOpKind::flush) {
    return StoreErrc::sync_failed;
  }
  const bool is_write = run.kind != StoreOpKind::read;
  switch (os_errno) {
    case ENOSPC:
      // A block device says so when a write starts behind its end (block/fops.c), a thin one also
      // when its pool is full.
      if (state_->backing.is_block_device()) {
        const auto size_bytes = state_->backing.measure();
        if (size_bytes && run.offset_bytes + run.length_bytes > *size_bytes) {
          return StoreErrc::truncated;
        }
      }
      return StoreErrc::no_space;
    case EDQUOT:
      return StoreErrc::no_space;
    case EROFS:
    case EBADF:
    case EPERM:
    case EACCES:
      return is_write ? StoreErrc::read_only : StoreErrc::io;
    case EOPNOTSUPP:
    case ENOSYS:
      return moves_data(run.kind) ? StoreErrc::io : StoreErrc::unsupported;
    default:
      return StoreErrc::io;
  }
}

// ---- finishing

void FileStore::finish_covered_parts(Run& run) {
  while (run.parts_done < run.part_count) {
    const Part& part = run.parts[run.parts_done];
    if (run.parts_done_bytes + part.length_bytes > run.done_bytes) {
      return;
    }
    finish_part(run, part, StoreErrc::ok, 0);
    run.parts_done_bytes += part.length_bytes;
    ++run.parts_done;
  }
}

// All parts without a completion get this one, and the record goes.
void FileStore::finish_rest(SlotHandle handle, Run& run, StoreErrc status) {
  const std::uint64_t bad_bytes = run.offset_bytes + run.done_bytes;
  while (run.parts_done < run.part_count) {
    const std::uint64_t part_offset_bytes = run.offset_bytes + run.parts_done_bytes;
    const Part& part = run.parts[run.parts_done];
    finish_part(run, part, status,
                status == StoreErrc::ok ? 0 : std::max(part_offset_bytes, bad_bytes));
    run.parts_done_bytes += part.length_bytes;
    ++run.parts_done;
  }
  release(handle);
}

void FileStore::finish_part(const Run& run, const Part& part, StoreErrc status,
                            std::uint64_t error_offset) {
  stats_.count(run.kind, part.length_bytes, status);
  done_.push({.tag = part.tag, .status = status, .error_offset_bytes = error_offset});
}

void FileStore::release(SlotHandle handle) {
  const Run& run = state_->runs.at(handle);
  const std::uint16_t bounce = run.bounce;
  if (run.flush_fd != kNoFlushFd) {
    --flushes_of_fd_[run.flush_fd];
  }
  state_->runs.release(handle);
  if (bounce == kNoBounce) {
    return;
  }
  free_bounces_.push_back(bounce);
  if (!waiting_for_bounce_.empty()) {
    issue(waiting_for_bounce_.pop());
  }
}

}  // namespace aoe::storage
