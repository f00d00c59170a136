#include "initiatord/fuse_backend.h"

#include "initiatord/daemon.h"
#include "initiatord/driver_text.h"
#include "os/clock.h"
#include "protocol/aoe_frame.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <vector>

namespace aoe::initiatord {

using fuse::ControlFile;
using fuse::InfoFile;
using initiator::SubmitError;

namespace {

int errno_of(SubmitError error) {
  switch (error) {
    case SubmitError::unknown_device:
    case SubmitError::not_ready:
    case SubmitError::closing:
      return ENODEV;
    case SubmitError::read_only:
      return EROFS;
    case SubmitError::unsupported:
      return EOPNOTSUPP;
    case SubmitError::busy:
      return EBUSY;
    case SubmitError::out_of_range:
      return ENOSPC;
    default:
      return EIO;
  }
}

int errno_of(Errc code) {
  switch (code) {
    case Errc::busy:
      return EBUSY;
    case Errc::not_found:
      return ENODEV;
    case Errc::not_permitted:
      return EPERM;
    case Errc::invalid_argument:
    case Errc::unsupported:
      return EINVAL;
    default:
      return EIO;
  }
}

// The words of a text with the driver's separators (aoenet.c).
std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view kSeparators = " \t\v\f\n\r,";
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) {
      break;
    }
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kSeparators));
    words.emplace_back(word);
    text.remove_prefix(word.size());
  }
  return words;
}

}  // namespace

const initiator::Device* FuseBackend::known(DeviceAddress address) const {
  const KeptDevice* device = daemon_.keeper().find(address);
  const initiator::Device* view = device == nullptr ? nullptr : daemon_.keeper().view(*device);
  return view != nullptr && view->sectors() > 0 ? view : nullptr;
}

std::optional<fuse::Volume> FuseBackend::volume(DeviceAddress address) {
  const initiator::Device* view = known(address);
  if (view == nullptr) {
    return std::nullopt;
  }
  const protocol::IdentifyModel& identity = *view->identity();
  return fuse::Volume{
      .sectors = view->sectors(),
      .is_read_only = view->settings().access == initiator::DeviceSettings::Access::read_only,
      .discard_reads_zero = identity.has_trim && identity.trim_reads_zero};
}

std::optional<DeviceAddress> FuseBackend::next_volume(std::optional<DeviceAddress> after) {
  while (const KeptDevice* device = daemon_.keeper().next(after)) {
    after = device->address();
    if (known(*after) != nullptr) {
      return after;
    }
  }
  return std::nullopt;
}

int FuseBackend::open(DeviceAddress address) {
  KeptDevice* device = daemon_.keeper().find(address);
  if (device == nullptr) {
    return ENODEV;
  }
  ++device->users.open_files;
  daemon_.handle_open(address);
  return 0;
}

void FuseBackend::release(DeviceAddress address) {
  // Taken by force it may be gone, or another one by now.
  KeptDevice* device = daemon_.keeper().find(address);
  if (device != nullptr && device->users.open_files > 0) {
    --device->users.open_files;
    daemon_.handle_release(address);
  }
}

int FuseBackend::submit(DeviceAddress address, const client::IoRequest& request) {
  KeptDevice* device = daemon_.keeper().find(address);
  if (device == nullptr || !device->id) {
    return ENODEV;
  }
  if (const auto accepted = daemon_.core().submit(os::monotonic_now(), *device->id, request);
      !accepted) {
    return errno_of(accepted.error());
  }
  device->stats.on_submit();
  return 0;
}

void FuseBackend::completed(DeviceAddress address, const client::IoCompletion& completion) {
  if (KeptDevice* device = daemon_.keeper().find(address); device != nullptr) {
    device->stats.on_completion(os::monotonic_now(), completion);
  }
}

std::uint16_t FuseBackend::firmware_of(DeviceAddress address) const {
  for (const initiator::TargetRecord& record : daemon_.core().targets()) {
    if (record.address == address) {
      return record.firmware_version;
    }
  }
  return 0;
}

std::string FuseBackend::read_info(DeviceAddress address, InfoFile file) {
  const initiator::Device* view = known(address);
  if (view == nullptr) {
    return {};
  }
  const DeviceUsers& users = daemon_.keeper().find(address)->users;
  switch (file) {
    case InfoFile::state:
      return driver_state(*view, users);
    case InfoFile::mac:
      return driver_mac(*view);
    case InfoFile::netif:
      return driver_netif(*view, daemon_.runner());
    case InfoFile::payload:
      return driver_payload(*view);
    case InfoFile::firmware_version:
      return driver_firmware(firmware_of(address));
    case InfoFile::debug:
      return driver_debug(*view, users, daemon_.runner());
  }
  return {};
}

std::string FuseBackend::read_control(ControlFile file) {
  if (file != ControlFile::interfaces) {
    return {};
  }
  std::string text;
  for (const PortId id : daemon_.interfaces().ports()) {
    text += (text.empty() ? "" : " ") + daemon_.runner().ports()[id.value]->name();
  }
  return text + "\n";
}

int FuseBackend::write_revalidate(std::string_view word) {
  const auto address = parse_device_address(word);
  if (!address) {
    return EINVAL;
  }
  if (daemon_.keeper().find(*address) == nullptr) {
    return ENODEV;
  }
  daemon_.core().discover(*address);
  return 0;
}

int FuseBackend::write_flush(std::string_view word) {
  const Instant now = os::monotonic_now();
  if (word.empty() || word == "all") {
    static_cast<void>(
        daemon_.keeper().flush(now, word.empty() ? FlushScope::down : FlushScope::all));
    return 0;
  }
  const auto address = parse_device_address(word);
  if (!address) {
    return EINVAL;
  }
  const auto flushed = daemon_.keeper().flush_one(now, *address);
  return flushed ? 0 : errno_of(flushed.error().code);
}

int FuseBackend::write_control(ControlFile file, std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  const std::string first = words.empty() ? std::string() : words.front();
  switch (file) {
    case ControlFile::discover:
      daemon_.core().discover({protocol::kAllShelves, protocol::kAllSlots});
      return 0;
    case ControlFile::revalidate:
      return write_revalidate(first);
    case ControlFile::flush:
      return write_flush(first);
    case ControlFile::interfaces: {
      const auto set = daemon_.set_interfaces(words);
      if (!set) {
        spdlog::warn("interfaces: {}", set.error().message);
      }
      return set ? 0 : errno_of(set.error().code);
    }
    case ControlFile::err:
      break;
  }
  return EPERM;
}

std::uint64_t FuseBackend::last_event() {
  return daemon_.err_log().last();
}

std::optional<fuse::Backend::Event> FuseBackend::next_event(std::uint64_t after) {
  const ErrLog& log = daemon_.err_log();
  const std::uint64_t number = log.first_after(after);
  return number == 0 ? std::nullopt
                     : std::optional(Event{.number = number, .line = log.line(number)});
}

}  // namespace aoe::initiatord
