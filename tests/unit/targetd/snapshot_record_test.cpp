#include "targetd/snapshot_record.h"

#include <gtest/gtest.h>

#include <string>

namespace aoe::targetd {
namespace {

SnapshotRecord example() {
  SnapshotRecord record;
  record.entries.push_back({.address = *parse_device_address("e7.101"),
                            .kind = SnapshotKind::layer,
                            .is_going = true,
                            .layer = {0x0123456789ABCDEF, 0xF},
                            .created_unix_seconds = 1'700'000'000,
                            .path = "/srv/a b.layer"});
  record.entries.push_back({.address = *parse_device_address("e7.102"),
                            .kind = SnapshotKind::clone,
                            .is_going = false,
                            .layer = {1, 2},
                            .created_unix_seconds = 1,
                            .path = "/srv/c.clone"});
  return record;
}

TEST(SnapshotRecord, ComesBackAsItWasWritten) {
  const SnapshotRecord record = example();
  EXPECT_EQ(SnapshotRecord::decode(as_byte_span(record.encode())), record);
  EXPECT_EQ(SnapshotRecord::decode(as_byte_span(SnapshotRecord{}.encode())), SnapshotRecord{});
}

TEST(SnapshotRecord, TextThatIsCutOffOrChangedIsNone) {
  const std::string text = example().encode();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(SnapshotRecord::decode(as_byte_span(text.substr(0, length)))) << length;
  }
  EXPECT_FALSE(SnapshotRecord::decode(as_byte_span(text + "more")));
  for (const char* word : {"e7.101", "layer", "going", "0123", "1700000000"}) {
    std::string other = text;
    other.replace(other.find(word), std::string(word).size(), "no");
    EXPECT_FALSE(SnapshotRecord::decode(as_byte_span(other))) << word;
  }
}

TEST(SnapshotRecord, MoreThanAnybodyKeepsIsNone) {
  SnapshotRecord record;
  record.entries.assign(SnapshotRecord::kEntriesMax, example().entries[0]);
  EXPECT_TRUE(SnapshotRecord::decode(as_byte_span(record.encode())));
  record.entries.push_back(record.entries[0]);
  EXPECT_FALSE(SnapshotRecord::decode(as_byte_span(record.encode())));
}

}  // namespace
}  // namespace aoe::targetd
