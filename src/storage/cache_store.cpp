#include "storage/cache_store.h"

#include "base/bytes.h"
#include "base/ids.h"
#include "base/parse.h"
#include "storage/op_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::storage {

namespace {

constexpr std::uint64_t kBlockBytes = BlockCache::kBlockBytes;
// A discard may cover a whole disk.
constexpr std::uint64_t kPrefetchBlocksMax = 16;

// The part of a range that lies in one block.
struct Piece {
  std::uint64_t block = 0;
  std::uint64_t in_block_bytes = 0;
  std::uint64_t length_bytes = 0;
  std::uint8_t sectors = 0;
};

// The piece of [begin, end) that lies in its first block.
Piece first_piece(std::uint64_t begin_bytes, std::uint64_t end_bytes) {
  Piece piece;
  piece.block = begin_bytes / kBlockBytes;
  piece.in_block_bytes = begin_bytes % kBlockBytes;
  piece.length_bytes = std::min(kBlockBytes - piece.in_block_bytes, end_bytes - begin_bytes);
  const auto first = static_cast<unsigned>(piece.in_block_bytes / kSectorBytes);
  const auto count = static_cast<unsigned>(piece.length_bytes / kSectorBytes);
  piece.sectors = static_cast<std::uint8_t>(((1U << count) - 1U) << first);
  return piece;
}

// Calls `visit` with the piece of each block of [begin, end), and where it begins in the range,
// until one returns false; whether all returned true.
template <class Visit>
bool for_each_piece(std::uint64_t begin_bytes, std::uint64_t end_bytes, Visit visit) {
  for (std::uint64_t at = begin_bytes; at < end_bytes;) {
    const Piece piece = first_piece(at, end_bytes);
    if (!visit(piece, at - begin_bytes)) {
      return false;
    }
    at += piece.length_bytes;
  }
  return true;
}

std::uint64_t end_of(const StoreOp& op) {
  return op.offset_bytes + op.length_bytes;
}

// The compiler sees that a piece is no longer than a block, and would copy it with "rep movs",
// which takes longer than the library's way: it is not to know.
void copy_piece(ByteSpan to, ConstByteSpan from) {
  std::size_t size_bytes = from.size();
  asm("" : "+r"(size_bytes));
  copy_bytes(to, ConstByteSpan(from.data(), size_bytes));
}

template <class Visit>
void for_each_block(const StoreOp& op, Visit visit) {
  const std::uint64_t begin = op.offset_bytes / kBlockBytes;
  const std::uint64_t end = (end_of(op) + kBlockBytes - 1) / kBlockBytes;
  for (std::uint64_t block = begin; block < std::min(end, begin + kPrefetchBlocksMax); ++block) {
    visit(block);
  }
}

}  // namespace

Result<std::unique_ptr<CacheStore>> CacheStore::make(std::unique_ptr<BlockStore> next,
                                                     std::uint64_t size_bytes) {
  AOE_TRY_ASSIGN(BlockCache cache, BlockCache::make(size_bytes, next->describe()));
  return std::unique_ptr<CacheStore>(new CacheStore(std::move(next), std::move(cache), size_bytes));
}

CacheStore::CacheStore(std::unique_ptr<BlockStore> next, BlockCache cache, std::uint64_t size_bytes)
    : FilterStore(std::move(next)),
      lower_(this->next()),
      cache_(std::move(cache)),
      cache_bytes_(size_bytes),
      requests_(info_.in_flight_max),
      handles_(info_.in_flight_max),
      fills_(std::size_t{info_.in_flight_max} + kReadAheadFillsMax),
      done_(info_.in_flight_max) {
  free_fills_.reserve(fills_.size());
  for (auto index = static_cast<std::uint32_t>(fills_.size()); index > 0; --index) {
    free_fills_.push_back(index - 1);
  }
  changes_.reserve(info_.in_flight_max);
  arrived_.reserve(info_.in_flight_max);
}

std::string CacheStore::describe() const {
  return fmt::format("{} + cache of {}", next().describe(), format_size(cache_bytes_));
}

StoreStats CacheStore::stats() const {
  StoreStats stats = next().stats();
  stats.cache_hits = hits_;
  stats.cache_misses = misses_;
  stats.cache_read_ahead_blocks = read_ahead_blocks_;
  stats.cache_evictions = cache_.evictions();
  stats.cache_used_bytes = cache_.used() * kBlockBytes;
  return stats;
}

void CacheStore::prefetch_way(const StoreOp& op) const {
  for_each_block(op, [this](std::uint64_t block) { cache_.prefetch_bucket(block); });
}

void CacheStore::prefetch_data(const StoreOp& op) const {
  for_each_piece(op.offset_bytes, end_of(op), [this](const Piece& piece, std::uint64_t at) {
    cache_.prefetch_block(piece.block, piece.in_block_bytes, piece.length_bytes);
    return at < kPrefetchBlocksMax * kBlockBytes;
  });
}

void CacheStore::submit(Instant now, std::span<const StoreOp> ops) {
  for (const StoreOp& op : ops) {
    if (op.kind == StoreOpKind::read && try_answer(op)) {
      continue;
    }
    const SlotHandle handle = requests_.acquire();
    handles_[handle.value & 0xFFFFU] = handle;
    requests_.at(handle) = {.op = op};
    if (op.kind == StoreOpKind::read) {
      begin_read(handle);
    } else if (changes_data(op.kind)) {
      begin_change(handle);
    } else {
      pass_down(handle);
    }
  }
  (void)lower_.flush(now);
}

std::size_t CacheStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  do {
    arrived_.clear();
    lower_.collect(now, arrived_);
    for (const LowerDone& arrived : arrived_) {
      if ((arrived.note & kRequestNote) == 0) {
        end_fill(arrived.note, arrived.completion.status);
        continue;
      }
      const SlotHandle handle = handles_[arrived.note & ~kRequestNote];
      if (changes_data(requests_.at(handle).op.kind)) {
        end_change(handle, arrived.completion);
      }
      finish(handle, arrived.completion.status, arrived.completion.error_offset_bytes);
    }
  } while (lower_.flush(now) || !arrived_.empty());
  return done_.take(out);
}

void CacheStore::pass_down(SlotHandle handle) {
  lower_.add(requests_.at(handle).op, kRequestNote | (handle.value & 0xFFFFU));
}

void CacheStore::finish(SlotHandle handle, StoreErrc status, std::uint64_t error_offset_bytes) {
  done_.push({.tag = requests_.at(handle).op.tag,
              .status = status,
              .error_offset_bytes = error_offset_bytes});
  requests_.release(handle);
}

// ---- reads

bool CacheStore::is_held(const StoreOp& op) const {
  return for_each_piece(op.offset_bytes, end_of(op), [this](const Piece& piece, std::uint64_t) {
    return has_sectors(cache_.find(piece.block), piece.sectors);
  });
}

bool CacheStore::has_sectors(std::uint32_t place, std::uint8_t sectors) const {
  return place != kNone && cache_.pin(place) == kNone && (cache_.valid(place) & sectors) == sectors;
}

void CacheStore::copy_out(const StoreOp& op, Counts counts) {
  for_each_piece(op.offset_bytes, end_of(op), [&](const Piece& piece, std::uint64_t at) {
    const std::uint32_t place = cache_.find(piece.block);
    if (counts == Counts::yes) {
      cache_.touch(place);
    }
    copy_piece(op.data.subspan(at, piece.length_bytes),
               cache_.bytes(place).subspan(piece.in_block_bytes, piece.length_bytes));
    return true;
  });
}

// Answers the read if all of it is here, with nothing but a look-up and a copy.
bool CacheStore::try_answer(const StoreOp& op) {
  if (end_of(op) > info_.size_bytes) {
    return false;
  }
  const Piece piece = first_piece(op.offset_bytes, end_of(op));
  if (piece.length_bytes == op.length_bytes) {
    // Most lie in one block, which is looked up once.
    const std::uint32_t place = cache_.find(piece.block);
    if (!has_sectors(place, piece.sectors)) {
      return false;
    }
    cache_.touch(place);
    copy_piece(op.data, cache_.bytes(place).subspan(piece.in_block_bytes, piece.length_bytes));
  } else if (is_held(op)) {
    copy_out(op, Counts::yes);
  } else {
    return false;
  }
  ++hits_;
  read_ahead(op);
  done_.push({.tag = op.tag});
  return true;
}

// One that was not answered at once.
void CacheStore::begin_read(SlotHandle handle) {
  const StoreOp op = requests_.at(handle).op;
  if (end_of(op) > info_.size_bytes) {
    pass_down(handle);  // the store below knows what to say
    return;
  }
  ++misses_;
  read_on(handle);
  read_ahead(op);
}

// Answers the read if all of it is there by now; otherwise sees to it that it will be, or, where
// that cannot be promised, leaves it to the store below.
void CacheStore::read_on(SlotHandle handle) {
  Request& request = requests_.at(handle);
  const StoreOp& op = request.op;
  if (is_held(op)) {
    copy_out(op, Counts::no);
    finish(handle, StoreErrc::ok, 0);
    return;
  }
  if (++request.attempts > kAttemptsMax || is_changing(op.offset_bytes, end_of(op))) {
    pass_down(handle);
    return;
  }
  std::uint32_t waits_for = kNone;
  const bool will_be_held =
      for_each_piece(op.offset_bytes, end_of(op), [&](const Piece& piece, std::uint64_t) {
        const std::uint32_t place = cache_.find(piece.block);
        std::uint32_t fill = place == kNone ? kNone : cache_.pin(place);
        if (fill == kNone) {
          if (place != kNone && (cache_.valid(place) & piece.sectors) == piece.sectors) {
            return true;
          }
          fill = start_fill(piece.block, false);
        }
        if (fill == kNone || (fills_[fill].stale & piece.sectors) != 0) {
          return false;
        }
        waits_for = waits_for == kNone ? fill : waits_for;
        return true;
      });
  if (!will_be_held) {
    pass_down(handle);
    return;
  }
  // Waits for one block at a time; the others arrive meanwhile.
  request.next_waiter = fills_[waits_for].waiters;
  fills_[waits_for].waiters = handle.value & 0xFFFFU;
}

std::uint32_t CacheStore::start_fill(std::uint64_t block, bool is_read_ahead) {
  if (free_fills_.empty()) {
    return kNone;
  }
  std::uint32_t place = cache_.find(block);
  if (place == kNone) {
    place = cache_.insert(block);
    if (place == kNone) {
      return kNone;
    }
  }
  const std::uint32_t index = free_fills_.back();
  free_fills_.pop_back();
  ++fills_in_use_;
  const std::uint64_t offset_bytes = block * kBlockBytes;
  const ByteSpan data =
      cache_.bytes(place).first(std::min(kBlockBytes, info_.size_bytes - offset_bytes));
  fills_[index] = {.place = place,
                   .sectors = static_cast<std::uint8_t>((1U << data.size() / kSectorBytes) - 1U),
                   .stale = sectors_changing(block),
                   .is_read_ahead = is_read_ahead};
  cache_.set_pin(place, index);
  lower_.add({.kind = StoreOpKind::read,
              .offset_bytes = offset_bytes,
              .length_bytes = data.size(),
              .data = data},
             index);
  return index;
}

void CacheStore::end_fill(std::uint32_t index, StoreErrc status) {
  const Fill fill = fills_[index];
  cache_.set_pin(fill.place, kNone);
  --fills_in_use_;
  free_fills_.push_back(index);
  read_ahead_fills_ -= fill.is_read_ahead ? 1 : 0;
  if (status == StoreErrc::ok) {
    // Sectors that were held before were read once more, and are the same unless they are stale.
    cache_.set_valid(fill.place, static_cast<std::uint8_t>(fill.sectors & ~unsigned{fill.stale}));
  } else {
    cache_.remove(fill.place);
  }
  for (std::uint32_t waiter = fill.waiters; waiter != kNone;) {
    const SlotHandle handle = handles_[waiter];
    waiter = requests_.at(handle).next_waiter;
    if (status == StoreErrc::ok) {
      read_on(handle);
    } else {
      pass_down(handle);  // finds out which sector it is, or has more luck
    }
  }
}

void CacheStore::read_ahead(const StoreOp& op) {
  const BlockRange advice = read_ahead_.advise(
      {op.offset_bytes / kBlockBytes, (end_of(op) + kBlockBytes - 1) / kBlockBytes});
  const std::uint64_t blocks = (info_.size_bytes + kBlockBytes - 1) / kBlockBytes;
  for (std::uint64_t block = advice.begin; block < std::min(advice.end, blocks); ++block) {
    if (!may_read_ahead_ || read_ahead_fills_ == kReadAheadFillsMax) {
      return;
    }
    if (cache_.find(block) == kNone && start_fill(block, true) != kNone) {
      ++read_ahead_fills_;
      ++read_ahead_blocks_;
    }
  }
}

// ---- changes

void CacheStore::begin_change(SlotHandle handle) {
  Request& request = requests_.at(handle);
  const std::uint64_t begin_bytes = request.op.offset_bytes;
  const std::uint64_t end_bytes = end_of(request.op);
  for (const Change& other : changes_) {
    if (begin_bytes < other.end_bytes && other.begin_bytes < end_bytes) {
      request.is_overlapped = true;
      requests_.at(other.request).is_overlapped = true;
    }
  }
  changes_.push_back({begin_bytes, end_bytes, handle});
  forget(begin_bytes, end_bytes);
  pass_down(handle);
}

void CacheStore::end_change(SlotHandle handle, const StoreCompletion& done) {
  const auto mine = std::find_if(changes_.begin(), changes_.end(), [handle](const Change& change) {
    return change.request.value == handle.value;
  });
  AOE_CHECK(mine != changes_.end(), "a change ends once");
  *mine = changes_.back();
  changes_.pop_back();
  const Request& request = requests_.at(handle);
  if (done.status == StoreErrc::ok && request.op.kind == StoreOpKind::write &&
      !request.is_overlapped) {
    keep(request.op);
  }
}

void CacheStore::keep(const StoreOp& op) {
  for_each_piece(op.offset_bytes, end_of(op), [&](const Piece& piece, std::uint64_t at) {
    std::uint32_t place = cache_.find(piece.block);
    if (place == kNone) {
      place = cache_.insert(piece.block);
    }
    // One that is being read is overwritten by what comes: its new sectors stay stale.
    if (place != kNone && cache_.pin(place) == kNone) {
      copy_piece(cache_.bytes(place).subspan(piece.in_block_bytes, piece.length_bytes),
                 op.data.subspan(at, piece.length_bytes));
      cache_.set_valid(place, cache_.valid(place) | piece.sectors);
    }
    return true;
  });
}

void CacheStore::forget(std::uint64_t begin_bytes, std::uint64_t end_bytes) {
  if (end_bytes - begin_bytes > cache_.places() * kBlockBytes) {
    // A discard of a whole disk has more blocks than the cache has places.
    for (std::uint32_t place = 0; place < cache_.places(); ++place) {
      if (!cache_.has_block(place)) {
        continue;
      }
      const std::uint64_t at = cache_.block(place) * kBlockBytes;
      for_each_piece(std::max(begin_bytes, at), std::min(end_bytes, at + kBlockBytes),
                     [&](const Piece& piece, std::uint64_t) {
                       forget_sectors(place, piece.sectors);
                       return true;
                     });
    }
    return;
  }
  for_each_piece(begin_bytes, end_bytes, [this](const Piece& piece, std::uint64_t) {
    if (const std::uint32_t place = cache_.find(piece.block); place != kNone) {
      forget_sectors(place, piece.sectors);
    }
    return true;
  });
}

void CacheStore::forget_sectors(std::uint32_t place, std::uint8_t sectors) {
  cache_.set_valid(place, static_cast<std::uint8_t>(cache_.valid(place) & ~unsigned{sectors}));
  if (const std::uint32_t fill = cache_.pin(place); fill != kNone) {
    fills_[fill].stale = static_cast<std::uint8_t>(fills_[fill].stale | sectors);
  }
}

std::uint8_t CacheStore::sectors_changing(std::uint64_t block) const {
  const std::uint64_t begin_bytes = block * kBlockBytes;
  unsigned sectors = 0;
  for (const Change& change : changes_) {
    for_each_piece(std::max(begin_bytes, change.begin_bytes),
                   std::min(begin_bytes + kBlockBytes, change.end_bytes),
                   [&sectors](const Piece& piece, std::uint64_t) {
                     sectors |= piece.sectors;
                     return true;
                   });
  }
  return static_cast<std::uint8_t>(sectors);
}

bool CacheStore::is_changing(std::uint64_t begin_bytes, std::uint64_t end_bytes) const {
  return std::any_of(changes_.begin(), changes_.end(), [&](const Change& change) {
    return begin_bytes < change.end_bytes && change.begin_bytes < end_bytes;
  });
}

// ---- size

Result<std::uint64_t> CacheStore::refresh() {
  const std::uint64_t before_bytes = info_.size_bytes;
  AOE_TRY(FilterStore::refresh());
  take_size(before_bytes);
  return info_.size_bytes;
}

std::uint64_t CacheStore::look_at_size() {
  const std::uint64_t before_bytes = info_.size_bytes;
  (void)FilterStore::look_at_size();
  take_size(before_bytes);
  return info_.size_bytes;
}

void CacheStore::take_size(std::uint64_t before_bytes) {
  if (info_.size_bytes < before_bytes) {
    forget(info_.size_bytes, before_bytes);
  }
}

}  // namespace aoe::storage
