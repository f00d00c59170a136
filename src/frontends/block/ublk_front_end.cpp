#include "frontends/block/ublk_front_end.h"

#include "frontends/ublk/control.h"
#include "frontends/ublk/request.h"
#include "os/block_device_users.h"
#include "os/fd.h"
#include "os/run_program.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace aoe::block {
namespace {

constexpr std::string_view kProgram = "aoe-ublk";

// Beside this program, wherever that is.
std::string find_program() {
  return (std::filesystem::path(os::own_executable()).parent_path() / kProgram).string();
}

// The kernel looks for partitions when the device is added or opened first.
void look_for_partitions(const std::string& device) {
  const os::Fd opened(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
}

Result<std::string> run(const std::vector<std::string>& options, const std::string& uri) {
  std::vector<std::string> arguments{find_program()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(uri);
  AOE_TRY_ASSIGN(os::ProgramOutcome outcome, os::run_program(arguments));
  if (outcome.status != 0) {
    return fail_with(Errc::unavailable, 0, ublk_complaint(outcome.errors));
  }
  while (outcome.output.ends_with('\n')) {
    outcome.output.pop_back();
  }
  return std::move(outcome.output);
}

// nullopt when it is none of ours, or gone.
Result<std::optional<ublk::uapi::DeviceInfo>> find_device(ublk::Control& control,
                                                          const std::string& device) {
  const auto number = ublk::device_number(device);
  if (!number) {
    return std::nullopt;
  }
  const auto info = control.info(*number);
  if (!info && info.error().code != Errc::not_found) {
    return fail(info.error());
  }
  return info && ublk::decode_mark(info->ublksrv_flags) ? std::optional(*info) : std::nullopt;
}

}  // namespace

std::string ublk_complaint(const std::string& errors) {
  std::string_view line = errors;
  line.remove_prefix(line.rfind('\n') + 1);
  constexpr std::string_view kPrefix = "aoe-ublk: ";
  if (line.starts_with(kPrefix)) {
    line.remove_prefix(kPrefix.size());
  }
  return line.empty() ? fmt::format("{} says nothing", kProgram) : std::string(line);
}

Result<void> check_ublk() {
  AOE_TRY_ASSIGN(const auto control, ublk::Control::open());
  // Linux before 6.5 does not tell what it has: then the attempt shows it.
  if (const std::uint64_t features = control->features();
      features != 0 && (features & ublk::uapi::kFlagUserRecoveryReissue) == 0) {
    return fail_with(Errc::unsupported, 0, "this kernel loses a device with its server");
  }
  const std::string program = find_program();
  if (::access(program.c_str(), X_OK) != 0) {
    return fail_with(Errc::unsupported, 0, fmt::format("{}: not installed", program));
  }
  return {};
}

Result<std::string> attach_ublk(const Source& source) {
  AOE_TRY_ASSIGN(std::string device, run({}, source.uri));
  look_for_partitions(device);
  return device;
}

Result<void> detach_ublk(const std::string& device) {
  AOE_TRY_ASSIGN(const auto control, ublk::Control::open());
  AOE_TRY_ASSIGN(const auto info, find_device(*control, device));
  if (!info) {
    return {};
  }
  AOE_TRY_ASSIGN(os::Fd claim, os::claim_block_device(device));
  AOE_TRY(control->stop(info->dev_id));
  claim.reset();
  return control->remove(info->dev_id);
}

Result<void> update_ublk_size(const std::string& device, std::uint64_t bytes) {
  AOE_TRY_ASSIGN(const auto control, ublk::Control::open());
  AOE_TRY_ASSIGN(const auto info, find_device(*control, device));
  return info ? control->update_size(info->dev_id, bytes) : Result<void>();
}

std::string ublk_source(const std::string& device) {
  const auto control = ublk::Control::open();
  if (!control) {
    return {};
  }
  const auto info = find_device(**control, device);
  const auto mark = info && *info ? ublk::decode_mark((*info)->ublksrv_flags) : std::nullopt;
  return mark ? name_of_source(mark->address) : std::string();
}

Result<bool> resume_ublk(const Source& source, const std::string& device) {
  AOE_TRY_ASSIGN(const auto control, ublk::Control::open());
  AOE_TRY_ASSIGN(const auto info, find_device(*control, device));
  if (!info || info->state != ublk::uapi::kStateQuiesced) {
    return false;
  }
  AOE_TRY(run({"--resume", std::to_string(info->dev_id)}, source.uri));
  return true;
}

}  // namespace aoe::block
