#include "target/self_test.h"

#include "target/ata_executor.h"

#include <algorithm>

namespace aoe::target {
namespace {

using protocol::SmartTestKind;
using protocol::SmartTestStatus;

constexpr std::uint64_t kSampleSectors = 128;
constexpr std::uint64_t kSamples = 128;
constexpr std::uint64_t kPartSectors = 2048;  // 1 MiB
constexpr std::int64_t kPauses = 3;           // of the time that a read took
constexpr Duration kPauseMin = Duration::milliseconds(1);
constexpr Duration kBusyPause = Duration::milliseconds(100);
constexpr std::uint8_t kTenths = 10;

std::uint16_t hours_of(const Export& subject, Instant now) {
  constexpr std::uint64_t kSecondsPerHour = 3600;
  return static_cast<std::uint16_t>(life_counters(subject, now).powered_on_seconds /
                                    kSecondsPerHour);
}

// How many reads a test is.
std::uint64_t reads_of(SmartTestKind kind, std::uint64_t sectors) {
  if (kind == SmartTestKind::extended_test || sectors <= kSamples * kSampleSectors) {
    return (sectors + kPartSectors - 1) / kPartSectors;
  }
  return kSamples;
}

// The samples are spread evenly; the first and the last sectors are among them.
SelfTests::Read read_at(Export& subject, const SelfTestRun& run) {
  const std::uint64_t sectors = run.sectors;
  if (run.kind == SmartTestKind::extended_test || sectors <= kSamples * kSampleSectors) {
    const std::uint64_t start = run.reads_done * kPartSectors;
    return {&subject, Lba{start},
            static_cast<std::uint32_t>(std::min(kPartSectors, sectors - start))};
  }
  // Products of a share, so that nothing overflows on the largest disk.
  const std::uint64_t room = sectors - kSampleSectors;
  const std::uint64_t start = room / (kSamples - 1) * run.reads_done;
  return {&subject, Lba{run.reads_done + 1 == kSamples ? room : start},
          static_cast<std::uint32_t>(kSampleSectors)};
}

}  // namespace

bool SelfTests::start(Instant now, Export& subject, SmartTestKind kind) {
  abort(now, subject);
  if (running_.size() == kRunningMax) {
    return false;
  }
  running_.push_back(subject.id);
  auto& log = subject.persistent.self_tests;
  if (log.size() == protocol::kSmartSelfTestCountMax) {
    log.erase(log.begin());
  }
  // As one that runs: if that is found when the export begins anew, it was interrupted.
  log.push_back({.kind = static_cast<std::uint8_t>(kind),
                 .status = protocol::smart_test_status(SmartTestStatus::running, kTenths - 1),
                 .hours = hours_of(subject, now),
                 .failing_lba = protocol::kSmartNoLba});
  note_changed(subject.id);
  subject.self_test = {.kind = kind,
                       .is_running = true,
                       .sectors = subject.settings.sector_count,
                       .reads = reads_of(kind, subject.settings.sector_count),
                       .due = now};
  parts_.report(EventKind::self_test_started, subject, static_cast<std::uint64_t>(kind));
  return true;
}

void SelfTests::abort(Instant now, Export& subject) {
  if (subject.self_test.is_running) {
    end(now, subject, SmartTestStatus::aborted, protocol::kSmartNoLba);
  }
}

void SelfTests::interrupt(Instant now, Export& subject) {
  if (subject.self_test.is_running) {
    end(now, subject, SmartTestStatus::interrupted, protocol::kSmartNoLba);
  }
}

std::optional<SelfTests::Read> SelfTests::poll(Instant now) {
  for (const ExportId id : running_) {
    Export* subject = parts_.exports.find(id);
    SelfTestRun& run = subject->self_test;
    if (run.is_reading || now < run.due) {
      continue;
    }
    // A disk that shrank is read to its new end.
    run.sectors = std::min(run.sectors, subject->settings.sector_count);
    run.reads = std::min(run.reads, reads_of(run.kind, run.sectors));
    if (run.reads_done >= run.reads) {
      end(now, *subject, SmartTestStatus::passed, protocol::kSmartNoLba);
      return poll(now);
    }
    run.is_reading = true;
    const Read read = read_at(*subject, run);
    run.read_began = now;
    run.read_lba = read.lba;
    run.read_sectors = read.sectors;
    return read;
  }
  return std::nullopt;
}

void SelfTests::postpone(Instant now, Export& subject) {
  subject.self_test.is_reading = false;
  subject.self_test.due = now + kBusyPause;
}

void SelfTests::on_read(Instant now, Export& subject, const Outcome& outcome) {
  SelfTestRun& run = subject.self_test;
  // It may be of a test that was aborted meanwhile, and another one runs.
  if (!run.is_running || !run.is_reading || outcome.lba != run.read_lba ||
      outcome.sectors != run.read_sectors) {
    return;
  }
  run.is_reading = false;
  if (!outcome.is_ok) {
    end(now, subject, SmartTestStatus::read_failed, outcome.bad.value);
    return;
  }
  if (++run.reads_done == run.reads) {
    end(now, subject, SmartTestStatus::passed, protocol::kSmartNoLba);
    return;
  }
  run.due = now + std::max(kPauseMin, (now - run.read_began) * kPauses);
}

std::optional<Instant> SelfTests::next_time() const {
  std::optional<Instant> next;
  for (const ExportId id : running_) {
    const SelfTestRun& run = parts_.exports.find(id)->self_test;
    if (!run.is_reading && (!next || run.due < *next)) {
      next = run.due;
    }
  }
  return next;
}

void SelfTests::note_changed(ExportId id) {
  if (std::find(changed_.begin(), changed_.end(), id) == changed_.end()) {
    changed_.push_back(id);
  }
}

void SelfTests::note_begin(Export& subject) {
  subject.persistent.self_tests.reserve(protocol::kSmartSelfTestCountMax);
  for (protocol::SmartSelfTest& test : subject.persistent.self_tests) {
    if (protocol::smart_test_status(test.status) == SmartTestStatus::running) {
      test.status = protocol::smart_test_status(SmartTestStatus::interrupted,
                                                static_cast<std::uint8_t>(test.status & 0x0FU));
    }
  }
}

void SelfTests::end(Instant now, Export& subject, SmartTestStatus status, std::uint64_t bad_lba) {
  const std::uint8_t shown = protocol::smart_test_status(
      status, static_cast<std::uint8_t>(self_test_status(subject) & 0x0FU));
  subject.self_test.is_running = false;
  running_.erase(std::remove(running_.begin(), running_.end(), subject.id), running_.end());
  protocol::SmartSelfTest& entry = subject.persistent.self_tests.back();
  entry.status = shown;
  entry.hours = hours_of(subject, now);
  entry.failing_lba = bad_lba;
  note_changed(subject.id);
  TargetEvent event;
  event.kind = EventKind::self_test_ended;
  event.export_id = subject.id;
  event.address = subject.settings.address;
  event.lba = Lba{bad_lba};
  event.value = shown;
  parts_.events.add(event);
}

std::uint8_t self_test_status(const Export& subject) {
  const SelfTestRun& run = subject.self_test;
  if (run.is_running) {
    // Tenths that are left, rounded up.
    const std::uint64_t left = run.reads == 0 ? 0 : run.reads - run.reads_done;
    const std::uint64_t tenths = run.reads == 0 ? 0 : (left * kTenths + run.reads - 1) / run.reads;
    return protocol::smart_test_status(
        SmartTestStatus::running, static_cast<std::uint8_t>(std::min<std::uint64_t>(tenths, 9)));
  }
  const auto& log = subject.persistent.self_tests;
  return log.empty() ? std::uint8_t{0} : log.back().status;
}

}  // namespace aoe::target
