#include "frontends/block/device_links.h"

#include "os/block_device_users.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace aoe::block {
namespace {

namespace fs = std::filesystem;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "e7.1" and "e7.1p2", but not "e7.10".
bool belongs_to(std::string_view name, const std::string& device_name) {
  if (!name.starts_with(device_name)) {
    return false;
  }
  name.remove_prefix(device_name.size());
  return name.empty() || (name.front() == 'p' && is_number(name.substr(1)));
}

// Under another name first, so that there is always one or the other.
Result<void> link_to(const std::string& directory, const std::string& name,
                     const std::string& device) {
  const std::string path = directory + "/" + name;
  std::error_code ignored;
  const auto kind = fs::symlink_status(path, ignored).type();
  if (kind != fs::file_type::not_found && kind != fs::file_type::symlink) {
    return fail_with(
        Errc::already_exists, 0,
        fmt::format("{}: is there already, and no link (is the kernel's aoe driver loaded?)",
                    path));
  }
  const std::string fresh = fmt::format("{}/.{}.{}", directory, name, ::getpid());
  (void)::unlink(fresh.c_str());
  if (::symlink(device.c_str(), fresh.c_str()) != 0 ||
      std::rename(fresh.c_str(), path.c_str()) != 0) {
    const int failed = errno;
    (void)::unlink(fresh.c_str());
    return fail(os::os_error(failed, fmt::format("{}: link to {}", path, device)));
  }
  return {};
}

// Removes the links of a device, but not those whose names are in `keep`.
void remove_others(const std::string& directory, DeviceAddress address,
                   const std::vector<std::string>& keep) {
  const std::string device_name = to_string(address);
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    std::error_code gone;
    if (belongs_to(name, device_name) && std::find(keep.begin(), keep.end(), name) == keep.end() &&
        at->is_symlink(gone)) {
      fs::remove(at->path(), gone);
    }
  }
}

}  // namespace

Result<void> make_links(const std::string& directory, DeviceAddress address,
                        const std::string& device) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) {
    return fail(os::os_error(failed.value(), fmt::format("{}: make the directory", directory)));
  }
  const std::string device_name = to_string(address);
  AOE_TRY(link_to(directory, device_name, device));
  std::vector<std::string> names{device_name};
  for (const std::string& partition : os::partitions_of(device)) {
    // Kernel names end in "p1", or in "1" where the disk's does not end in a digit.
    const std::string number = partition.substr(partition.find_last_not_of("0123456789") + 1);
    const std::string name = fmt::format("{}p{}", device_name, number);
    AOE_TRY(link_to(directory, name, "/dev/" + partition));
    names.push_back(name);
  }
  remove_others(directory, address, names);
  return {};
}

void remove_links(const std::string& directory, DeviceAddress address) {
  remove_others(directory, address, {});
}

std::vector<std::pair<DeviceAddress, std::string>> read_links(const std::string& directory) {
  std::vector<std::pair<DeviceAddress, std::string>> links;
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    const auto address = parse_device_address(name);
    std::error_code gone;
    const std::string device = fs::read_symlink(at->path(), gone).string();
    if (!gone && address && to_string(*address) == name) {
      links.emplace_back(*address, device);
    }
  }
  return links;
}

}  // namespace aoe::block
