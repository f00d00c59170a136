// Writes (AoEr11 3.1): every check puts the sectors back that it changed.
#include "tools/conform/check.h"
#include "tools/conform/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::tools::conform {
namespace {

using protocol::AtaArgument;
using protocol::AtaOp;
using protocol::FrameHeader;

// Two sectors at the end of the disk are the playground.
constexpr std::uint8_t kSectors = 2;

Bytes pattern(std::size_t sectors, std::uint8_t seed) {
  Bytes bytes(sectors * kSectorBytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>((i * 7 + seed) & 0xFFU);
  }
  return bytes;
}

std::string text_of(const std::optional<Answer>& answer) {
  return answer ? answer->text() : "no answer";
}

// What was in the playground; put back at the end.
class Playground {
 public:
  explicit Playground(Subject& subject)
      : subject_(subject),
        lba_(Lba{subject.sector_count() < kSectors ? 0 : subject.sector_count() - kSectors}) {
    if (!subject.has_disk() || subject.sector_count() < kSectors ||
        subject.sectors_max() < kSectors) {
      reason_ = "there are no two sectors to write in one request";
      return;
    }
    before_ = subject.read(lba_, kSectors);
    if (!before_) {
      reason_ = "its last sectors cannot be read";
      return;
    }
    const auto answer = subject.ask(subject.write_frame(lba_, kSectors, pattern(kSectors, 1)));
    if (!answer || !answer->is_ata_success()) {
      reason_ = "it does not take writes: " + text_of(answer);
      before_.reset();
    }
  }

  ~Playground() {
    if (before_) {
      static_cast<void>(subject_.write(lba_, kSectors, *before_));
    }
  }

  Playground(const Playground&) = delete;
  Playground& operator=(const Playground&) = delete;

  // Empty when there is one, holding pattern 1.
  [[nodiscard]] const std::string& reason() const { return reason_; }

  [[nodiscard]] Lba lba() const { return lba_; }

  [[nodiscard]] bool holds(const Bytes& bytes) const {
    const auto now = subject_.read(lba_, kSectors);
    return now && *now == bytes;
  }

 private:
  Subject& subject_;
  Lba lba_;
  std::optional<Bytes> before_;
  std::string reason_;
};

// Writes back what is there.
Finding check_accepted(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried("it does not identify itself");
  }
  const Lba last{subject.sector_count() - 1};
  const auto before = subject.read(last, 1);
  if (!before) {
    return not_tried("its last sector cannot be read");
  }
  const auto answer = subject.ask(subject.write_frame(last, 1, *before));
  if (answer && answer->is_ata_success()) {
    return right();
  }
  return answer && answer->is_ata_failure(protocol::kErrorAborted)
             ? right("read-only: " + answer->text())
             : broken(text_of(answer));
}

Finding check_read_back(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  const Bytes second = pattern(kSectors, 2);
  const auto answer = subject.ask(subject.write_frame(ground.lba(), kSectors, second));
  if (!answer || !answer->is_ata_success()) {
    return broken(text_of(answer));
  }
  return ground.holds(second) ? right() : broken("reads something else than was written");
}

Finding check_lba28(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  if (ground.lba().value + kSectors > kLba28Limit) {
    return not_tried("its last sectors have no 28-bit address");
  }
  AtaArgument registers;
  registers.command_status = static_cast<std::uint8_t>(AtaOp::write);
  registers.flags = protocol::kAtaFlagWrite;
  registers.sector_count = kSectors;
  registers.set_lba28(ground.lba());
  const Bytes second = pattern(kSectors, 2);
  const auto answer = subject.ask(subject.ata_frame(registers, second));
  if (!answer || !answer->is_ata_success()) {
    return broken(text_of(answer));
  }
  return ground.holds(second) ? right() : broken("reads something else than was written");
}

Finding check_short_data(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  const Bytes one = pattern(1, 2);
  const auto answer = subject.ask(subject.write_frame(ground.lba(), kSectors, one));
  if (!ground.holds(pattern(kSectors, 1))) {
    return broken("two sectors written from the data of one");
  }
  return answer && answer->is_ata_success() ? broken("success, and nothing was written")
                                            : right(text_of(answer));
}

Finding check_surplus_data(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  const Bytes two = pattern(kSectors, 2);
  const auto answer = subject.ask(subject.write_frame(ground.lba(), 1, two));
  Bytes expected = pattern(kSectors, 1);
  if (answer && answer->is_ata_success()) {
    std::ranges::copy(ConstByteSpan(two).first(kSectorBytes), expected.begin());
  }
  return ground.holds(expected) ? right(text_of(answer))
                                : broken("one sector asked for, and something else is on the disk");
}

Finding check_across_end(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  const Lba last{subject.sector_count() - 1};
  const auto answer = subject.ask(subject.write_frame(last, kSectors, pattern(kSectors, 2)));
  if (!ground.holds(pattern(kSectors, 1))) {
    return broken("a write across the end changed the last sector");
  }
  return answer && answer->is_ata_failure(protocol::kErrorIdNotFound) ? right()
                                                                      : broken(text_of(answer));
}

Finding check_without_flag(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  const Bytes second = pattern(kSectors, 2);
  AtaArgument registers;
  registers.command_status = static_cast<std::uint8_t>(AtaOp::write_ext);
  registers.flags = protocol::kAtaFlagExtended;
  registers.sector_count = kSectors;
  registers.set_lba48(ground.lba());
  const auto answer = subject.ask(subject.ata_frame(registers, second));
  const bool is_done = answer && answer->is_ata_success();
  return ground.holds(is_done ? second : pattern(kSectors, 1))
             ? right(text_of(answer))
             : broken(fmt::format("{}, and the disk says otherwise", text_of(answer)));
}

Bytes to_any_address(Bytes frame) {
  return with_header(std::move(frame), [](FrameHeader& header) {
    header.address = {protocol::kAllShelves, protocol::kAllSlots};
  });
}

Finding check_wildcard(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  // Never to the broadcast address, and not where it would be a write to somebody else's disk too.
  const Bytes question = to_any_address(subject.config_frame(protocol::ConfigCommand::read));
  for (const Answer& answer : subject.ask_all(question)) {
    if (answer.header.address != subject.address()) {
      return not_tried(
          fmt::format("{} at the same MAC would be written too", to_string(answer.header.address)));
    }
  }
  subject.tell(to_any_address(subject.write_frame(ground.lba(), kSectors, pattern(kSectors, 2))));
  return ground.holds(pattern(kSectors, 1)) ? right()
                                            : broken("a write to any shelf and slot is done");
}

// The clock and the counter in the tags of the Linux driver (newtag() in aoecmd.c): bit 31 clear, a
// counter of the transmissions, the low half of the jiffies of a host with HZ 1000.
class LinuxTags {
 public:
  explicit LinuxTags(Subject& subject) : subject_(subject) {}

  // A while after the last one. Of the clock itself, as a busy machine rests longer than it was
  // told.
  Tag next() {
    subject_.rest(Duration::milliseconds(40));
    const std::int64_t jiffies = subject_.now().ns / Duration::milliseconds(1).ns;
    return Tag{std::uint32_t{counter_++} << 16U | (static_cast<std::uint32_t>(jiffies) & 0xFFFFU)};
  }

 private:
  Subject& subject_;
  std::uint16_t counter_ = 1;
};

Bytes with_tag(Bytes frame, Tag tag) {
  return with_header(std::move(frame), [tag](FrameHeader& header) { header.tag = tag; });
}

Finding check_late_copy(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  LinuxTags tags(subject);
  // The target gets to know the host.
  constexpr int kReads = 40;
  for (int i = 0; i < kReads; ++i) {
    static_cast<void>(subject.ask(with_tag(subject.read_frame(Lba{0}, 1), tags.next())));
  }
  const Bytes older = pattern(kSectors, 2);
  const Bytes newer = pattern(kSectors, 3);
  const Bytes copy = with_tag(subject.write_frame(ground.lba(), kSectors, older), tags.next());
  if (!subject.ask(copy)) {
    return broken("no answer");
  }
  if (!subject.ask(with_tag(subject.write_frame(ground.lba(), kSectors, newer), tags.next()))) {
    return broken("no answer");
  }
  subject.tell(copy);
  return ground.holds(newer)
             ? right()
             : broken("the copy of an answered write, late in the network, undoes a newer one");
}

Finding check_trim(Subject& subject) {
  const Playground ground(subject);
  if (!ground.reason().empty()) {
    return not_tried(ground.reason());
  }
  if (!subject.identity().model.has_trim) {
    return not_tried("it does not promise TRIM");
  }
  Bytes ranges(kSectorBytes);
  constexpr unsigned kCountShift = 48;
  store_le64(ranges, 0, ground.lba().value | std::uint64_t{kSectors} << kCountShift);
  AtaArgument registers;
  registers.command_status = static_cast<std::uint8_t>(AtaOp::data_set_management);
  registers.flags = protocol::kAtaFlagExtended | protocol::kAtaFlagWrite;
  registers.feature_error = 1;
  registers.sector_count = 1;
  const auto answer = subject.ask(subject.ata_frame(registers, ranges));
  if (!answer || !answer->is_ata_success()) {
    return broken(text_of(answer));
  }
  return !subject.identity().model.trim_reads_zero ||
                 ground.holds(Bytes(std::size_t{kSectors} * kSectorBytes))
             ? right()
             : broken("promises zeros after TRIM, and reads something else");
}

constexpr std::array kChecks{
    Check{"write.accepted", "writes are done, or aborted as by a disk that is read-only",
          "ATA8-ACS 7.60", Verdict::wrong, Touches::state, check_accepted},
    Check{"write.read_back", "what was written is read", "ATA8-ACS 7.60", Verdict::dangerous,
          Touches::state, check_read_back},
    Check{"write.lba28", "28-bit writes reach the same sectors", "ATA8-ACS 7.58",
          Verdict::dangerous, Touches::state, check_lba28},
    Check{"write.short_data", "less data than sectors: nothing is written", "AoEr11 3.1",
          Verdict::dangerous, Touches::state, check_short_data},
    Check{"write.surplus_data", "more data than sectors: the rest is padding", "AoEr11 3.1",
          Verdict::dangerous, Touches::state, check_surplus_data},
    Check{"write.across_end", "across the end: ERR with IDNF, nothing is written", "ATA8-ACS 7.60",
          Verdict::dangerous, Touches::state, check_across_end},
    Check{"write.without_flag", "without the write flag: done or refused, as it says", "AoEr11 3.1",
          Verdict::dangerous, Touches::state, check_without_flag},
    Check{"write.wildcard", "a write to any shelf and slot is not done", "AoEr11 2.2",
          Verdict::dangerous, Touches::state, check_wildcard},
    Check{"write.late_copy",
          "a late copy of a write does not undo a newer one (tags of the Linux driver)",
          "aoe driver", Verdict::dangerous, Touches::state, check_late_copy},
    Check{"write.trim", "TRIM is done as IDENTIFY promises it", "ACS-2 7.5", Verdict::dangerous,
          Touches::state, check_trim},
};

}  // namespace

std::span<const Check> write_checks() {
  return kChecks;
}

}  // namespace aoe::tools::conform
