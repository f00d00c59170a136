#include "tools/window_copy.h"

#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace aoe::tools {
namespace {

using testing::TempDir;

std::string content_of(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class WindowCopies : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string bytes(3 << 20U, '\0');
    bytes.replace(1 << 20U, 7, "content");
    bytes.replace(bytes.size() - 3, 3, "end");
    std::ofstream(dir.path("source"), std::ios::binary) << bytes;
  }

  WindowCopy copy_of(std::uint64_t offset, std::uint64_t size) {
    return {.source = dir.path("source"),
            .offset_bytes = offset,
            .size_bytes = size,
            .destination = dir.path("copy"),
            .goes_on = [](std::uint64_t /*done*/) { return true; }};
  }

  TempDir dir;
};

TEST_F(WindowCopies, TakesTheWindowAndLeavesHolesOfZeros) {
  ASSERT_TRUE(copy_window(copy_of(512, (3 << 20U) - 512)));
  EXPECT_FALSE(std::filesystem::exists(dir.path("copy")));
  ASSERT_TRUE(keep_copy(dir.path("copy")));
  EXPECT_TRUE(content_of(dir.path("copy")) == content_of(dir.path("source")).substr(512));

  struct stat status {};

  ASSERT_EQ(::stat(dir.path("copy").c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, status.st_size);
}

TEST_F(WindowCopies, LeavesNothingWhenItIsInterruptedOrFails) {
  WindowCopy copy = copy_of(0, 3 << 20U);
  copy.goes_on = [](std::uint64_t done) { return done == 0; };
  const auto interrupted = copy_window(copy);
  ASSERT_FALSE(interrupted);
  EXPECT_NE(interrupted.error().message.find("interrupted after"), std::string::npos);
  EXPECT_FALSE(copy_window(copy_of(0, 4 << 20U)));  // longer than the source
  EXPECT_FALSE(std::filesystem::exists(dir.path("copy.part")));
}

}  // namespace
}  // namespace aoe::tools
