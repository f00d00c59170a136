// Which files of a directory are open, by programs and by loop devices.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace aoe::os {

struct FileUsers {
  unsigned descriptors = 0;                 // of programs
  std::vector<std::string> loop_devices{};  // "/dev/loop0"
};

// By name below the directory, whose absolute path has no symbolic links. Opens nothing there, so
// that it may be asked by whoever serves the directory. Sees programs as far as this process may.
[[nodiscard]] std::map<std::string, FileUsers> open_files_of(const std::string& directory);

}  // namespace aoe::os
