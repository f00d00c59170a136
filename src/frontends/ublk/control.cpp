#include "frontends/ublk/control.h"

#include "base/check.h"
#include "base/parse.h"
#include "os/error_text.h"
#include "os/uring_command.h"

#include <fmt/format.h>

#include <fcntl.h>

#include <cerrno>
#include <span>
#include <string_view>

namespace aoe::ublk {
namespace {

constexpr const char* kNode = "/dev/ublk-control";
constexpr unsigned kRingEntries = 4;
constexpr std::string_view kBlockPrefix = "/dev/ublkb";

template <class T>
uapi::ControlCommand command_with(std::uint32_t number, const T& data) {
  uapi::ControlCommand command;
  command.dev_id = number;
  command.len = sizeof data;
  command.addr = os::address_of(&data);
  return command;
}

uapi::ControlCommand command_for(std::uint32_t number, std::uint64_t data = 0) {
  uapi::ControlCommand command;
  command.dev_id = number;
  command.data[0] = data;
  return command;
}

}  // namespace

Result<std::unique_ptr<Control>> Control::open() {
  os::Fd device(::open(kNode, O_RDWR | O_CLOEXEC));
  if (!device && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
    return fail_with(
        Errc::unsupported, errno,
        fmt::format("this kernel has no ublk ({} is missing: modprobe ublk_drv)", kNode));
  }
  if (!device) {
    return fail(os::os_error(errno, std::string(kNode) + ": open"));
  }
  std::unique_ptr<Control> control(new Control(std::move(device)));
  if (const int result = io_uring_queue_init(kRingEntries, &control->ring_, IORING_SETUP_SQE128);
      result < 0) {
    return fail_with(Errc::unsupported, -result,
                     fmt::format("no io_uring for ublk: {}", os::error_text(-result)));
  }
  control->has_ring_ = true;
  return control;
}

Control::~Control() {
  if (has_ring_) {
    io_uring_queue_exit(&ring_);
  }
}

Result<void> Control::send(std::uint32_t operation, const uapi::ControlCommand& command,
                           const char* what) {
  io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
  AOE_CHECK(entry != nullptr, "one command at a time finds room in its ring");
  os::prepare_uring_command(*entry, device_.get(), operation,
                            std::as_bytes(std::span(&command, 1)));
  io_uring_cqe* done = nullptr;
  int result = io_uring_submit(&ring_);
  while (result >= 0) {
    result = io_uring_wait_cqe(&ring_, &done);
    if (result == 0) {
      result = done->res;
      io_uring_cqe_seen(&ring_, done);
      break;
    }
    result = result == -EINTR ? 0 : result;
  }
  if (result < 0) {
    const Errc code = result == -ENODEV       ? Errc::not_found
                      : result == -EBUSY      ? Errc::busy
                      : result == -EOPNOTSUPP ? Errc::unsupported
                                              : os::errc_of_errno(-result);
    return fail_with(code, -result, fmt::format("ublk: {}: {}", what, os::error_text(-result)));
  }
  return {};
}

std::uint64_t Control::features() {
  std::uint64_t features = 0;
  // The driver asks for a number that it does not look at.
  const bool is_known =
      send(uapi::kGetFeatures, command_with(~0U, features), "ask for features").has_value();
  return is_known ? features : 0;
}

Result<uapi::DeviceInfo> Control::add(uapi::DeviceInfo info) {
  info.dev_id = ~0U;
  AOE_TRY(send(uapi::kAddDevice, command_with(info.dev_id, info), "add a device"));
  return info;
}

Result<uapi::DeviceInfo> Control::info(std::uint32_t number) {
  uapi::DeviceInfo info;
  AOE_TRY(send(uapi::kGetDeviceInfo, command_with(number, info), "ask for a device"));
  return info;
}

Result<void> Control::set_parameters(std::uint32_t number, uapi::Parameters parameters) {
  return send(uapi::kSetParameters, command_with(number, parameters), "set parameters");
}

Result<uapi::Parameters> Control::parameters(std::uint32_t number) {
  uapi::Parameters parameters;
  parameters.len = sizeof parameters;
  AOE_TRY(send(uapi::kGetParameters, command_with(number, parameters), "ask for parameters"));
  return parameters;
}

Result<void> Control::start(std::uint32_t number, std::int32_t server_pid) {
  return send(uapi::kStartDevice, command_for(number, static_cast<std::uint64_t>(server_pid)),
              "start the device");
}

Result<void> Control::start_recovery(std::uint32_t number) {
  return send(uapi::kStartUserRecovery, command_for(number), "start the recovery");
}

Result<void> Control::end_recovery(std::uint32_t number, std::int32_t server_pid) {
  return send(uapi::kEndUserRecovery, command_for(number, static_cast<std::uint64_t>(server_pid)),
              "end the recovery");
}

Result<void> Control::stop(std::uint32_t number) {
  return send(uapi::kStopDevice, command_for(number), "stop the device");
}

Result<void> Control::remove(std::uint32_t number) {
  return send(uapi::kDeleteDevice, command_for(number), "remove the device");
}

Result<void> Control::update_size(std::uint32_t number, std::uint64_t bytes) {
  constexpr unsigned kSectorShift = 9;
  if ((features() & uapi::kFlagUpdateSize) == 0) {
    return fail_with(Errc::unsupported, 0,
                     "ublk: this kernel keeps the size of a device (Linux 6.16 can change it)");
  }
  return send(uapi::kUpdateSize, command_for(number, bytes >> kSectorShift), "change the size");
}

std::optional<std::uint32_t> device_number(const std::string& block_device) {
  if (!block_device.starts_with(kBlockPrefix)) {
    return std::nullopt;
  }
  const auto number = parse_unsigned(std::string_view(block_device).substr(kBlockPrefix.size()));
  return number && *number < ~0U ? std::optional(static_cast<std::uint32_t>(*number))
                                 : std::nullopt;
}

std::string block_device_path(std::uint32_t number) {
  return fmt::format("{}{}", kBlockPrefix, number);
}

std::string channel_path(std::uint32_t number) {
  return fmt::format("/dev/ublkc{}", number);
}

}  // namespace aoe::ublk
