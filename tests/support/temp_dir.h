// A directory that goes with the test.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace aoe::testing {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "aoekit-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
  }

  ~TempDir() {
    if (!path_.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
  }

  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

  // A sparse file; returns its path.
  [[nodiscard]] std::string make_file(const std::string& name, std::uintmax_t size_bytes) const {
    std::ofstream(path(name)).close();
    std::filesystem::resize_file(path(name), size_bytes);
    return path(name);
  }

 private:
  std::string path_;
};

}  // namespace aoe::testing
