#include "os/open_files.h"

#include "os/loop_device.h"

#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <system_error>

namespace aoe::os {
namespace {

namespace fs = std::filesystem;

// Calls `visit` for every entry of a directory, and for none where it cannot be read.
template <class Visit>
void for_each_entry(const fs::path& directory, Visit visit) {
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    visit(at->path());
  }
}

void add_programs(const std::string& prefix, std::map<std::string, FileUsers>& users) {
  const std::string self = std::to_string(::getpid());
  for_each_entry("/proc", [&](const fs::path& process) {
    const std::string pid = process.filename().string();
    if (pid == self || pid.find_first_not_of("0123456789") != std::string::npos) {
      return;
    }
    for_each_entry(process / "fd", [&](const fs::path& descriptor) {
      std::error_code gone;
      const std::string file = fs::read_symlink(descriptor, gone).string();
      if (!gone && file.starts_with(prefix)) {
        ++users[file.substr(prefix.size())].descriptors;
      }
    });
  });
}

void add_loop_devices(const std::string& prefix, std::map<std::string, FileUsers>& users) {
  for_each_entry("/sys/block", [&](const fs::path& block) {
    const std::string name = block.filename().string();
    if (!name.starts_with("loop")) {
      return;
    }
    const std::string device = "/dev/" + name;
    const std::string file = loop_file(device);
    if (file.starts_with(prefix)) {
      users[file.substr(prefix.size())].loop_devices.push_back(device);
    }
  });
}

}  // namespace

std::map<std::string, FileUsers> open_files_of(const std::string& directory) {
  std::map<std::string, FileUsers> users;
  add_programs(directory + "/", users);
  add_loop_devices(directory + "/", users);
  return users;
}

}  // namespace aoe::os
