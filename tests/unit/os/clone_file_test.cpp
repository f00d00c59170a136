#include "os/clone_file.h"

#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace aoe::testing {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CloneFile, HasTheContentOrLeavesNothingWhereTheFileSystemCannot) {
  const TempDir directory;
  const std::string from = directory.path("from");
  const std::string to = directory.path("to");
  std::ofstream(from) << std::string(10'000, 'x');
  const auto cloned = os::clone_file(from, to);
  if (cloned) {
    std::ofstream(from) << "other";
    EXPECT_EQ(content_of(to), std::string(10'000, 'x'));
  } else {
    EXPECT_EQ(cloned.error().code, Errc::unsupported) << cloned.error().message;
    EXPECT_FALSE(std::filesystem::exists(to));
  }
}

TEST(CloneFile, NothingIsOverwrittenAndWhatIsMissingIsNamed) {
  const TempDir directory;
  const std::string from = directory.path("from");
  const std::string to = directory.path("to");
  EXPECT_EQ(os::clone_file(from, to).error().code, Errc::not_found);
  std::ofstream(from) << "x";
  std::ofstream(to) << "kept";
  EXPECT_EQ(os::clone_file(from, to).error().code, Errc::already_exists);
  EXPECT_EQ(content_of(to), "kept");
}

}  // namespace
}  // namespace aoe::testing
