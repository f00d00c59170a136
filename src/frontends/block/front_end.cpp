#include "frontends/block/front_end.h"

#include "frontends/block/nbd_front_end.h"
#include "frontends/block/ublk_front_end.h"
#include "os/loop_device.h"
#include "os/nbd_device.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace aoe::block {
namespace {

Result<std::string> attach_loop(const Source& source) {
  return os::attach_loop({.file = source.file,
                          .access = source.access == Access::read_only
                                        ? os::LoopAccess::read_only
                                        : os::LoopAccess::read_write});
}

Result<void> update_loop_size(const std::string& device, std::uint64_t /*bytes*/) {
  return os::update_loop_size(device);
}

// What the kernel says that it has; 0 when it is gone.
std::uint64_t bytes_of(const std::string& device) {
  std::ifstream file("/sys/block/" + device.substr(device.rfind('/') + 1) + "/size");
  std::uint64_t sectors = 0;
  file >> sectors;
  return sectors * kSectorBytes;
}

Result<void> update_changed_ublk_size(const std::string& device, std::uint64_t bytes) {
  const bool is_new = bytes != 0 && bytes != bytes_of(device);
  return is_new ? update_ublk_size(device, bytes) : Result<void>();
}

// nbdkit tells a connection its size once, and the kernel's connections stay.
Result<void> refuse_nbd_size(const std::string& device, std::uint64_t bytes) {
  if (bytes == 0 || bytes == bytes_of(device)) {
    return {};
  }
  return fail_with(
      Errc::unsupported, 0,
      fmt::format("{}: nbd keeps the size it was attached with (detach and attach)", device));
}

bool is_in_sysfs(const std::string& device) {
  return ::access(("/sys/block/" + device.substr(device.rfind('/') + 1)).c_str(), F_OK) == 0;
}

bool is_nbd_connected(const std::string& device) {
  return !os::nbd_backend(device).empty();
}

Result<bool> needs_no_resume(const Source& /*source*/, const std::string& /*device*/) {
  return false;
}

constexpr std::array kFrontEnds{
    FrontEnd{"ublk", Carrier::own, check_ublk, attach_ublk, detach_ublk, update_changed_ublk_size,
             ublk_source, is_in_sysfs, resume_ublk},
    FrontEnd{"nbd", Carrier::own, check_nbd, attach_nbd, os::disconnect_nbd, refuse_nbd_size,
             os::nbd_backend, is_nbd_connected, needs_no_resume},
    FrontEnd{"loop", Carrier::daemon, os::check_loop, attach_loop, os::detach_loop,
             update_loop_size, os::loop_file, is_in_sysfs, needs_no_resume},
};

}  // namespace

std::string name_of_source(DeviceAddress address) {
  return "aoe:" + to_string(address);
}

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
