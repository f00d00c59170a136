#include "storage/integrity_store.h"

#include "base/check.h"
#include "base/ids.h"
#include "storage/op_kinds.h"

#include <algorithm>

namespace aoe::storage {

namespace {

// A request's records at a time; of long discards a window after the other.
constexpr std::uint64_t kWindowRecords = 128;
constexpr std::uint64_t kScrubRecords = 16;  // 448 KiB
constexpr std::uint32_t kOwnOperations = 1;  // the scrub's

constexpr std::uint64_t record_of(std::uint64_t sector) {
  return sector / kSectorsPerRecord;
}

}  // namespace

IntegrityStore::IntegrityStore(std::unique_ptr<BlockStore> next_store,
                               std::unique_ptr<BlockStore> sums, std::uint64_t capacity_sectors)
    : FilterStore(std::move(next_store)),
      capacity_sectors_(capacity_sectors),
      data_(next()),
      sums_(std::move(sums)),
      requests_(info_.in_flight_max),
      done_(info_.in_flight_max) {
  AOE_CHECK(info_.in_flight_max > kOwnOperations, "the scrub needs an operation for itself");
  info_.in_flight_max -= kOwnOperations;
  info_.answers_at_once = false;
  info_.size_bytes = limited(info_.size_bytes);
  for (std::size_t i = requests_.size(); i > 0; --i) {
    free_.push_back(static_cast<std::uint16_t>(i - 1));
  }
}

std::string IntegrityStore::describe() const {
  return next().describe() + " (checksums)";
}

std::uint64_t IntegrityStore::limited(std::uint64_t size_bytes) const {
  return std::min(size_bytes, capacity_sectors_ * kSectorBytes);
}

Result<std::uint64_t> IntegrityStore::refresh() {
  AOE_TRY_ASSIGN(const std::uint64_t size_bytes, next().refresh());
  info_.size_bytes = limited(size_bytes);
  return info_.size_bytes;
}

std::uint64_t IntegrityStore::look_at_size() {
  info_.size_bytes = limited(next().look_at_size());
  return info_.size_bytes;
}

// ---- the turn

std::uint16_t IntegrityStore::acquire() {
  AOE_CHECK(!free_.empty(), "the number of operations in flight is bounded by the submitter");
  const std::uint16_t slot = free_.back();
  free_.pop_back();
  Request& request = requests_[slot];
  request.is_in_use = true;
  request.is_scrub = false;
  request.step = Step::waiting;
  request.parts_left = 0;
  request.status = StoreErrc::ok;
  request.sums_status = StoreErrc::ok;
  request.error_offset_bytes = 0;
  return slot;
}

void IntegrityStore::submit(Instant now, std::span<const StoreOp> ops) {
  now_ = now;
  for (const StoreOp& op : ops) {
    const std::uint16_t slot = acquire();
    Request& request = requests_[slot];
    request.op = op;
    if (op.kind == StoreOpKind::flush) {
      request.step = Step::changing;
      request.parts_left = 1;
      data_.add({.kind = StoreOpKind::flush, .data = {}}, slot);
      continue;
    }
    request.first = op.offset_bytes / kSectorBytes;
    request.count = std::min(op.length_bytes / kSectorBytes, kWindowRecords * kSectorsPerRecord);
    waiting_.push_back(slot);
  }
  try_begin();
  (void)data_.flush(now);
  (void)sums_.flush(now);
}

std::size_t IntegrityStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  now_ = now;
  bool progress = true;
  while (progress) {
    finished_.clear();
    data_.collect(now, finished_);
    progress = !finished_.empty();
    for (const LowerDone& done : finished_) {
      take(done, false);
    }
    finished_.clear();
    sums_.collect(now, finished_);
    progress = progress || !finished_.empty();
    for (const LowerDone& done : finished_) {
      take(done, true);
    }
    progress = step_scrub() || progress;
    progress = data_.flush(now) || progress;
    progress = sums_.flush(now) || progress;
  }
  return done_.take(out);
}

std::optional<Instant> IntegrityStore::poll_timeout() const {
  std::optional<Instant> next_look = next().poll_timeout();
  if (scrub_.state == ScrubState::running && !is_scrubbing_window_ && !is_stopped_ &&
      (!next_look || scrub_next_ < *next_look)) {
    next_look = scrub_next_;
  }
  return next_look;
}

bool IntegrityStore::is_working() const {
  return FilterStore::is_working() || data_.outstanding() > 0 || sums_.outstanding() > 0 ||
         is_scrubbing_window_ || (scrub_.state == ScrubState::running && !is_stopped_);
}

void IntegrityStore::stop_working() {
  is_stopped_ = true;
  FilterStore::stop_working();
}

void IntegrityStore::take(const LowerDone& done, bool is_sums) {
  const auto slot = static_cast<std::uint16_t>(done.note);
  Request& request = requests_[slot];
  if (done.completion.status != StoreErrc::ok) {
    StoreErrc& status = is_sums ? request.sums_status : request.status;
    if (status == StoreErrc::ok) {
      status = done.completion.status;
      if (!is_sums) {
        request.error_offset_bytes = done.completion.error_offset_bytes;
      }
    }
  }
  if (--request.parts_left == 0) {
    advance(slot);
  }
}

// ---- order

bool IntegrityStore::conflicts(const Request& a, const Request& b) const {
  const bool both_read = !a.is_scrub && !b.is_scrub && a.op.kind == StoreOpKind::read &&
                         b.op.kind == StoreOpKind::read;
  return !both_read && a.count > 0 && b.count > 0 &&
         record_of(a.first) <= record_of(b.first + b.count - 1) &&
         record_of(b.first) <= record_of(a.first + a.count - 1);
}

// Starts what waits, in order: nobody overtakes an earlier one on the same records.
void IntegrityStore::try_begin() {
  for (std::size_t i = 0; i < waiting_.size();) {
    const std::uint16_t slot = waiting_[i];
    const Request& request = requests_[slot];
    bool is_free = true;
    for (std::size_t other = 0; other < requests_.size() && is_free; ++other) {
      const Request& running = requests_[other];
      is_free = !running.is_in_use || other == slot || running.step == Step::waiting ||
                running.op.kind == StoreOpKind::flush || !conflicts(request, running);
    }
    for (std::size_t earlier = 0; earlier < i && is_free; ++earlier) {
      is_free = !conflicts(request, requests_[waiting_[earlier]]);
    }
    if (!is_free) {
      ++i;
      continue;
    }
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    start_window(slot);
  }
}

// ---- a request, window by window

void IntegrityStore::start_window(std::uint16_t slot) {
  Request& request = requests_[slot];
  request.step = Step::loading;
  if (request.count == 0) {
    finish(slot);
    return;
  }
  load(slot);
}

void IntegrityStore::load(std::uint16_t slot) {
  Request& request = requests_[slot];
  const std::uint64_t first_record = record_of(request.first);
  const std::uint64_t records = record_of(request.first + request.count - 1) - first_record + 1;
  request.record_bytes.resize(records * kIntegrityRecordBytes);
  request.parts_left = 1;
  sums_.add({.kind = StoreOpKind::read,
             .offset_bytes = kIntegrityRecordsAtBytes + first_record * kIntegrityRecordBytes,
             .length_bytes = request.record_bytes.size(),
             .data = request.record_bytes},
            slot);
  if (request.is_scrub) {
    request.data.resize(request.count * kSectorBytes);
    submit_data(slot, StoreOpKind::read, request.data);
  } else if (request.op.kind == StoreOpKind::read) {
    submit_data(slot, StoreOpKind::read, data_of(request));
  }
}

// The bytes of the window in the request's own memory.
ByteSpan IntegrityStore::data_of(Request& request) const {
  return request.op.data.subspan(request.first * kSectorBytes - request.op.offset_bytes,
                                 request.count * kSectorBytes);
}

void IntegrityStore::submit_data(std::uint16_t slot, StoreOpKind kind, ByteSpan data) {
  Request& request = requests_[slot];
  ++request.parts_left;
  data_.add({.kind = kind,
             .durability = kind == StoreOpKind::read ? Durability::visible : Durability::stable,
             .offset_bytes = request.first * kSectorBytes,
             .length_bytes = request.count * kSectorBytes,
             .data = data},
            slot);
}

void IntegrityStore::decode_records(Request& request) {
  const std::uint64_t first_record = record_of(request.first);
  const std::size_t count = request.record_bytes.size() / kIntegrityRecordBytes;
  request.records.assign(count, {});
  for (std::size_t i = 0; i < count && request.sums_status == StoreErrc::ok; ++i) {
    const auto record =
        decode_integrity_record(ConstByteSpan(request.record_bytes)
                                    .subspan(i * kIntegrityRecordBytes, kIntegrityRecordBytes),
                                first_record + i);
    if (record) {
      request.records[i] = *record;
    } else {
      ++integrity_.damaged_records;
    }
  }
  if (request.sums_status != StoreErrc::ok) {
    ++integrity_.damaged_records;
  }
}

IntegrityRecord::Sums& IntegrityStore::sums_of(Request& request, std::uint64_t sector) const {
  return request.records[record_of(sector) - record_of(request.first)]
      .sectors[sector % kSectorsPerRecord];
}

void IntegrityStore::advance(std::uint16_t slot) {
  Request& request = requests_[slot];
  switch (request.step) {
    case Step::waiting:
      AOE_CHECK(false, "what waits has nothing under way");
      return;
    case Step::loading:
      loaded(slot);
      return;
    case Step::resolving:
      if (request.status != StoreErrc::ok) {
        finish(slot);
        return;
      }
      resolve(request);
      announce(slot);
      return;
    case Step::announcing:
      if (request.sums_status != StoreErrc::ok) {
        // Nothing was changed. Without its sum it may not be.
        request.status = request.sums_status;
        request.error_offset_bytes = request.first * kSectorBytes;
        finish(slot);
        return;
      }
      change(slot);
      return;
    case Step::changing:
      if (request.status != StoreErrc::ok || request.op.kind == StoreOpKind::flush) {
        finish(slot);
        return;
      }
      settle(slot);
      return;
    case Step::settling:
      // Both sums stand there if this failed: nothing is lost by it.
      request.sums_status = StoreErrc::ok;
      window_ended(slot);
      return;
  }
}

void IntegrityStore::loaded(std::uint16_t slot) {
  Request& request = requests_[slot];
  decode_records(request);
  if (request.is_scrub) {
    check_scrub(slot);
    return;
  }
  if (request.op.kind == StoreOpKind::read) {
    request.sums_status = StoreErrc::ok;
    if (request.status == StoreErrc::ok) {
      check_read(request);
    }
    if (request.status != StoreErrc::ok) {
      finish(slot);
      return;
    }
    window_ended(slot);
    return;
  }
  if (request.sums_status != StoreErrc::ok) {
    request.status = request.sums_status;
    request.error_offset_bytes = request.first * kSectorBytes;
    finish(slot);
    return;
  }
  bool is_unresolved = false;
  for (std::uint64_t s = request.first; s < request.first + request.count; ++s) {
    is_unresolved = is_unresolved || sums_of(request, s).next != kSumUnknown;
  }
  if (!is_unresolved) {
    announce(slot);
    return;
  }
  // Of two sums only one may stay, or there would be three.
  request.step = Step::resolving;
  request.data.resize(request.count * kSectorBytes);
  submit_data(slot, StoreOpKind::read, request.data);
}

void IntegrityStore::resolve(Request& request) const {
  for (std::uint64_t i = 0; i < request.count; ++i) {
    IntegrityRecord::Sums& sums = sums_of(request, request.first + i);
    if (sums.next != kSumUnknown &&
        sums.next ==
            sector_sum(ConstByteSpan(request.data).subspan(i * kSectorBytes, kSectorBytes))) {
      sums.now = sums.next;
    }
    sums.next = kSumUnknown;
  }
}

void IntegrityStore::announce(std::uint16_t slot) {
  Request& request = requests_[slot];
  request.step = Step::announcing;
  const bool is_write = request.op.kind == StoreOpKind::write;
  const bool reads_zero =
      request.op.kind == StoreOpKind::write_zeroes || next().info().discard_reads_zero;
  const ConstByteSpan data = is_write ? data_of(request) : ByteSpan{};
  for (std::uint64_t i = 0; i < request.count; ++i) {
    IntegrityRecord::Sums& sums = sums_of(request, request.first + i);
    if (is_write) {
      sums.next = sector_sum(data.subspan(i * kSectorBytes, kSectorBytes));
    } else if (reads_zero) {
      sums.next = zero_sector_sum();
    } else {
      sums = {};
    }
  }
  write_records(slot, Durability::stable);
}

void IntegrityStore::write_records(std::uint16_t slot, Durability durability) {
  Request& request = requests_[slot];
  const std::uint64_t first_record = record_of(request.first);
  for (std::size_t i = 0; i < request.records.size(); ++i) {
    encode_integrity_record(
        request.records[i], first_record + i,
        ByteSpan(request.record_bytes).subspan(i * kIntegrityRecordBytes, kIntegrityRecordBytes));
  }
  ++request.parts_left;
  sums_.add({.kind = StoreOpKind::write,
             .durability = durability,
             .offset_bytes = kIntegrityRecordsAtBytes + first_record * kIntegrityRecordBytes,
             .length_bytes = request.record_bytes.size(),
             .data = request.record_bytes},
            slot);
}

void IntegrityStore::change(std::uint16_t slot) {
  Request& request = requests_[slot];
  request.step = Step::changing;
  submit_data(slot, request.op.kind,
              request.op.kind == StoreOpKind::write ? data_of(request) : ByteSpan{});
}

void IntegrityStore::settle(std::uint16_t slot) {
  Request& request = requests_[slot];
  request.step = Step::settling;
  for (std::uint64_t s = request.first; s < request.first + request.count; ++s) {
    IntegrityRecord::Sums& sums = sums_of(request, s);
    if (sums.next != kSumUnknown) {
      sums = {.now = sums.next, .next = kSumUnknown};
    }
  }
  write_records(slot, Durability::visible);
}

void IntegrityStore::window_ended(std::uint16_t slot) {
  Request& request = requests_[slot];
  const std::uint64_t end = (request.op.offset_bytes + request.op.length_bytes) / kSectorBytes;
  const std::uint64_t at = request.first + request.count;
  if (request.is_scrub || at >= end) {
    finish(slot);
    return;
  }
  request.first = at;
  request.count = std::min(end - at, kWindowRecords * kSectorsPerRecord);
  request.step = Step::waiting;
  waiting_.push_back(slot);
  try_begin();
}

void IntegrityStore::check_read(Request& request) {
  const ConstByteSpan data = data_of(request);
  for (std::uint64_t i = 0; i < request.count; ++i) {
    const std::uint64_t sector = request.first + i;
    const IntegrityRecord& record = request.records[record_of(sector) - record_of(request.first)];
    const std::uint64_t place = sector % kSectorsPerRecord;
    if (record.sectors[place].now == kSumUnknown) {
      continue;
    }
    ++integrity_.checked_sectors;
    if (!record.accepts(place, sector_sum(data.subspan(i * kSectorBytes, kSectorBytes)))) {
      ++integrity_.rotten_sectors;
      integrity_.last_rotten_sector = sector;
      request.status = StoreErrc::rotten;
      request.error_offset_bytes = sector * kSectorBytes;
      return;
    }
  }
}

void IntegrityStore::finish(std::uint16_t slot) {
  Request& request = requests_[slot];
  request.is_in_use = false;
  free_.push_back(slot);
  if (request.is_scrub) {
    finish_scrub_window(request);
  } else {
    done_.push({.tag = request.op.tag,
                .status = request.status,
                .error_offset_bytes =
                    request.status == StoreErrc::ok
                        ? 0
                        : std::max(request.error_offset_bytes, request.op.offset_bytes)});
  }
  try_begin();
}

// ---- scrub

void IntegrityStore::begin_scrub(std::uint64_t bytes_per_second) {
  scrub_bytes_per_second_ = bytes_per_second;
  scrub_next_ = now_;
  if (scrub_.state != ScrubState::running) {
    scrub_ = {.state = ScrubState::running, .total = info_.size_bytes / kSectorBytes};
  }
}

void IntegrityStore::stop_scrub() {
  if (scrub_.state == ScrubState::running) {
    scrub_.state = ScrubState::stopped;
  }
}

bool IntegrityStore::step_scrub() {
  if (scrub_.state != ScrubState::running || is_scrubbing_window_ || is_stopped_ ||
      now_ < scrub_next_) {
    return false;
  }
  scrub_.total = info_.size_bytes / kSectorBytes;
  if (scrub_.position >= scrub_.total) {
    scrub_.state = ScrubState::done;
    return false;
  }
  is_scrubbing_window_ = true;
  const std::uint16_t slot = acquire();
  Request& request = requests_[slot];
  request.is_scrub = true;
  request.op = {.kind = StoreOpKind::read, .data = {}};
  request.first = scrub_.position;
  // Windows end with records: only whole ones are written back.
  const std::uint64_t end = (record_of(request.first) + kScrubRecords) * kSectorsPerRecord;
  request.count = std::min(end, scrub_.total) - request.first;
  waiting_.push_back(slot);
  try_begin();
  return true;
}

void IntegrityStore::check_scrub(std::uint16_t slot) {
  Request& request = requests_[slot];
  if (request.status != StoreErrc::ok || request.sums_status != StoreErrc::ok) {
    scrub_.error = request.status != StoreErrc::ok ? request.status : request.sums_status;
    finish(slot);
    return;
  }
  std::uint64_t learned = 0;
  for (std::uint64_t i = 0; i < request.count; ++i) {
    const std::uint64_t sector = request.first + i;
    IntegrityRecord::Sums& sums = sums_of(request, sector);
    const std::uint32_t sum =
        sector_sum(ConstByteSpan(request.data).subspan(i * kSectorBytes, kSectorBytes));
    if (sums.now == kSumUnknown) {
      sums = {.now = sum, .next = kSumUnknown};
      ++learned;
      continue;
    }
    ++integrity_.checked_sectors;
    if (sums.now == sum || (sums.next != kSumUnknown && sums.next == sum)) {
      continue;
    }
    ++integrity_.rotten_sectors;
    integrity_.last_rotten_sector = sector;
    ++scrub_.rotten_sectors;
    if (scrub_.first_rotten.size() < kRottenKept) {
      scrub_.first_rotten.push_back(sector);
    }
  }
  scrub_.learned_sectors += learned;
  if (learned == 0) {
    finish(slot);
    return;
  }
  request.step = Step::settling;
  write_records(slot, Durability::stable);  // nobody learns it again
}

void IntegrityStore::finish_scrub_window(Request& request) {
  is_scrubbing_window_ = false;
  scrub_.position = std::max(scrub_.position, request.first + request.count);
  if (scrub_bytes_per_second_ != 0) {
    constexpr std::uint64_t kSecondNs = 1'000'000'000;
    const std::uint64_t pause_ns =
        request.count * kSectorBytes * kSecondNs / scrub_bytes_per_second_;
    scrub_next_ = std::max(scrub_next_, now_) + Duration{static_cast<std::int64_t>(pause_ns)};
  }
}

}  // namespace aoe::storage
