#include "storage/store_spec.h"

#include "support/fake_engine.h"
#include "support/store_driver.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <string>

namespace aoe::storage {
namespace {

using aoe::testing::FakeEngine;
using aoe::testing::pattern;
using aoe::testing::StoreDriver;
using aoe::testing::TempDir;

StoreSpec spec(std::string backend, std::string argument) {
  return {.backend = std::move(backend), .argument = std::move(argument)};
}

TEST(StoreSpec, TakesPathsWithAndWithoutTheirKind) {
  EXPECT_EQ(parse_store_spec("/srv/a.img").value(), spec("file", "/srv/a.img"));
  EXPECT_EQ(parse_store_spec("a.img").value(), spec("file", "a.img"));
  EXPECT_EQ(parse_store_spec("file:/srv/a.img").value(), spec("file", "/srv/a.img"));
  EXPECT_EQ(parse_store_spec("file:odd:name").value(), spec("file", "odd:name"));
  EXPECT_EQ(parse_store_spec("/dev/disk/by-path/pci-0000:00").value(),
            spec("file", "/dev/disk/by-path/pci-0000:00"));
  EXPECT_EQ(parse_store_spec("./memory:1G").value(), spec("file", "./memory:1G"));
}

TEST(StoreSpec, TakesSizesOfMemoryAndNull) {
  EXPECT_EQ(parse_store_spec("memory:1G").value(), spec("memory", "1G"));
  EXPECT_EQ(parse_store_spec("null:128P").value(), spec("null", "128P"));
  EXPECT_EQ(parse_store_spec("null:1s").value(), spec("null", "1s"));
}

TEST(StoreSpec, RefusesWithAReasonThatNamesTheText) {
  struct Case {
    const char* text;
    Errc code;
    const char* reason;
  };

  for (const Case c : {Case{"", Errc::invalid_argument, "expected a path"},
                       Case{"file:", Errc::invalid_argument, "expected a path"},
                       Case{"memory:", Errc::invalid_argument, "expected a number"},
                       Case{"memory:1GB", Errc::invalid_argument, "unknown unit"},
                       Case{"memory:1000", Errc::invalid_argument, "no multiple of 512"},
                       Case{"null:0", Errc::invalid_argument, "no multiple of 512"},
                       Case{"null:129P", Errc::invalid_argument, "larger than 128P"},
                       Case{"iscsi:x", Errc::invalid_argument, "file, memory, null, rbd"},
                       Case{"a.img:b", Errc::invalid_argument, "file:PATH"},
                       Case{"rbd:pool/image@snap", Errc::unsupported, "no Ceph RBD support"}}) {
    const auto parsed = parse_store_spec(c.text);
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_EQ(parsed.error().code, c.code) << c.text;
    EXPECT_NE(parsed.error().message.find(c.reason), std::string::npos) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find(c.text), std::string::npos) << parsed.error().message;
  }
}

TEST(StoreSpec, TextRoundTrips) {
  for (const char* text : {"file:/srv/a.img", "memory:1G", "null:1s"}) {
    EXPECT_EQ(to_string(parse_store_spec(text).value()), text);
  }
}

class OpenStore : public ::testing::Test {
 protected:
  Result<OpenedStore> open(const std::string& text, const StoreOptions& options = {}) {
    AOE_TRY_ASSIGN(const StoreSpec parsed, parse_store_spec(text));
    return open_store(parsed, options, engine_);
  }

  TempDir dir_;
  FakeEngine engine_;
};

TEST_F(OpenStore, StableWriteToAFileIsSynced) {
  auto opened = open(dir_.make_file("a.img", 1U << 20U));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(opened->warnings.empty());
  EXPECT_EQ(opened->stats, nullptr);
  StoreDriver driver(*opened->store, &engine_);
  auto data = pattern(512, 1);
  EXPECT_EQ(driver.write(0, data, Durability::visible), StoreErrc::ok);
  EXPECT_EQ(engine_.count(IoKind::fdatasync), 0U);
  EXPECT_EQ(driver.write(0, data, Durability::stable), StoreErrc::ok);
  EXPECT_EQ(engine_.count(IoKind::fdatasync), 1U);
}

TEST_F(OpenStore, OddTailIsAWarning) {
  const auto opened = open(dir_.make_file("a.img", 1024 + 7));
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_EQ(opened->warnings.size(), 1U);
  EXPECT_NE(opened->warnings[0].find("the last 7 bytes"), std::string::npos);
}

TEST_F(OpenStore, ReadOnlyHoldsForEveryBackend) {
  for (const std::string& text :
       {dir_.make_file("a.img", 4096), std::string("memory:1M"), std::string("null:1M")}) {
    auto opened = open(text, {.access = Access::read_only});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(opened->store->info().is_read_only) << text;
    StoreDriver driver(*opened->store, &engine_);
    auto data = pattern(512, 1);
    EXPECT_EQ(driver.write(0, data, Durability::visible), StoreErrc::read_only) << text;
  }
}

TEST_F(OpenStore, StatisticsAreOutermost) {
  auto opened = open("memory:1M", {.statistics = Statistics::on});
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_NE(opened->stats, nullptr);
  StoreDriver driver(*opened->store);
  EXPECT_EQ(driver.flush(), StoreErrc::ok);
  EXPECT_EQ(opened->stats->latency(StoreOpKind::flush).count(), 1U);
}

TEST_F(OpenStore, FileOptionsAreRefusedElsewhere) {
  EXPECT_FALSE(open("memory:1M", {.offset_sectors = 1}));
  EXPECT_FALSE(open("null:1M", {.length_sectors = 1}));
  EXPECT_FALSE(open("null:1M", {.direct = DirectIo::on}));
  EXPECT_FALSE(open("null:1M", {.in_flight_max = 1}));
  EXPECT_FALSE(open("null:1M", {.in_flight_max = 4097}));
}

TEST_F(OpenStore, WindowReachesTheFile) {
  const auto opened =
      open(dir_.make_file("a.img", 1U << 20U), {.offset_sectors = 8, .length_sectors = 16});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->store->info().size_bytes, 16U * 512);
  EXPECT_EQ(opened->store->info().in_flight_max, 124U);
}

}  // namespace
}  // namespace aoe::storage
