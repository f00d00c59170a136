// The example frames of tests/data/frames.txt: the same table feeds unit tests and fuzz corpora.
#pragma once

#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace aoe::test {

struct ExampleFrame {
  std::string name;  // "05 READ SECTORS EXT, .."
  std::vector<std::byte> bytes;
};

// Reads offsets and bytes as text2pcap does: a line "0000  ff ff ..", and a "# name" line before
// each frame. Empty when the file cannot be read.
inline std::vector<ExampleFrame> load_example_frames(const std::string& path) {
  std::vector<ExampleFrame> frames;
  std::ifstream file(path);
  std::string line;
  std::string name;
  while (std::getline(file, line)) {
    if (line.starts_with("# ")) {
      name = line.substr(2);
      continue;
    }
    std::istringstream words(line);
    std::string word;
    if (!(words >> word)) {
      continue;
    }
    if (std::stoul(word, nullptr, 16) == 0) {
      frames.push_back({.name = name, .bytes = {}});
    }
    while (words >> word) {
      frames.back().bytes.push_back(static_cast<std::byte>(std::stoul(word, nullptr, 16)));
    }
  }
  return frames;
}

// All 28, in order. AOE_TEST_DATA_DIR is set by the test's CMakeLists.txt.
inline const std::vector<ExampleFrame>& example_frames() {
  static const std::vector<ExampleFrame> frames =
      load_example_frames(AOE_TEST_DATA_DIR "/frames.txt");
  return frames;
}

// By the number the protocol notes give it, 1..28.
inline const std::vector<std::byte>& example_frame(std::size_t number) {
  return example_frames().at(number - 1).bytes;
}

// The frames of hello and seal, by the numbers in their file.
inline const std::vector<ExampleFrame>& session_frames() {
  static const std::vector<ExampleFrame> frames =
      load_example_frames(AOE_TEST_DATA_DIR "/session_frames.txt");
  return frames;
}

inline const std::vector<std::byte>& session_frame(std::size_t number) {
  return session_frames().at(number - 1).bytes;
}

}  // namespace aoe::test
