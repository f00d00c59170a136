// ATA commands that change nothing (AoEr11 3.1, ATA8-ACS 7).
#include "tools/conform/check.h"
#include "tools/conform/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aoe::tools::conform {
namespace {

using protocol::AoeError;
using protocol::AtaArgument;
using protocol::AtaOp;
using protocol::FrameHeader;

const char* const kNoDisk = "it does not identify itself";

AtaArgument command(AtaOp op) {
  AtaArgument registers;
  registers.command_status = static_cast<std::uint8_t>(op);
  return registers;
}

std::string text_of(const std::optional<Answer>& answer) {
  return answer ? answer->text() : "no answer";
}

Finding check_identify(Subject& subject) {
  const auto answer = subject.ask(subject.identify_frame());
  if (!answer || !answer->is_ata_success() || answer->data().size() < protocol::kIdentifyBytes) {
    return broken(text_of(answer));
  }
  const auto view = protocol::parse_identify(answer->data().first(protocol::kIdentifyBytes));
  if (view.model.sector_count == 0) {
    return broken("a disk without sectors");
  }
  if (view.logical_sector_bytes != kSectorBytes) {
    return broken(
        fmt::format("sectors of {} bytes: initiators count in 512", view.logical_sector_bytes));
  }
  if (view.model.serial.empty()) {
    return broken("no serial number: two disks cannot be told apart");
  }
  return right(
      fmt::format("{} sectors, serial number {}", view.model.sector_count, view.model.serial));
}

Finding check_identify_checksum(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  return subject.identity().checksum == protocol::IdentifyChecksum::invalid
             ? broken("word 255 claims a checksum that is not the one of the words")
             : right();
}

Finding check_identify_lba48(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  const auto answer = subject.ask(subject.identify_frame());
  if (!answer || !answer->is_ata_success() || answer->data().size() < protocol::kIdentifyBytes) {
    return broken(text_of(answer));
  }
  constexpr unsigned kLba48Bit = 1U << 10U;
  const auto at_word = [](std::size_t word) { return word * 2; };
  const ConstByteSpan words = answer->data();
  const bool is_supported = (load_le16(words, at_word(83)) & kLba48Bit) != 0;
  const bool is_enabled = (load_le16(words, at_word(86)) & kLba48Bit) != 0;
  const std::uint64_t count48 = load_le64(words, at_word(100));
  const std::uint64_t count28 = load_le32(words, at_word(60));
  if (!is_supported || !is_enabled) {
    return broken(fmt::format("48-bit commands: word 83 says {}, word 86 says {}",
                              is_supported ? "yes" : "no", is_enabled ? "yes" : "no"));
  }
  if (count28 != std::min<std::uint64_t>(count48, kLba28Limit - 1)) {
    return broken(fmt::format("{} sectors in words 100-103, {} in words 60-61", count48, count28));
  }
  return right();
}

Finding check_identify_broadcast(Subject& subject) {
  const Bytes frame = with_header(subject.identify_frame(), [](FrameHeader& header) {
    header.destination = MacAddress::broadcast();
    header.address = {protocol::kAllShelves, protocol::kAllSlots};
    // WinAoE counts its tags from 1 and writes them the other way round.
    header.tag = Tag{0x0100'0000};
  });
  for (const Answer& answer : subject.ask_all(frame)) {
    if (answer.header.source == subject.mac() && answer.header.address == subject.address() &&
        answer.is_ata_success()) {
      return right();
    }
  }
  return broken("no answer with its own address: WinAoE and AoEDisk never find it");
}

Finding check_read(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  const auto answer = subject.ask(subject.read_frame(Lba{0}, 1));
  if (!answer || !answer->is_ata_success() || answer->data().size() != kSectorBytes) {
    return broken(text_of(answer));
  }
  return (answer->ata_status() & protocol::kStatusReady) != 0
             ? right()
             : broken(fmt::format("status {:02X}h: not ready", answer->ata_status()));
}

Finding check_read_max(Subject& subject) {
  const std::uint8_t sectors = subject.sectors_max();
  if (!subject.has_disk() || subject.sector_count() < sectors || sectors == 0) {
    return not_tried(subject.has_disk() ? "the disk is smaller than a request" : kNoDisk);
  }
  const auto answer = subject.ask(subject.read_frame(Lba{0}, sectors));
  return answer && answer->is_ata_success() &&
                 answer->data().size() == std::size_t{sectors} * kSectorBytes
             ? right(fmt::format("{} sectors", sectors))
             : broken(fmt::format("{} sectors: {}", sectors, text_of(answer)));
}

Finding check_read_too_many(Subject& subject) {
  constexpr std::uint8_t kMost = 255;
  if (!subject.has_disk() || subject.sector_count() < kMost) {
    return not_tried(subject.has_disk() ? "the disk is smaller than a request" : kNoDisk);
  }
  if (subject.sectors_max() == kMost) {
    return not_tried("it carries every count");
  }
  const auto answer = subject.ask(subject.read_frame(Lba{0}, kMost));
  if (!answer) {
    return broken("no answer");
  }
  return answer->is_aoe_error(AoeError::bad_argument) ||
                 answer->is_ata_failure(protocol::kErrorAborted)
             ? right(answer->text())
             : broken(answer->text());
}

Finding check_read_last(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  const auto answer = subject.ask(subject.read_frame(Lba{subject.sector_count() - 1}, 1));
  return answer && answer->is_ata_success() && answer->data().size() == kSectorBytes
             ? right()
             : broken(text_of(answer));
}

Finding past_the_end(Subject& subject, std::uint64_t lba, std::uint8_t sectors) {
  const auto answer = subject.ask(subject.read_frame(Lba{lba}, sectors));
  return answer && answer->is_ata_failure(protocol::kErrorIdNotFound) ? right()
                                                                      : broken(text_of(answer));
}

Finding check_read_past_end(Subject& subject) {
  return subject.has_disk() ? past_the_end(subject, subject.sector_count(), 1) : not_tried(kNoDisk);
}

Finding check_read_across_end(Subject& subject) {
  if (!subject.has_disk() || subject.sectors_max() < 2) {
    return not_tried(subject.has_disk() ? "one sector a request" : kNoDisk);
  }
  return past_the_end(subject, subject.sector_count() - 1, 2);
}

Finding check_read_far(Subject& subject) {
  constexpr std::uint64_t kLast48 = (std::uint64_t{1} << 48U) - 1;
  if (!subject.has_disk() || subject.sector_count() > kLast48) {
    return not_tried(subject.has_disk() ? "the disk has that sector" : kNoDisk);
  }
  return past_the_end(subject, kLast48, subject.sectors_max());
}

Bytes read28_frame(Subject& subject, Lba lba, std::uint8_t device_bits) {
  constexpr std::size_t kDeviceAt = 3;
  AtaArgument registers = command(AtaOp::read);
  registers.sector_count = 1;
  registers.set_lba28(lba);
  registers.lba.at(kDeviceAt) =
      static_cast<std::uint8_t>((registers.lba.at(kDeviceAt) & 0x0FU) | device_bits);
  return subject.ata_frame(registers);
}

Finding check_lba28(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  const Lba lba{std::min(subject.sector_count(), std::uint64_t{kLba28Limit}) - 1};
  const auto wide = subject.read(lba, 1);
  if (!wide) {
    return broken("the 48-bit command does not read it");
  }
  // Linux sends E0h, aoeping 00h: the bits are of another age.
  for (const std::uint8_t device_bits :
       {std::uint8_t{0xE0}, std::uint8_t{0x00}, std::uint8_t{0xA0}}) {
    const auto narrow = subject.ask(read28_frame(subject, lba, device_bits));
    if (!narrow || !narrow->is_ata_success() || !std::ranges::equal(narrow->data(), *wide)) {
      return broken(fmt::format(
          "28-bit read of sector {} with device bits {:02X}h: {}", lba.value, device_bits,
          narrow && narrow->is_ata_success() ? "other data" : text_of(narrow)));
    }
  }
  return right();
}

Finding check_count_zero(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  const auto answer = subject.ask(subject.read_frame(Lba{0}, 0));
  if (!answer) {
    return broken("no answer");
  }
  return answer->is_ata_success() ? broken("success: to ATA it means 65536 sectors, and none came")
                                  : right(answer->text());
}

Finding check_unknown_opcode(Subject& subject) {
  AtaArgument registers;
  constexpr std::uint8_t kReserved = 0xFC;
  registers.command_status = kReserved;
  const auto answer = subject.ask(subject.ata_frame(registers));
  return answer && answer->is_ata_failure(protocol::kErrorAborted) ? right()
                                                                   : broken(text_of(answer));
}

Finding flush(Subject& subject, AtaOp op, bool is_promised) {
  AtaArgument registers = command(op);
  registers.flags = op == AtaOp::flush_ext ? protocol::kAtaFlagExtended : std::uint8_t{0};
  const auto answer = subject.ask(subject.ata_frame(registers));
  if (!is_promised && answer && answer->is_ata_failure(protocol::kErrorAborted)) {
    return right("not promised, aborted");
  }
  return answer && answer->is_ata_success() && (answer->ata_status() & protocol::kStatusReady) != 0
             ? right()
             : broken(text_of(answer));
}

Finding check_flush(Subject& subject) {
  return subject.has_disk() ? flush(subject, AtaOp::flush, subject.identity().model.has_flush)
                            : not_tried(kNoDisk);
}

Finding check_flush_ext(Subject& subject) {
  // Word 83 bit 13 is not in the model: with 48-bit commands and FLUSH it is expected.
  return subject.has_disk() ? flush(subject, AtaOp::flush_ext, false) : not_tried(kNoDisk);
}

Finding check_power_mode(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  const auto answer = subject.ask(subject.ata_frame(command(AtaOp::check_power)));
  if (answer && answer->is_ata_failure(protocol::kErrorAborted)) {
    return right("aborted");
  }
  return answer && answer->is_ata_success() ? right() : broken(text_of(answer));
}

Finding check_smart(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  AtaArgument registers = command(AtaOp::smart);
  registers.feature_error = static_cast<std::uint8_t>(protocol::SmartFeature::return_status);
  registers.lba[1] = protocol::kSmartSignatureMid;
  registers.lba[2] = protocol::kSmartSignatureHigh;
  const auto answer = subject.ask(subject.ata_frame(registers));
  if (!subject.identity().model.has_smart || !subject.identity().model.smart_enabled) {
    return answer && answer->is_ata_failure(protocol::kErrorAborted)
               ? right("not promised, aborted")
               : broken(text_of(answer));
  }
  return answer && answer->is_ata_success() ? right() : broken(text_of(answer));
}

Finding check_read_with_write_flag(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried(kNoDisk);
  }
  AtaArgument registers = command(AtaOp::read_ext);
  registers.flags = protocol::kAtaFlagExtended | protocol::kAtaFlagWrite;
  registers.sector_count = 1;
  const auto answer = subject.ask_maybe(subject.ata_frame(registers));
  if (!answer) {
    return right("no answer");
  }
  return answer->is_ata_success() && answer->data().size() < kSectorBytes
             ? broken("success without data: the flag and the command disagree")
             : right(answer->text());
}

Finding check_short_argument(Subject& subject) {
  Bytes frame = subject.read_frame(Lba{0}, 1);
  frame.resize(protocol::kAtaHeaderBytes - 6);
  const auto answer = subject.ask_maybe(frame);
  return !answer || answer->header.is_error ? right(text_of(answer)) : broken(answer->text());
}

constexpr std::array kChecks{
    Check{"ata.identify", "IDENTIFY: sectors of 512 bytes, how many, and a serial number",
          "ATA8-ACS 7.16", Verdict::wrong, Touches::nothing, check_identify},
    Check{"ata.identify_checksum", "the checksum of IDENTIFY is right or not there",
          "ATA8-ACS 7.16.7", Verdict::wrong, Touches::nothing, check_identify_checksum},
    Check{"ata.identify_lba48",
          "IDENTIFY promises 48-bit commands, and both counts of sectors agree", "ATA8-ACS 7.16.7",
          Verdict::wrong, Touches::nothing, check_identify_lba48},
    Check{"ata.identify_broadcast", "IDENTIFY to everybody is answered: how WinAoE looks for disks",
          "WinAoE", Verdict::wrong, Touches::nothing, check_identify_broadcast},
    Check{"ata.read", "a sector comes whole, with a status that says ready", "ATA8-ACS 7.25",
          Verdict::wrong, Touches::nothing, check_read},
    Check{"ata.read_max", "as many sectors as it says one request may carry", "AoEr11 3.2",
          Verdict::wrong, Touches::nothing, check_read_max},
    Check{"ata.read_too_many", "more sectors than fit a frame are refused, not ignored",
          "AoEr11 3.2", Verdict::wrong, Touches::nothing, check_read_too_many},
    Check{"ata.read_last", "the last sector can be read", "ATA8-ACS 7.25", Verdict::wrong,
          Touches::nothing, check_read_last},
    Check{"ata.read_past_end",
          "behind the last sector: ERR with IDNF, no AoE error (Linux ignores those)",
          "ATA8-ACS 7.25", Verdict::wrong, Touches::nothing, check_read_past_end},
    Check{"ata.read_across_end", "across the end: ERR with IDNF", "ATA8-ACS 7.25",
          Verdict::dangerous, Touches::nothing, check_read_across_end},
    Check{"ata.read_far", "at the end of 48 bits: ERR with IDNF, nothing wraps", "ATA8-ACS 7.25",
          Verdict::dangerous, Touches::nothing, check_read_far},
    Check{"ata.lba28", "28-bit reads see the same disk, whatever the device bits", "ATA8-ACS 7.24",
          Verdict::wrong, Touches::nothing, check_lba28},
    Check{"ata.count_zero", "zero sectors are no success", "ATA8-ACS 7.25", Verdict::wrong,
          Touches::nothing, check_count_zero},
    Check{"ata.unknown_opcode", "an opcode nobody defines: ERR with ABRT", "ATA8-ACS 6.2",
          Verdict::wrong, Touches::nothing, check_unknown_opcode},
    Check{"ata.flush", "FLUSH CACHE is done, with a status that says ready", "ATA8-ACS 7.10",
          Verdict::wrong, Touches::nothing, check_flush},
    Check{"ata.flush_ext", "FLUSH CACHE EXT likewise, or aborted", "ATA8-ACS 7.11", Verdict::wrong,
          Touches::nothing, check_flush_ext},
    Check{"ata.check_power", "CHECK POWER MODE is done or aborted", "ATA8-ACS 7.3", Verdict::wrong,
          Touches::nothing, check_power_mode},
    Check{"ata.smart", "SMART RETURN STATUS as IDENTIFY promises it", "ATA8-ACS 7.52.8",
          Verdict::wrong, Touches::nothing, check_smart},
    Check{"ata.read_write_flag", "a read with the write flag is no success without data",
          "AoEr11 3.1", Verdict::wrong, Touches::nothing, check_read_with_write_flag},
    Check{"ata.short_argument", "half the registers: error 2 or silence", "AoEr11 3.1",
          Verdict::dangerous, Touches::nothing, check_short_argument},
};

}  // namespace

std::span<const Check> ata_checks() {
  return kChecks;
}

}  // namespace aoe::tools::conform
