// For tests that hold what is written about a configuration against the code that reads it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace aoe::test {

// A file of the source tree.
inline std::string read_source_file(const std::string& path) {
  const std::ifstream file(AOE_SOURCE_DIR "/" + path);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Takes the comment sign off the lines of `text` that are keys or tables commented out.
inline std::string with_commented_keys(const std::string& text) {
  std::string all;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') {
      line.erase(0, 1);
    }
    all += line + "\n";
  }
  return all;
}

}  // namespace aoe::test
