// A store whose content is checked against checksums that lie in another one.
#pragma once

#include "storage/completion_queue.h"
#include "storage/filter_store.h"
#include "storage/integrity_format.h"
#include "storage/lower_store.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace aoe::storage {

struct IntegrityStats {
  std::uint64_t checked_sectors = 0;  // that had a sum
  std::uint64_t rotten_sectors = 0;   // counted whenever they are met
  std::uint64_t damaged_records = 0;  // of the sums themselves
  std::uint64_t last_rotten_sector = 0;
};

enum class ScrubState : std::uint8_t { never, running, stopped, done };

struct ScrubStatus {
  ScrubState state = ScrubState::never;
  std::uint64_t position = 0;  // sectors below it were looked at
  std::uint64_t total = 0;
  std::uint64_t rotten_sectors = 0;
  std::uint64_t learned_sectors = 0;  // had no sum, and have one now
  StoreErrc error = StoreErrc::ok;    // of a read that failed without a sum's help: it went on
  std::vector<std::uint64_t> first_rotten{};  // at most kRottenKept
};

// A change goes like this, and is acknowledged as stable whatever was asked for:
//
//     sums: now A, next B -> stable -> data -> stable -> answer; sums: now B
//
// so that a power cut leaves a sector whose content fits one of its two sums. A read fails with
// `rotten` at the first sector that fits none. Sectors that nobody has summed up yet are believed;
// a scrub sums them up.
//
// Both stores give Durability::stable themselves (GroupCommitStore). Changes of the same 28 KiB
// wait for each other. Single thread.
class IntegrityStore final : public FilterStore {
 public:
  static constexpr std::size_t kRottenKept = 64;

  // `sums`: the file, all of it, with room for `capacity_sectors`: the store's size beyond it is
  // not served.
  IntegrityStore(std::unique_ptr<BlockStore> next, std::unique_ptr<BlockStore> sums,
                 std::uint64_t capacity_sectors);

  [[nodiscard]] std::string describe() const override;
  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;
  [[nodiscard]] std::optional<Instant> poll_timeout() const override;
  [[nodiscard]] bool is_working() const override;
  void stop_working() override;
  Result<std::uint64_t> refresh() override;
  std::uint64_t look_at_size() override;

  // Looks at every sector, from the first on; goes on as it is when one runs. 0: as fast as it
  // goes.
  void begin_scrub(std::uint64_t bytes_per_second);
  void stop_scrub();

  [[nodiscard]] const ScrubStatus& scrub() const { return scrub_; }

  [[nodiscard]] const IntegrityStats& integrity() const { return integrity_; }

 private:
  // What a request waits for.
  enum class Step : std::uint8_t {
    waiting,     // for others on the same records
    loading,     // records, and for a read the data
    resolving,   // data whose older change was interrupted
    announcing,  // the records, with what is about to be
    changing,    // the data
    settling,    // the records, with what is
  };

  struct Request {
    StoreOp op;
    bool is_in_use = false;
    bool is_scrub = false;
    Step step = Step::waiting;
    std::uint32_t parts_left = 0;
    StoreErrc status = StoreErrc::ok;
    std::uint64_t error_offset_bytes = 0;
    StoreErrc sums_status = StoreErrc::ok;
    std::uint64_t first = 0;  // sectors of the window that is worked on
    std::uint64_t count = 0;
    std::vector<IntegrityRecord> records;
    std::vector<std::byte> record_bytes;
    std::vector<std::byte> data;  // read to resolve, or to scrub
  };

  [[nodiscard]] std::uint16_t acquire();
  void try_begin();
  [[nodiscard]] bool conflicts(const Request& a, const Request& b) const;
  void start_window(std::uint16_t slot);
  void load(std::uint16_t slot);
  void advance(std::uint16_t slot);
  void loaded(std::uint16_t slot);
  void resolve(Request& request) const;
  void announce(std::uint16_t slot);
  void change(std::uint16_t slot);
  void settle(std::uint16_t slot);
  void window_ended(std::uint16_t slot);
  void check_read(Request& request);
  void check_scrub(std::uint16_t slot);
  void finish(std::uint16_t slot);
  void finish_scrub_window(Request& request);
  bool step_scrub();
  void decode_records(Request& request);
  void write_records(std::uint16_t slot, Durability durability);
  void submit_data(std::uint16_t slot, StoreOpKind kind, ByteSpan data);
  void take(const LowerDone& done, bool is_sums);
  [[nodiscard]] ByteSpan data_of(Request& request) const;
  [[nodiscard]] IntegrityRecord::Sums& sums_of(Request& request, std::uint64_t sector) const;
  [[nodiscard]] std::uint64_t limited(std::uint64_t size_bytes) const;

  std::uint64_t capacity_sectors_;
  LowerStore data_;
  LowerStore sums_;
  std::vector<Request> requests_;
  std::vector<std::uint16_t> free_;
  std::deque<std::uint16_t> waiting_;
  CompletionQueue done_;
  std::vector<LowerDone> finished_;
  IntegrityStats integrity_;
  ScrubStatus scrub_;
  std::uint64_t scrub_bytes_per_second_ = 0;
  bool is_scrubbing_window_ = false;
  bool is_stopped_ = false;
  Instant scrub_next_;
  Instant now_;
};

}  // namespace aoe::storage
