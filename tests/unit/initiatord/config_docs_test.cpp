// What is written about the configuration for people agrees with what the code reads.
#include "support/config_docs.h"

#include "initiatord/config_file.h"
#include "initiatord/config_keys.h"
#include "support/diagnostics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace aoe::initiatord {
namespace {

using config::lines_of;
using test::read_source_file;
using test::with_commented_keys;

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void expect_good(const std::string& text) {
  const LoadedConfig loaded = parse_config_text(text, "example");
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(lines_of(validate(loaded.config).errors), IsEmpty());
  EXPECT_THAT(lines_of(validate(loaded.config).warnings), IsEmpty());
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
