// The MAC mask list and reservations (AoEr11 3.3, 3.4). The ones that edit the mask come last of
// all: a target that does it wrong locks this host out.
#include "tools/conform/check.h"
#include "tools/conform/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aoe::tools::conform {
namespace {

using protocol::AoeError;
using protocol::FrameHeader;
using protocol::MaskAction;
using protocol::MaskCommand;
using protocol::MaskDirective;
using protocol::ReserveCommand;

// A station that is not there (locally administered).
constexpr MacAddress kNobody{{0x02, 0xC0, 0x4F, 0x04, 0x06, 0x0D}};

const char* const kReservedNow = "somebody has reserved it";
const char* const kMaskedNow = "its mask list is not empty";

std::string text_of(const std::optional<Answer>& answer) {
  return answer ? answer->text() : "no answer";
}

Finding check_reserve_read(Subject& subject) {
  const auto answer = subject.ask(subject.reserve_frame(ReserveCommand::read));
  if (!answer || !holders_of(*answer)) {
    return broken(text_of(answer));
  }
  return right(fmt::format("{} holders", holders_of(*answer)->size()));
}

Finding check_reserve_subcommand(Subject& subject) {
  const auto answer = subject.ask(subject.reserve_frame(static_cast<ReserveCommand>(7)));
  return answer && answer->is_aoe_error(AoeError::bad_argument) ? right() : broken(text_of(answer));
}

Finding check_mask_read(Subject& subject) {
  const auto answer = subject.ask(subject.mask_frame(MaskCommand::read));
  if (!answer || !mask_of(*answer)) {
    return broken(text_of(answer));
  }
  return right(fmt::format("{} addresses", mask_of(*answer)->size()));
}

Finding check_mask_subcommand(Subject& subject) {
  const auto answer = subject.ask(subject.mask_frame(static_cast<MaskCommand>(7)));
  return answer && answer->is_aoe_error(AoeError::bad_argument) ? right() : broken(text_of(answer));
}

// Releases at the end what a check reserved.
class Reservation {
 public:
  Reservation(Subject& subject, const MacAddress& holder) : subject_(subject) {
    const auto before = subject.read_holders();
    if (!before || !before->empty()) {
      reason_ = before ? kReservedNow : "it does not say who holds it";
      return;
    }
    const auto answer = subject.ask(subject.reserve_frame(ReserveCommand::set, {&holder, 1}));
    if (!answer || answer->header.is_error) {
      reason_ = "it cannot be reserved from here: " + text_of(answer);
      return;
    }
    is_held_ = true;
  }

  ~Reservation() {
    if (is_held_) {
      static_cast<void>(subject_.ask(subject_.reserve_frame(ReserveCommand::force_set)));
    }
  }

  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  Subject& subject_;
  bool is_held_ = false;
  std::string reason_;
};

Finding check_reserve_fences(Subject& subject) {
  if (!subject.has_disk()) {
    return not_tried("it does not identify itself");
  }
  const Reservation reservation(subject, kNobody);
  if (!reservation.reason().empty()) {
    return not_tried(reservation.reason());
  }
  const auto read = subject.ask(subject.read_frame(Lba{0}, 1));
  if (!read || !read->is_aoe_error(AoeError::target_reserved)) {
    return broken("held by somebody else, and a read says " + text_of(read));
  }
  const auto config = subject.ask(subject.config_frame(protocol::ConfigCommand::read));
  if (!config || config->header.is_error) {
    return broken("held by somebody else, and a config query says " + text_of(config));
  }
  const auto set = subject.ask(subject.reserve_frame(ReserveCommand::set));
  const auto holders = subject.read_holders();
  const bool is_kept = holders && *holders == std::vector{kNobody};
  if (!set || !set->is_aoe_error(AoeError::target_reserved) || !is_kept) {
    return broken("somebody who does not hold it can release it: " + text_of(set));
  }
  return right();
}

Finding check_reserve_force(Subject& subject) {
  const Reservation reservation(subject, kNobody);
  if (!reservation.reason().empty()) {
    return not_tried(reservation.reason());
  }
  const MacAddress own = subject.own_mac();
  const auto answer = subject.ask(subject.reserve_frame(ReserveCommand::force_set, {&own, 1}));
  const auto holders = subject.read_holders();
  return answer && !answer->header.is_error && holders && *holders == std::vector{own}
             ? right()
             : broken(text_of(answer));
}

Finding check_reserve_count(Subject& subject) {
  const auto before = subject.read_holders();
  if (!before || !before->empty()) {
    return not_tried(before ? kReservedNow : "it does not say who holds it");
  }
  Bytes frame = subject.reserve_frame(ReserveCommand::set, {&kNobody, 1});
  constexpr std::size_t kCountAt = protocol::kReserveHeaderBytes - 1;
  store_u8(frame, kCountAt, 200);
  frame.resize(protocol::kReserveHeaderBytes + 6);
  subject.tell(frame);
  const auto after = subject.read_holders();
  if (after && after->empty()) {
    return right();
  }
  static_cast<void>(subject.ask(subject.reserve_frame(ReserveCommand::force_set)));
  return broken("200 addresses are taken from a frame with one");
}

MaskDirective directive(MaskAction action, const MacAddress& mac) {
  return {static_cast<std::uint8_t>(action), mac};
}

std::optional<Answer> edit(Subject& subject, std::span<const MaskDirective> directives) {
  return subject.ask(subject.mask_frame(MaskCommand::edit, directives));
}

// Empties the mask again.
void clear_mask(Subject& subject) {
  const std::array directives{directive(MaskAction::remove, kNobody),
                              directive(MaskAction::remove, subject.own_mac())};
  static_cast<void>(edit(subject, directives));
}

bool is_mask(Subject& subject, std::vector<MacAddress> expected) {
  auto list = subject.read_mask();
  if (!list) {
    return false;
  }
  std::ranges::sort(*list);
  std::ranges::sort(expected);
  return *list == expected;
}

const char* const kNoEdits = "its mask cannot be edited from here";

Finding check_mask_edit(Subject& subject) {
  const auto before = subject.read_mask();
  if (!before || !before->empty()) {
    return not_tried(before ? kMaskedNow : "it has no mask");
  }
  const MacAddress own = subject.own_mac();
  // One's own address first: whoever is not in the list is not heard any more.
  const std::array add{directive(MaskAction::add, own), directive(MaskAction::add, kNobody),
                       directive(MaskAction::add, kNobody)};
  const auto added = edit(subject, add);
  if (!added || added->header.is_error || !mask_of(*added)) {
    return not_tried(kNoEdits);
  }
  if (!is_mask(subject, {own, kNobody})) {
    clear_mask(subject);
    return broken("two addresses added, and the list holds something else");
  }
  const std::array unknown{directive(static_cast<MaskAction>(9), kNobody)};
  const auto refused = edit(subject, unknown);
  if (!refused || refused->header.is_error || load_u8(refused->frame, 26) != 2) {
    clear_mask(subject);
    return broken("an unknown directive is no mask error 2: " + text_of(refused));
  }
  const std::array remove{directive(MaskAction::remove, kNobody)};
  static_cast<void>(edit(subject, remove));
  if (!is_mask(subject, {own})) {
    clear_mask(subject);
    return broken("an address removed, and the list holds something else");
  }
  clear_mask(subject);
  return is_mask(subject, {}) ? right() : broken("the last address cannot be removed");
}

Finding check_mask_count(Subject& subject) {
  const auto before = subject.read_mask();
  if (!before || !before->empty()) {
    return not_tried(before ? kMaskedNow : "it has no mask");
  }
  const MacAddress own = subject.own_mac();
  const std::array add{directive(MaskAction::add, own)};
  const auto added = edit(subject, add);
  if (!added || added->header.is_error || !mask_of(*added)) {
    return not_tried(kNoEdits);
  }
  Bytes frame = subject.mask_frame(MaskCommand::edit);
  constexpr std::size_t kCountAt = protocol::kMaskHeaderBytes - 1;
  store_u8(frame, kCountAt, 5);
  frame.resize(protocol::kMaskHeaderBytes);
  subject.tell(frame);
  const bool is_same = is_mask(subject, {own});
  clear_mask(subject);
  return is_same ? right() : broken("five directives are taken from a frame with none");
}

constexpr std::array kChecks{
    Check{"reserve.read", "who holds the reservation can be asked", "AoEr11 3.4", Verdict::wrong,
          Touches::nothing, check_reserve_read},
    Check{"reserve.unknown_subcommand", "a sub-command nobody knows is error 2", "AoEr11 3.4",
          Verdict::wrong, Touches::nothing, check_reserve_subcommand},
    Check{"mask.read", "the mask can be asked for", "AoEr11 3.3", Verdict::wrong, Touches::nothing,
          check_mask_read},
    Check{"mask.unknown_subcommand", "a sub-command nobody knows is error 2", "AoEr11 3.3",
          Verdict::wrong, Touches::nothing, check_mask_subcommand},
    Check{"reserve.fences", "others cannot read, and cannot release it; config queries go on",
          "AoEr11 3.4", Verdict::dangerous, Touches::state, check_reserve_fences},
    Check{"reserve.force", "force set takes it over: how a cluster fences", "AoEr11 3.4",
          Verdict::wrong, Touches::state, check_reserve_force},
    Check{"reserve.count", "a list that is not all there changes nothing", "AoEr11 3.4",
          Verdict::dangerous, Touches::state, check_reserve_count},
    Check{"mask.edit", "addresses are added and removed, each once; unknown directives are refused",
          "AoEr11 3.3", Verdict::wrong, Touches::state, check_mask_edit},
    Check{"mask.count", "directives that are not all there change nothing", "AoEr11 3.3",
          Verdict::dangerous, Touches::state, check_mask_count},
};

}  // namespace

std::span<const Check> list_checks() {
  return kChecks;
}

}  // namespace aoe::tools::conform
