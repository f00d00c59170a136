// Self-tests of exports, as EXECUTE OFF-LINE IMMEDIATE asks for them: reading, without anybody
// being kept waiting.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "protocol/ata_smart.h"
#include "target/core_parts.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::target {

// Reads what the store holds, and nothing else: there is no medium of our own to test. It goes
// through everything that the export has in front of its bytes, so where blocks have checksums they
// are checked. A short test reads samples from all over the disk, an extended one all of it. After
// each read it pauses for three times as long as that took, so that a test has at most a quarter of
// the store.
//
// Tests end with the export; their results are part of its state.
class SelfTests {
 public:
  explicit SelfTests(CoreParts& parts) : parts_(parts) { running_.reserve(kRunningMax); }

  // At the same time over all exports; another one is refused.
  static constexpr std::size_t kRunningMax = 64;

  // One that runs is aborted for it, as ATA8-ACS 7.52.3 asks. False: there is no room.
  [[nodiscard]] bool start(Instant now, Export& subject, protocol::SmartTestKind kind);
  // Nothing happens where none runs.
  void abort(Instant now, Export& subject);
  // The export goes: it does not come to its end.
  void interrupt(Instant now, Export& subject);

  struct Read {
    Export* subject = nullptr;
    Lba lba;
    std::uint32_t sectors = 0;
  };

  // What is to be read next, if it is time to. Answered by on_read(), or put off by postpone().
  [[nodiscard]] std::optional<Read> poll(Instant now);
  void postpone(Instant now, Export& subject);

  struct Outcome {
    Lba lba;  // of the read
    std::uint32_t sectors = 0;
    bool is_ok = true;
    Lba bad;  // unless it is
  };

  void on_read(Instant now, Export& subject, const Outcome& outcome);

  [[nodiscard]] std::optional<Instant> next_time() const;

  // An export was added: a test that its state says is running is not any more.
  static void note_begin(Export& subject);

  // Exports whose list of tests has changed: their state is to be saved. The caller takes out what
  // is on its way.
  [[nodiscard]] std::vector<ExportId>& changed() { return changed_; }

 private:
  void note_changed(ExportId id);
  void end(Instant now, Export& subject, protocol::SmartTestStatus status, std::uint64_t bad_lba);

  CoreParts& parts_;
  std::vector<ExportId> running_;
  std::vector<ExportId> changed_;
};

// Bits (7:4) and (3:0) of byte 363 of the SMART data: the test that runs, or how the last one
// ended.
[[nodiscard]] std::uint8_t self_test_status(const Export& subject);

}  // namespace aoe::target
