#include "targetd/serving_record.h"

#include "base/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace aoe::targetd {
namespace {

constexpr std::string_view kTitle = "aoekit serving record 1";

// The next line of `text`, which has to begin with `name` and a space; what follows.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (!line.starts_with(name) || line.substr(name.size(), 1) != " ") {
    return std::nullopt;
  }
  line.remove_prefix(name.size() + 1);
  return line;
}

Duration what_is_left(Duration of, Duration passed) {
  // A clock that went back is not the one that was recorded.
  return passed < Duration{} ? of : std::max(Duration{}, of - passed);
}

}  // namespace

std::string ServingRecord::encode() const {
  return fmt::format("{}\nmachine {}\nboot {}\nstopped {}\nend \n", kTitle, where.machine,
                     where.boot, stopped ? std::to_string(stopped->ns) : "no");
}

std::optional<ServingRecord> ServingRecord::decode(ConstByteSpan text) {
  std::string_view rest = as_text(text);
  if (!rest.starts_with(kTitle) || rest.substr(kTitle.size(), 1) != "\n") {
    return std::nullopt;
  }
  rest.remove_prefix(kTitle.size() + 1);
  const auto machine = take_line(rest, "machine");
  const auto boot = take_line(rest, "boot");
  const auto stopped = take_line(rest, "stopped");
  const auto end = take_line(rest, "end");
  if (!machine || !boot || !stopped || !end || !rest.empty()) {
    return std::nullopt;
  }
  ServingRecord record;
  record.where = {.machine = std::string(*machine), .boot = std::string(*boot)};
  if (*stopped != "no") {
    const auto ns = parse_unsigned(*stopped);
    if (!ns || *ns > INT64_MAX) {
      return std::nullopt;
    }
    record.stopped = Instant{static_cast<std::int64_t>(*ns)};
  }
  return record;
}

bool may_take_over(const HoldQuestion& question) {
  const ServingRecord& record = question.record;
  if (question.earlier != EarlierService::recorded || question.where.machine.empty() ||
      question.where.boot.empty() || record.where != question.where || !record.stopped) {
    return false;
  }
  const Duration away = question.now - *record.stopped;
  return away >= Duration{} && away <= kHandoverLife;
}

Duration plain_write_hold(const HoldQuestion& question) {
  const Duration life = question.frame_life;
  if (question.earlier == EarlierService::none) {
    return {};
  }
  const ServingRecord& record = question.record;
  // Another machine may have taken over the address, and nothing is known of its clock.
  const bool is_this_machine = question.earlier == EarlierService::recorded &&
                               !question.where.machine.empty() && !question.where.boot.empty() &&
                               record.where.machine == question.where.machine;
  if (!is_this_machine) {
    return life;
  }
  if (record.where.boot != question.where.boot) {
    return what_is_left(life, question.now - Instant{});
  }
  return record.stopped ? what_is_left(life, question.now - *record.stopped) : life;
}

}  // namespace aoe::targetd
