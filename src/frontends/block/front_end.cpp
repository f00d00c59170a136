#include "frontends/block/front_end.h"

#include "frontends/block/nbd_front_end.h"
#include "frontends/block/ublk_front_end.h"
#include "os/loop_device.h"
#include "os/nbd_device.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace aoe::block {
namespace {

constexpr std::string_view kSourcePrefix = "aoe:";

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
  return std::string(kSourcePrefix) + to_string(address);
}

std::optional<DeviceAddress> address_of_source(std::string_view name) {
  return name.starts_with(kSourcePrefix) ? parse_device_address(name.substr(kSourcePrefix.size()))
                                         : std::nullopt;
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

Result<Attached> attach_by(std::string_view via, const Source& source,
                           std::span<const FrontEnd> from) {
  Attached attached;
  std::string names = "auto";
  bool is_known = via == "auto";
  std::optional<Error> failed;
  const auto pass_over = [&](const std::string& why) {
    attached.passed_over += (attached.passed_over.empty() ? "" : "; ") + why;
  };
  for (const FrontEnd& front_end : from) {
    names += fmt::format(", {}", front_end.name);
    if (via != "auto" && via != front_end.name) {
      continue;
    }
    is_known = true;
    if (const auto works = front_end.check(); !works) {
      pass_over(fmt::format("no {}: {}", front_end.name, works.error().message));
      continue;
    }
    auto device = front_end.attach(source);
    if (device) {
      attached.front_end = &front_end;
      attached.device = *std::move(device);
      return attached;
    }
    failed = std::move(device).error();
    pass_over(fmt::format("{} failed: {}", front_end.name, failed->message));
  }
  if (!is_known) {
    return fail_with(Errc::invalid_argument, 0, fmt::format("\"{}\": expected {}", via, names));
  }
  if (via != "auto" && failed) {
    return fail(*std::move(failed));
  }
  // What the last one met is nearest to the truth about the disk.
  return fail_with(failed ? failed->code : Errc::unsupported, failed ? failed->os_errno : 0,
                   attached.passed_over);
}

std::vector<Survivor> find_survivors() {
  std::vector<Survivor> survivors;
  std::error_code failed;
  for (std::filesystem::directory_iterator at("/sys/block", failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    for (const FrontEnd& front_end : kFrontEnds) {
      if (front_end.carrier != Carrier::own || !name.starts_with(front_end.name)) {
        continue;
      }
      const std::string device = "/dev/" + name;
      if (const auto address = address_of_source(front_end.source_of(device))) {
        survivors.push_back({*address, device, &front_end});
      }
    }
  }
  return survivors;
}

}  // namespace aoe::block
