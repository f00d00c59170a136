// The target that is looked at, and the questions that checks are made of.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_registers.h"
#include "tools/conform/wire.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::tools::conform {

// One answer, whole. `frame` is at least a header long.
struct Answer {
  protocol::FrameHeader header;
  Bytes frame;

  // "error 2 (bad argument)", "status 41h error 10h", "ok": for details of findings.
  [[nodiscard]] std::string text() const;

  // Of an answer to an ATA command; registers that are not there read as 0.
  [[nodiscard]] std::uint8_t ata_error() const;
  [[nodiscard]] std::uint8_t ata_count() const;
  [[nodiscard]] std::uint8_t ata_status() const;
  // No AoE error, and registers without a failure.
  [[nodiscard]] bool is_ata_success() const;
  // No AoE error, and the status says ERR with this error bit.
  [[nodiscard]] bool is_ata_failure(std::uint8_t error_bit) const;
  // What follows the registers, padding included.
  [[nodiscard]] ConstByteSpan data() const;

  [[nodiscard]] bool is_aoe_error(protocol::AoeError error) const;
};

// Everything is asked with fresh tags, from our own MAC to the target's unless a frame says
// otherwise.
class Subject {
 public:
  // `mac`: of the target, as it answered to a discovery. Both outlive it.
  Subject(Wire& wire, DeviceAddress address, const MacAddress& mac);

  // Learns what the other questions need: IDENTIFY and the config string. False when the target
  // answers the latter no more; a target without IDENTIFY has has_disk() == false.
  [[nodiscard]] bool learn();

  [[nodiscard]] DeviceAddress address() const { return address_; }

  [[nodiscard]] const MacAddress& mac() const { return mac_; }

  [[nodiscard]] const MacAddress& own_mac() const { return own_mac_; }

  [[nodiscard]] std::size_t mtu_bytes() const { return wire_.mtu_bytes(); }

  [[nodiscard]] bool has_disk() const { return has_disk_; }

  [[nodiscard]] const protocol::IdentifyView& identity() const { return identity_; }

  [[nodiscard]] std::uint64_t sector_count() const { return identity_.model.sector_count; }

  [[nodiscard]] const protocol::ConfigFrame& config() const { return config_; }

  // The config string that learn() found.
  [[nodiscard]] const Bytes& config_string() const { return config_string_; }

  // The most sectors one request may carry: what the target says, as far as our MTU allows.
  [[nodiscard]] std::uint8_t sectors_max() const;

  // ---- Frames: padded to 60 bytes with kPadding, ready to be bent ----

  // The bytes behind what a request means. Not 0, so that a target that returns stale memory and
  // one that returns our own bytes can be told apart.
  static constexpr std::uint8_t kPadding = 0xA5;

  [[nodiscard]] protocol::FrameHeader header(protocol::Command command);
  [[nodiscard]] Bytes ata_frame(const protocol::AtaArgument& registers, ConstByteSpan data = {});
  [[nodiscard]] Bytes read_frame(Lba lba, std::uint8_t sectors);
  [[nodiscard]] Bytes write_frame(Lba lba, std::uint8_t sectors, ConstByteSpan data);
  [[nodiscard]] Bytes identify_frame();
  [[nodiscard]] Bytes config_frame(protocol::ConfigCommand command, ConstByteSpan string = {});
  [[nodiscard]] Bytes mask_frame(protocol::MaskCommand command,
                                 std::span<const protocol::MaskDirective> directives = {});
  [[nodiscard]] Bytes reserve_frame(protocol::ReserveCommand command,
                                    std::span<const MacAddress> macs = {});
  // Header and argument for any command code.
  [[nodiscard]] Bytes frame(const protocol::FrameHeader& header, ConstByteSpan argument = {});

  // ---- Questions ----

  // The first answer; none when the target stays silent however often it is asked.
  [[nodiscard]] std::optional<Answer> ask(const Bytes& frame);
  // For what may, or should, have no answer: some copies are sent, and every answer is returned.
  [[nodiscard]] std::vector<Answer> ask_all(const Bytes& frame);
  // The first of them.
  [[nodiscard]] std::optional<Answer> ask_maybe(const Bytes& frame);
  // All at once, no copies; at most one answer each.
  [[nodiscard]] std::vector<Answer> ask_together(std::span<const Bytes> frames);

  // Sends it, and some copies, without an interest in answers.
  void tell(const Bytes& frame) { static_cast<void>(ask_all(frame)); }

  [[nodiscard]] Instant now() const { return wire_.now(); }

  void rest(Duration duration) { wire_.rest(duration); }

  [[nodiscard]] bool is_alive();

  // The sectors, or nothing when the target does not hand them out.
  [[nodiscard]] std::optional<Bytes> read(Lba lba, std::uint8_t sectors);
  [[nodiscard]] bool write(Lba lba, std::uint8_t sectors, ConstByteSpan data);
  [[nodiscard]] std::optional<Bytes> read_config_string();
  // False when the target refuses it.
  [[nodiscard]] bool force_config_string(ConstByteSpan string);
  [[nodiscard]] std::optional<std::vector<MacAddress>> read_mask();
  [[nodiscard]] std::optional<std::vector<MacAddress>> read_holders();

 private:
  [[nodiscard]] std::vector<Answer> answers(std::span<const Bytes> frames, Listen listen);

  Wire& wire_;
  DeviceAddress address_;
  MacAddress mac_;
  MacAddress own_mac_;
  std::uint32_t next_tag_;
  bool has_disk_ = false;
  protocol::IdentifyView identity_;
  protocol::ConfigFrame config_;
  Bytes config_string_;
};

// Sets the named fields of a frame again.
void set_header(Bytes& frame, const protocol::FrameHeader& header);

// The frame with what `change` does to its header.
template <class Change>
[[nodiscard]] Bytes with_header(Bytes frame, Change change) {
  protocol::FrameHeader header = *protocol::parse_header(frame);
  change(header);
  set_header(frame, header);
  return frame;
}

// A mask directive's or reserve list's addresses in an answer, or nothing when they are not all
// there.
[[nodiscard]] std::optional<std::vector<MacAddress>> mask_of(const Answer& answer);
[[nodiscard]] std::optional<std::vector<MacAddress>> holders_of(const Answer& answer);

[[nodiscard]] ConstByteSpan bytes_of(std::string_view text);

}  // namespace aoe::tools::conform
