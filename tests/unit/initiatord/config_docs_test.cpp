// What is written about the configuration for people agrees with what the code reads.
#include "initiatord/config_file.h"
#include "initiatord/config_keys.h"
#include "support/diagnostics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace aoe::initiatord {
namespace {

using config::lines_of;

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string read_source_file(const std::string& path) {
  const std::ifstream file(std::string(AOE_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void expect_good(const std::string& text) {
  const LoadedConfig loaded = parse_config_text(text, "example");
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(lines_of(validate(loaded.config).errors), IsEmpty());
  EXPECT_THAT(lines_of(validate(loaded.config).warnings), IsEmpty());
}

// Takes the comment sign off the lines of `text` that are keys or tables commented out.
std::string with_commented_keys(const std::string& text) {
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

TEST(ConfigDocs, PackagedExampleIsGoodAsItIsAndWithEverythingSwitchedOn) {
  const std::string text = read_source_file("packaging/aoe-initiatord.toml");
  expect_good(text);
  expect_good(with_commented_keys(text));
}

TEST(ConfigDocs, ExampleOfTheManPageIsGood) {
  const std::string page = read_source_file("man/aoe-initiatord.conf.5.scd");
  const std::size_t begin = page.find("```\n");
  const std::size_t end = page.find("```\n", begin + 4);
  ASSERT_NE(end, std::string::npos);
  expect_good(page.substr(begin + 4, end - begin - 4));
}

TEST(ConfigDocs, TheManPageNamesEveryKey) {
  const std::string file_page = read_source_file("man/aoe-initiatord.conf.5.scd");
  for (const InitiatorKey& key : initiator_keys()) {
    EXPECT_THAT(file_page, HasSubstr("*" + std::string(key.name) + "* = "));
  }
  for (const DeviceKey& key : device_keys()) {
    EXPECT_THAT(file_page, HasSubstr("*" + std::string(key.name) + "* = "));
  }
}

}  // namespace
}  // namespace aoe::initiatord
