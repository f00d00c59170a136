// Linux's aoe driver: /sys/block, /sys/module/aoe and the control files of /dev/etherd.
#include "base/ids.h"
#include "base/parse.h"
#include "compat/aoetools/driver.h"
#include "compat/aoetools/files.h"
#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace aoe::compat::aoetools {
namespace {

std::string_view without_line_end(std::string_view text) {
  const std::size_t end = text.find_last_not_of('\n');
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

// "e7.1" of "etherd!e7.1"; empty for what is no whole AoE disk.
std::string device_of(std::string_view entry) {
  const std::size_t mark = entry.rfind('!');
  const std::string_view name = mark == std::string_view::npos ? entry : entry.substr(mark + 1);
  return name.starts_with('e') && parse_device_address(name) ? std::string(name) : std::string();
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  const auto number = parse_unsigned(without_line_end(text));
  return number ? std::optional(*number) : std::nullopt;
}

bool is_character_device(const std::string& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

Result<void> write_file(const std::string& path, std::string_view text) {
  const os::Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) {
    return fail(os::os_error(errno, path));
  }
  return {};
}

class KernelDriver final : public Driver {
 public:
  explicit KernelDriver(const Places& places)
      : block_(places.sys + "/block"),
        module_(places.sys + "/module/aoe"),
        net_(places.sys + "/class/net"),
        etherd_(places.dev + "/etherd") {}

  Result<std::vector<DeviceFiles>> devices() override {
    if (!is_directory(block_)) {
      return fail_with(Errc::not_found, 0, "sysfs is not mounted");
    }
    std::vector<DeviceFiles> devices;
    for (const std::string& entry : names_in(block_)) {
      if (std::string name = device_of(entry); !name.empty()) {
        devices.push_back(read_device(block_ + "/" + entry, std::move(name)));
      }
    }
    return devices;
  }

  Result<void> check(Control control) override {
    // Where the module has this parameter, the device file is not needed.
    if (control == Control::interfaces && ::access(iflist().c_str(), W_OK) == 0) {
      return {};
    }
    const std::string path = control_path(control);
    if (::access(path.c_str(), W_OK) != 0) {
      // Of the scripts, one has no full stop here.
      return fail_with(Errc::not_found, 0,
                       fmt::format("{} does not exist or is not writeable{}", path,
                                   control == Control::revalidate ? "" : "."));
    }
    if (!is_character_device(path)) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{} is not a character device file\n"
                                   "use udev or aoe-mkdevs to create it",
                                   path));
    }
    return {};
  }

  Result<void> discover() override { return write_file(control_path(Control::discover), "\n"); }

  Result<void> revalidate(const std::string& device) override {
    return write_file(control_path(Control::revalidate), device + "\n");
  }

  Result<void> flush(const std::string& what) override {
    return write_file(control_path(Control::flush), what.empty() ? "\n" : what);
  }

  Result<std::string> interfaces() override {
    if (auto text = read_small_file(iflist())) {
      return *std::move(text);
    }
    return fail_with(Errc::not_found, 0, iflist() + ": not readable");
  }

  bool is_interface(const std::string& name) override { return is_directory(net_ + "/" + name); }

  Result<void> set_interfaces(const std::vector<std::string>& names) override {
    std::string list = fmt::format("{}", fmt::join(names, " "));
    list += '\0';  // the list ends with it
    const bool has_parameter = ::access(iflist().c_str(), W_OK) == 0;
    return write_file(has_parameter ? iflist() : control_path(Control::interfaces), list);
  }

  std::optional<std::string> running_version() override {
    if (!is_directory(module_)) {
      return std::nullopt;
    }
    for (const char* file : {"/version", "/parameters/version"}) {
      if (const auto text = read_small_file(module_ + file)) {
        return std::string(without_line_end(*text));
      }
    }
    return "(unknown)";
  }

 private:
  [[nodiscard]] std::string iflist() const { return module_ + "/parameters/aoe_iflist"; }

  [[nodiscard]] std::string control_path(Control control) const {
    constexpr std::array kNames{"discover", "interfaces", "revalidate", "flush"};
    return etherd_ + "/" + kNames.at(static_cast<std::size_t>(control));
  }

  static DeviceFiles read_device(const std::string& directory, std::string name) {
    const auto text_of = [&](const char* file) -> std::optional<std::string> {
      const auto text = read_small_file(directory + "/" + file);
      return text ? std::optional(std::string(without_line_end(*text))) : std::nullopt;
    };
    DeviceFiles files{.name = std::move(name),
                      .minor = {},
                      .sectors = {},
                      .netif = text_of("netif"),
                      .state = text_of("state"),
                      .payload = text_of("payload")};
    if (const auto numbers = text_of("dev")) {
      files.minor = number_in(std::string_view(*numbers).substr(numbers->find(':') + 1));
    }
    if (const auto size = text_of("size")) {
      files.sectors = number_in(*size);
    }
    return files;
  }

  std::string block_;
  std::string module_;
  std::string net_;
  std::string etherd_;
};

}  // namespace

std::unique_ptr<Driver> make_kernel_driver(const Places& places) {
  return std::make_unique<KernelDriver>(places);
}

bool kernel_driver_runs(const Places& places) {
  if (is_directory(places.sys + "/module/aoe") ||
      is_character_device(places.dev + "/etherd/discover")) {
    return true;
  }
  for (const std::string& entry : names_in(places.sys + "/block")) {
    if (entry.find('!') != std::string::npos && !device_of(entry).empty()) {
      return true;
    }
  }
  return false;
}

Result<std::unique_ptr<Driver>> open_driver(const Places& places, const std::string& control) {
  if (kernel_driver_runs(places)) {
    return make_kernel_driver(places);
  }
  auto daemon = connect_daemon_driver(control);
  if (daemon ||
      (daemon.error().code != Errc::unavailable && daemon.error().code != Errc::not_found)) {
    return daemon;
  }
  return make_kernel_driver(places);
}

}  // namespace aoe::compat::aoetools
