// One check of `aoe conform`: a question to a target, and what its answer says about the target.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace aoe::tools::conform {

class Subject;

enum class Verdict : std::uint8_t {
  right,
  wrong,      // an initiator that follows the specification has trouble with it
  dangerous,  // data can be lost or changed, others can be harmed, or the target stops
  not_tried,  // not asked for, or it makes no sense with this target
};

[[nodiscard]] const char* verdict_text(Verdict verdict);

// What a check found. `detail` says what the target did; it may be empty when that was right.
struct Finding {
  bool is_broken = false;
  bool is_tried = true;
  std::string detail{};
};

[[nodiscard]] Finding right(std::string detail = {});
[[nodiscard]] Finding broken(std::string detail);
[[nodiscard]] Finding not_tried(std::string reason);

enum class Touches : bool {
  nothing,
  state,  // writes sectors, lists or the config string (and puts back what was there)
};

struct Check {
  const char* name = "";    // "ata.read_past_end"
  const char* rule = "";    // what has to be true
  const char* source = "";  // where that comes from
  Verdict when_broken = Verdict::wrong;
  Touches touches = Touches::nothing;
  Finding (*run)(Subject& subject) = nullptr;
};

// By what they look at; each list is a table in the file of that name.
[[nodiscard]] std::span<const Check> header_checks();
[[nodiscard]] std::span<const Check> config_checks();
[[nodiscard]] std::span<const Check> ata_checks();
[[nodiscard]] std::span<const Check> write_checks();
[[nodiscard]] std::span<const Check> list_checks();

}  // namespace aoe::tools::conform
