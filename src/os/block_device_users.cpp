#include "os/block_device_users.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

namespace aoe::os {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string name_of(const std::string& device) {
  return device.substr(device.rfind('/') + 1);
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// The kernel writes spaces and the like as \040 there (proc(5)).
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

void add_mounts(const std::vector<std::string>& names, std::vector<std::string>& users) {
  std::vector<std::string> numbers;
  for (const std::string& name : names) {
    numbers.push_back(first_line(fs::path("/sys/class/block") / name / "dev"));
  }
  std::ifstream table("/proc/self/mountinfo");
  std::string line;
  while (std::getline(table, line)) {
    // 36 35 7:0 / /mnt rw,noatime - ext4 /dev/loop0 rw (proc(5)). File systems over several devices
    // have a number of their own, and name one of their devices.
    std::istringstream fields(line);
    std::string skipped;
    std::string number;
    std::string point;
    fields >> skipped >> skipped >> number >> skipped >> point;
    const std::size_t dash = line.find(" - ");
    std::string source;
    if (dash != std::string::npos) {
      std::istringstream behind(line.substr(dash + 3));
      behind >> skipped >> source;
    }
    if (contains(numbers, number) || contains(names, name_of(source))) {
      users.push_back("mounted at " + unescaped(point));
    }
  }
}

void add_holders(const std::vector<std::string>& names, std::vector<std::string>& users) {
  for (const std::string& name : names) {
    std::error_code ignored;
    for (const auto& holder :
         fs::directory_iterator(fs::path("/sys/class/block") / name / "holders", ignored)) {
      users.push_back("under " + holder.path().filename().string());
    }
  }
}

void add_swaps(const std::vector<std::string>& names, std::vector<std::string>& users) {
  std::ifstream table("/proc/swaps");
  std::string line;
  while (std::getline(table, line)) {
    if (contains(names, name_of(line.substr(0, line.find_first_of(" \t"))))) {
      users.emplace_back("swap");
    }
  }
}

bool has_open(const fs::path& process, const std::vector<std::string>& names) {
  std::error_code failed;
  for (fs::directory_iterator at(process / "fd", failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code gone;
    const std::string file = fs::read_symlink(at->path(), gone).string();
    if (!gone && file.starts_with("/dev/") && contains(names, file.substr(5))) {
      return true;
    }
  }
  return false;
}

void add_programs(const std::vector<std::string>& names, std::vector<std::string>& users) {
  const std::string self = std::to_string(::getpid());
  std::error_code failed;
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string pid = at->path().filename().string();
    const bool is_process = pid.find_first_not_of("0123456789") == std::string::npos;
    if (is_process && pid != self && has_open(at->path(), names)) {
      users.push_back(fmt::format("open in {} (pid {})", first_line(at->path() / "comm"), pid));
    }
  }
}

}  // namespace

std::vector<std::string> partitions_of(const std::string& device) {
  const std::string name = name_of(device);
  std::vector<std::string> partitions;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/sys/class/block/" + name, ignored)) {
    const std::string inner = entry.path().filename().string();
    if (inner.starts_with(name) && fs::exists(entry.path() / "partition", ignored)) {
      partitions.push_back(inner);
    }
  }
  std::sort(partitions.begin(), partitions.end());
  return partitions;
}

std::vector<std::string> block_device_users(const std::string& device) {
  std::vector<std::string> names = partitions_of(device);
  names.push_back(name_of(device));
  std::vector<std::string> users;
  add_mounts(names, users);
  add_holders(names, users);
  add_swaps(names, users);
  if (users.empty()) {
    add_programs(names, users);
  }
  return users;
}

Result<Fd> claim_block_device(const std::string& device) {
  Fd claim(::open(device.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  if (!claim && errno != ENOENT && errno != ENXIO && errno != ENODEV) {
    return fail(os_error(errno, device + ": claim"));
  }
  return claim;
}

}  // namespace aoe::os
