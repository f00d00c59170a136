// Query Config Information (AoEr11 3.2).
#include "tools/conform/check.h"
#include "tools/conform/subject.h"

#include <fmt/format.h>

#include <array>

namespace aoe::tools::conform {
namespace {

using protocol::AoeError;
using protocol::ConfigCommand;

constexpr std::size_t kLengthAt = protocol::kConfigHeaderBytes - 2;

Finding check_read(Subject& subject) {
  const auto answer = subject.ask(subject.config_frame(ConfigCommand::read));
  if (!answer) {
    return broken("no answer");
  }
  const auto config = protocol::parse_config(answer->frame);
  if (answer->header.is_error || !config) {
    return broken(answer->header.is_error ? answer->text() : "the string is not all there");
  }
  if (config->protocol_version != protocol::kVersion ||
      config->command != static_cast<std::uint8_t>(ConfigCommand::read)) {
    return broken(
        fmt::format("version {}, sub-command {}", config->protocol_version, config->command));
  }
  const std::size_t longest =
      protocol::kAtaHeaderBytes + std::size_t{config->sector_count} * kSectorBytes;
  if (longest > subject.mtu_bytes() + protocol::kEthernetHeaderBytes) {
    return broken(fmt::format("{} sectors a request: longer than our MTU of {}",
                              config->sector_count, subject.mtu_bytes()));
  }
  return right(
      fmt::format("{} buffers, {} sectors a request", config->buffer_count, config->sector_count));
}

Finding check_buffer_count(Subject& subject) {
  const auto answer = subject.ask(subject.config_frame(ConfigCommand::read));
  const auto config = answer ? protocol::parse_config(answer->frame)
                             : Result<protocol::ConfigFrame, protocol::WireError>(
                                   tl::unexpect, protocol::WireError::runt);
  if (!config) {
    return broken("no answer");
  }
  return config->buffer_count >= 2
             ? right()
             : broken(fmt::format("{}: the Linux driver stalls", config->buffer_count));
}

Finding check_sector_count(Subject& subject) {
  // 0 is what targets say that are older than AoEr10: one or two.
  return subject.config().sector_count == 1
             ? broken("1 sector: initiators send requests of 1024 bytes to everybody")
             : right();
}

Finding check_buffers_hold(Subject& subject) {
  constexpr std::uint16_t kTogetherMax = 256;
  if (!subject.has_disk() || subject.sector_count() == 0) {
    return not_tried("it does not identify itself");
  }
  const std::uint16_t count = std::min(subject.config().buffer_count, kTogetherMax);
  std::vector<Bytes> frames;
  for (std::uint16_t i = 0; i < count; ++i) {
    frames.push_back(subject.read_frame(Lba{i % subject.sector_count()}, 1));
  }
  const std::size_t answered = subject.ask_together(frames).size();
  return answered == count
             ? right(fmt::format("{} requests at once", count))
             : broken(fmt::format("{} answers to {} requests at once", answered, count));
}

Finding check_read_length(Subject& subject) {
  Bytes frame = subject.config_frame(ConfigCommand::read);
  store_be16(frame, kLengthAt, protocol::kConfigStringBytesMax);
  return subject.ask(frame) ? right() : broken("no answer");
}

Finding check_test(Subject& subject) {
  const auto same = subject.ask(subject.config_frame(ConfigCommand::test, subject.config_string()));
  if (!same || same->header.is_error) {
    return broken(same ? same->text() : "silent although the string is the same");
  }
  const auto other =
      subject.ask_all(subject.config_frame(ConfigCommand::test, bytes_of("conform: not this one")));
  return other.empty() ? right() : broken("answers to another string: " + other.front().text());
}

Finding check_prefix(Subject& subject) {
  const auto empty = subject.ask(subject.config_frame(ConfigCommand::prefix_test));
  if (!empty || empty->header.is_error) {
    return broken(empty ? empty->text() : "silent although nothing is a prefix of everything");
  }
  Bytes longer = subject.config_string();
  longer.resize(std::min(longer.size(), protocol::kConfigStringBytesMax - 1));
  longer.push_back(std::byte{'\x7F'});
  const auto other = subject.ask_all(subject.config_frame(ConfigCommand::prefix_test, longer));
  return other.empty() ? right() : broken("answers to what is no prefix: " + other.front().text());
}

Finding check_unknown_subcommand(Subject& subject) {
  const auto answer = subject.ask(subject.config_frame(static_cast<ConfigCommand>(9)));
  if (!answer) {
    return broken("no answer");
  }
  return answer->is_aoe_error(AoeError::bad_argument) ? right() : broken(answer->text());
}

// Puts the string back that was there before.
class StringKeeper {
 public:
  explicit StringKeeper(Subject& subject)
      : subject_(subject), before_(subject.read_config_string()) {}

  ~StringKeeper() {
    if (before_) {
      static_cast<void>(subject_.force_config_string(*before_));
    }
  }

  StringKeeper(const StringKeeper&) = delete;
  StringKeeper& operator=(const StringKeeper&) = delete;

 private:
  Subject& subject_;
  std::optional<Bytes> before_;
};

const char* const kRefuses = "it lets nobody change its config string from here";

bool is_string(Subject& subject, ConstByteSpan string) {
  const auto now = subject.read_config_string();
  return now && std::ranges::equal(*now, string);
}

Finding check_set(Subject& subject) {
  const StringKeeper keeper(subject);
  const ConstByteSpan first = bytes_of("conform first");
  const ConstByteSpan second = bytes_of("conform second");
  if (!subject.force_config_string(first)) {
    return not_tried(kRefuses);
  }
  if (!is_string(subject, first)) {
    return broken("says that it was set, and has another string");
  }
  const auto refused = subject.ask(subject.config_frame(ConfigCommand::set, second));
  if (!refused || !refused->is_aoe_error(AoeError::config_string_present)) {
    return broken(
        fmt::format("set over another string: {}", refused ? refused->text() : "no answer"));
  }
  if (!is_string(subject, first)) {
    return broken("set over another string: error 4, and the string changed");
  }
  if (!subject.force_config_string({}) || !is_string(subject, {})) {
    return broken("it cannot be emptied");
  }
  const auto accepted = subject.ask(subject.config_frame(ConfigCommand::set, second));
  if (!accepted || accepted->header.is_error || !is_string(subject, second)) {
    return broken(
        fmt::format("set over an empty string: {}", accepted ? accepted->text() : "no answer"));
  }
  const auto again = subject.ask(subject.config_frame(ConfigCommand::set, second));
  return again && !again->header.is_error ? right()
                                          : broken(
                                                "set of the same string again is refused: a "
                                                "repeated question has another answer");
}

const char* const kTooLong = "a frame with the longest string is longer than our MTU";

// With one byte more.
bool fits_longest(const Subject& subject) {
  const std::size_t frame_bytes = protocol::kConfigHeaderBytes + protocol::kConfigStringBytesMax;
  return frame_bytes + 1 <= subject.mtu_bytes() + protocol::kEthernetHeaderBytes;
}

Finding check_long_string(Subject& subject) {
  if (!fits_longest(subject)) {
    return not_tried(kTooLong);
  }
  const StringKeeper keeper(subject);
  const Bytes longest(protocol::kConfigStringBytesMax, std::byte{'c'});
  if (!subject.force_config_string(bytes_of("conform"))) {
    return not_tried(kRefuses);
  }
  if (!subject.force_config_string(longest) || !is_string(subject, longest)) {
    return broken("1024 bytes are refused");
  }
  const Bytes too_long(protocol::kConfigStringBytesMax + 1, std::byte{'d'});
  static_cast<void>(subject.force_config_string(too_long));
  return is_string(subject, longest) ? right() : broken("1025 bytes changed it");
}

Finding check_test_length(Subject& subject) {
  if (!fits_longest(subject)) {
    return not_tried(kTooLong);
  }
  const StringKeeper keeper(subject);
  // Of one letter, so that whatever the frame of this leaves in a buffer goes on with the short
  // one.
  const Bytes longest(protocol::kConfigStringBytesMax, std::byte{'c'});
  if (!subject.force_config_string(longest)) {
    return not_tried(kRefuses);
  }
  Bytes frame = subject.config_frame(ConfigCommand::prefix_test, ConstByteSpan(longest).first(28));
  constexpr std::uint16_t kStated = 900;
  store_be16(frame, kLengthAt, kStated);
  const auto answer = subject.ask_maybe(frame);
  return !answer || answer->header.is_error ? right() : broken("takes 900 bytes of a frame of 60");
}

Finding check_set_length(Subject& subject) {
  const StringKeeper keeper(subject);
  const ConstByteSpan string = bytes_of("conform");
  if (!subject.force_config_string(string)) {
    return not_tried(kRefuses);
  }
  Bytes frame = subject.config_frame(ConfigCommand::force_set, bytes_of("abc"));
  constexpr std::uint16_t kStated = 0x103;
  store_be16(frame, kLengthAt, kStated);
  subject.tell(frame);
  return is_string(subject, string) ? right() : broken("stores 259 bytes of a frame of 60");
}

constexpr std::array kChecks{
    Check{"config.read", "version 1, its string whole, no more sectors than the MTU carries",
          "AoEr11 3.2", Verdict::wrong, Touches::nothing, check_read},
    Check{"config.buffer_count", "two buffers or more", "aoe driver", Verdict::wrong,
          Touches::nothing, check_buffer_count},
    Check{"config.sector_count", "two sectors or more in a request", "aoe driver", Verdict::wrong,
          Touches::nothing, check_sector_count},
    Check{"config.buffers_hold", "as many requests at once as it says it has buffers for",
          "AoEr11 3.2", Verdict::wrong, Touches::nothing, check_buffers_hold},
    Check{"config.read_length", "the string length of a read means nothing: aoeping sends 1024",
          "aoeping 36", Verdict::wrong, Touches::nothing, check_read_length},
    Check{"config.test", "test is answered to the very string only", "AoEr11 3.2", Verdict::wrong,
          Touches::nothing, check_test},
    Check{"config.prefix", "prefix test is answered to a prefix only", "AoEr11 3.2", Verdict::wrong,
          Touches::nothing, check_prefix},
    Check{"config.unknown_subcommand", "a sub-command nobody knows is error 2", "AoEr11 3.2",
          Verdict::wrong, Touches::nothing, check_unknown_subcommand},
    Check{"config.set",
          "set fills an empty string only (error 4), force set any; both can be repeated",
          "AoEr11 3.2", Verdict::wrong, Touches::state, check_set},
    Check{"config.long_string", "1024 bytes are stored, 1025 refused", "AoEr11 3.2", Verdict::wrong,
          Touches::state, check_long_string},
    Check{"config.test_length", "a string that is not all there is compared with nothing",
          "AoEr11 3.2", Verdict::dangerous, Touches::state, check_test_length},
    Check{"config.set_length", "a string that is not all there is not stored", "AoEr11 3.2",
          Verdict::dangerous, Touches::state, check_set_length},
};

}  // namespace

std::span<const Check> config_checks() {
  return kChecks;
}

}  // namespace aoe::tools::conform
