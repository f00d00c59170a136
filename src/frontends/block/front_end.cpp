#include "frontends/block/front_end.h"

#include "os/loop_device.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace aoe::block {
namespace {

// TODO(compat): ublk and nbd are known by name only; kernels that have them get a loop device.
constexpr std::string_view kNotYet = "this version of aoekit does not use it yet";

Result<void> check_node(const char* node, std::string_view what, std::string_view module) {
  if (::access(node, F_OK) != 0) {
    return fail_with(
        Errc::unsupported, 0,
        fmt::format("this kernel has no {} ({} is missing: modprobe {})", what, node, module));
  }
  return fail_with(Errc::unsupported, 0, std::string(kNotYet));
}

Result<void> check_ublk() {
  return check_node("/dev/ublk-control", "ublk", "ublk_drv");
}

Result<void> check_nbd() {
  return check_node("/dev/nbd0", "nbd", "nbd");
}

Result<std::string> attach_nothing(const Source& source) {
  return fail_with(Errc::unsupported, 0, fmt::format("{}: attach: {}", source.file, kNotYet));
}

Result<void> leave_alone(const std::string& /*device*/) {
  return {};
}

std::string no_file(const std::string& /*device*/) {
  return {};
}

Result<std::string> attach_loop(const Source& source) {
  return os::attach_loop({.file = source.file,
                          .access = source.access == Access::read_only
                                        ? os::LoopAccess::read_only
                                        : os::LoopAccess::read_write});
}

constexpr std::array kFrontEnds{
    FrontEnd{"ublk", check_ublk, attach_nothing, leave_alone, leave_alone, no_file},
    FrontEnd{"nbd", check_nbd, attach_nothing, leave_alone, leave_alone, no_file},
    FrontEnd{"loop", os::check_loop, attach_loop, os::detach_loop, os::update_loop_size,
             os::loop_file},
};

}  // namespace

std::span<const FrontEnd> front_ends() {
  return kFrontEnds;
}

const FrontEnd* find_front_end(std::string_view name) {
  const auto* const found =
      std::find_if(kFrontEnds.begin(), kFrontEnds.end(),
                   [&](const FrontEnd& front_end) { return front_end.name == name; });
  return found == kFrontEnds.end() ? nullptr : found;
}

Result<Choice> choose(std::string_view via, std::span<const FrontEnd> from) {
  Choice choice;
  std::string names = "auto";
  bool is_known = via == "auto";
  for (const FrontEnd& front_end : from) {
    names += fmt::format(", {}", front_end.name);
    if (via != "auto" && via != front_end.name) {
      continue;
    }
    is_known = true;
    const auto works = front_end.check();
    if (works) {
      choice.front_end = &front_end;
      return choice;
    }
    choice.passed_over += fmt::format("{}no {}: {}", choice.passed_over.empty() ? "" : "; ",
                                      front_end.name, works.error().message);
  }
  if (!is_known) {
    return fail_with(Errc::invalid_argument, 0, fmt::format("\"{}\": expected {}", via, names));
  }
  return fail_with(Errc::unsupported, 0, choice.passed_over);
}

}  // namespace aoe::block
