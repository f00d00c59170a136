// What every answer has in common, and frames that deserve none (AoEr11 2).
#include "tools/conform/check.h"
#include "tools/conform/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aoe::tools::conform {
namespace {

using protocol::AoeError;
using protocol::Command;
using protocol::ConfigCommand;
using protocol::FrameHeader;

constexpr std::size_t kFlagsAt = 14;
constexpr std::uint8_t kUnknownCommand = 0x63;

std::uint8_t reserved_flags(const Answer& answer) {
  return load_u8(answer.frame, kFlagsAt) & 0x03U;
}

Finding check_reply(Subject& subject) {
  const Bytes question = subject.config_frame(ConfigCommand::read);
  const auto asked = protocol::parse_header(question);
  const auto answer = subject.ask(question);
  if (!answer) {
    return broken("no answer");
  }
  const FrameHeader& header = answer->header;
  if (header.destination != subject.own_mac()) {
    return broken(fmt::format("sent to {}", to_string(header.destination)));
  }
  if (header.source != subject.mac()) {
    return broken(fmt::format("comes from {}, not from {}", to_string(header.source),
                              to_string(subject.mac())));
  }
  if (header.address != subject.address()) {
    return broken(fmt::format("says {}", to_string(header.address)));
  }
  if (header.version != protocol::kVersion) {
    return broken(fmt::format("version {}", header.version));
  }
  if (header.command != asked->command || header.is_error || header.error != 0 ||
      reserved_flags(*answer) != 0) {
    return broken(fmt::format("command {}, flags {:X}h, error {}", header.command,
                              load_u8(answer->frame, kFlagsAt) & 0x0FU, header.error));
  }
  return right();
}

Finding check_wildcards(Subject& subject) {
  const std::array<DeviceAddress, 3> patterns{
      DeviceAddress{protocol::kAllShelves, subject.address().slot},
      DeviceAddress{subject.address().shelf, protocol::kAllSlots},
      DeviceAddress{protocol::kAllShelves, protocol::kAllSlots}};
  const std::array<const char*, 3> names{"any shelf", "any slot", "any shelf and slot"};
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const Bytes frame =
        with_header(subject.config_frame(ConfigCommand::read), [&](FrameHeader& header) {
          header.destination = MacAddress::broadcast();
          header.address = patterns.at(i);
        });
    // Others may answer the same question: ours has to be among them.
    const auto answers = subject.ask_all(frame);
    const bool is_there = std::ranges::any_of(answers, [&](const Answer& answer) {
      return answer.header.source == subject.mac() && answer.header.address == subject.address();
    });
    if (!is_there) {
      return broken(fmt::format("{}: no answer with its own address", names.at(i)));
    }
  }
  return right();
}

Finding check_other_address(Subject& subject) {
  // Of all addresses the one a target is least likely to have: unset shelf 0xFFF, last slot.
  static constexpr DeviceAddress kOther{protocol::kUnsetShelf, Slot{254}};
  const Bytes frame = with_header(subject.config_frame(ConfigCommand::read),
                                  [](FrameHeader& header) { header.address = kOther; });
  for (const Answer& answer : subject.ask_all(frame)) {
    if (answer.header.address == subject.address()) {
      return broken(fmt::format("answers what was sent to {}", to_string(kOther)));
    }
  }
  return right();
}

Finding silent(Subject& subject, const Bytes& frame) {
  const auto answers = subject.ask_all(frame);
  return answers.empty() ? right() : broken("answers: " + answers.front().text());
}

Finding check_response_ignored(Subject& subject) {
  // No config answer: a target would take it for another one that announces its address.
  const Bytes frame =
      with_header(subject.identify_frame(), [](FrameHeader& header) { header.is_response = true; });
  return silent(subject, frame);
}

Finding check_group_source(Subject& subject) {
  Bytes frame =
      subject.has_disk() ? subject.identify_frame() : subject.config_frame(ConfigCommand::read);
  FrameHeader header = *protocol::parse_header(frame);
  header.source = MacAddress::broadcast();
  set_header(frame, header);
  const auto answers = subject.ask_all(frame);
  return answers.empty()
             ? right()
             : broken(fmt::format("answers {} bytes to {}", answers.front().frame.size(),
                                  to_string(answers.front().header.destination)));
}

Finding check_error_flag(Subject& subject) {
  const Bytes frame =
      with_header(subject.config_frame(ConfigCommand::read), [](FrameHeader& header) {
        header.is_error = true;
        header.error = 9;
      });
  const auto answer = subject.ask_maybe(frame);
  if (!answer) {
    return right("no answer");
  }
  return answer->header.is_error || answer->header.error != 0
             ? broken(fmt::format("answers with our error {}", answer->header.error))
             : right();
}

Finding check_reserved_flags(Subject& subject) {
  Bytes frame = subject.config_frame(ConfigCommand::read);
  store_u8(frame, kFlagsAt, load_u8(frame, kFlagsAt) | 0x03U);
  const auto answer = subject.ask(frame);
  if (!answer) {
    return broken("no answer");
  }
  return reserved_flags(*answer) == 0 ? right() : broken("sends the reserved flags back");
}

Finding check_other_version(Subject& subject) {
  const Bytes frame = with_header(subject.config_frame(ConfigCommand::read),
                                  [](FrameHeader& header) { header.version = 2; });
  const auto answer = subject.ask_maybe(frame);
  if (!answer) {
    return right("no answer");
  }
  return answer->is_aoe_error(AoeError::unsupported_version)
             ? right()
             : broken(fmt::format("{}, in version {}", answer->text(), answer->header.version));
}

Finding check_version_zero(Subject& subject) {
  const Bytes frame = with_header(subject.config_frame(ConfigCommand::read),
                                  [](FrameHeader& header) { header.version = 0; });
  const auto answer = subject.ask(frame);
  if (!answer) {
    return broken("no answer");
  }
  return answer->header.is_error ? broken(answer->text()) : right();
}

Finding unknown_command(Subject& subject, std::uint8_t code) {
  FrameHeader header = subject.header(Command::config);
  header.command = code;
  const auto answer = subject.ask(subject.frame(header));
  if (!answer) {
    return broken("no answer");
  }
  return answer->is_aoe_error(AoeError::unknown_command) ? right() : broken(answer->text());
}

Finding check_unknown_command(Subject& subject) {
  return unknown_command(subject, kUnknownCommand);
}

Finding check_vendor_command(Subject& subject) {
  return unknown_command(subject, 0xF7);
}

Finding check_unpadded(Subject& subject) {
  Bytes frame = subject.config_frame(ConfigCommand::read);
  frame.resize(protocol::kConfigHeaderBytes);
  return subject.ask(frame) ? right() : broken("no answer");
}

Finding check_runt(Subject& subject) {
  Bytes frame = subject.config_frame(ConfigCommand::read);
  frame.resize(protocol::kEthernetHeaderBytes + 4);
  return silent(subject, frame);
}

Finding check_padded(Subject& subject) {
  FrameHeader unknown = subject.header(Command::config);
  unknown.command = kUnknownCommand;
  for (const Bytes& question :
       {subject.config_frame(ConfigCommand::read), subject.frame(unknown)}) {
    const auto answer = subject.ask(question);
    if (!answer) {
      return broken("no answer");
    }
    if (answer->frame.size() < protocol::kFrameBytesMin) {
      return broken(fmt::format("an answer of {} bytes, not {}", answer->frame.size(),
                                protocol::kFrameBytesMin));
    }
  }
  return right();
}

Finding check_clean_padding(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried("it does not identify itself");
  }
  protocol::AtaArgument registers;
  registers.command_status = static_cast<std::uint8_t>(protocol::AtaOp::check_power);
  const auto answer = subject.ask(subject.ata_frame(registers));
  if (!answer) {
    return broken("no answer");
  }
  for (const std::byte byte : answer->data()) {
    const auto value = std::to_integer<std::uint8_t>(byte);
    // Our own bytes tell nobody anything new.
    if (value != 0 && value != Subject::kPadding) {
      return broken(fmt::format("{:02X}h behind the registers of an answer", value));
    }
  }
  return right();
}

constexpr std::array kChecks{
    Check{"header.reply",
          "an answer goes to the asker with the address, command and tag of the question",
          "AoEr11 2.3", Verdict::wrong, Touches::nothing, check_reply},
    Check{"header.wildcards",
          "questions to any shelf and any slot are answered with the real address", "AoEr11 2.2",
          Verdict::wrong, Touches::nothing, check_wildcards},
    Check{"header.other_address", "questions to another address are left alone", "AoEr11 2.2",
          Verdict::dangerous, Touches::nothing, check_other_address},
    Check{"header.response_ignored", "what has the response flag is never answered", "AoEr11 2.1",
          Verdict::dangerous, Touches::nothing, check_response_ignored},
    Check{"header.group_source", "a group address is nobody to answer to: others would be flooded",
          "IEEE 802 8.2", Verdict::dangerous, Touches::nothing, check_group_source},
    Check{"header.error_flag", "the error field of a question means nothing", "AoEr11 2.1",
          Verdict::wrong, Touches::nothing, check_error_flag},
    Check{"header.reserved_flags", "reserved flags are ignored, and sent as 0", "AoEr11 2.1",
          Verdict::wrong, Touches::nothing, check_reserved_flags},
    Check{"header.other_version", "another protocol version is error 5 or silence", "AoEr11 2.4",
          Verdict::wrong, Touches::nothing, check_other_version},
    Check{"header.version_zero", "version 0 is answered: old Linux drivers send it", "aoe driver",
          Verdict::wrong, Touches::nothing, check_version_zero},
    Check{"header.unknown_command", "a command nobody knows is error 1", "AoEr11 2.4",
          Verdict::wrong, Touches::nothing, check_unknown_command},
    Check{"header.vendor_command", "a vendor's command it does not know is error 1", "AoEr11 2.4",
          Verdict::wrong, Touches::nothing, check_vendor_command},
    Check{"header.unpadded", "frames below 60 bytes are served: virtual links do not pad",
          "veth, tap", Verdict::wrong, Touches::nothing, check_unpadded},
    Check{"header.runt", "half a header is dropped", "AoEr11 2.1", Verdict::wrong, Touches::nothing,
          check_runt},
    Check{"header.padded",
          "answers have 60 bytes on links that do not pad: aoeping drops shorter ones",
          "aoetools 36", Verdict::wrong, Touches::nothing, check_padded},
    Check{"header.clean_padding", "nothing of its memory is in the padding of an answer",
          "RFC 1042, CVE-2003-0001", Verdict::dangerous, Touches::nothing, check_clean_padding},
};

}  // namespace

std::span<const Check> header_checks() {
  return kChecks;
}

}  // namespace aoe::tools::conform
