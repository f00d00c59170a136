#include "net/pcap_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace aoe::net {
namespace {

enum class Order { little, big };

void put(std::vector<std::byte>& out, Order order, std::uint32_t value) {
  std::array<std::byte, 4> word{};
  order == Order::little ? store_le32(word, 0, value) : store_be32(word, 0, value);
  out.insert(out.end(), word.begin(), word.end());
}

struct FileSpec {
  std::uint32_t magic = 0xA1B2C3D4;
  std::uint32_t link_type = 1;
  std::uint32_t claimed_bytes = 3;
};

// A capture with one record of three bytes, at 5 s and 7 ticks.
std::vector<std::byte> make_file(Order order, const FileSpec& spec) {
  std::vector<std::byte> file;
  put(file, order, spec.magic);
  put(file, order, order == Order::little ? 0x00040002 : 0x00020004);
  put(file, order, 0);
  put(file, order, 0);
  put(file, order, 65535);
  put(file, order, spec.link_type);
  put(file, order, 5);
  put(file, order, 7);
  put(file, order, spec.claimed_bytes);
  put(file, order, 60);
  for (const unsigned byte : {0xAAU, 0xBBU, 0xCCU}) {
    file.push_back(std::byte(byte));
  }
  return file;
}

TEST(PcapReader, UnderstandsBothByteOrdersAndResolutions) {
  for (const Order order : {Order::little, Order::big}) {
    for (const std::uint32_t magic : {0xA1B2C3D4U, 0xA1B23C4DU}) {
      const auto file = make_file(order, {.magic = magic});
      auto reader = PcapReader::open(file);
      ASSERT_TRUE(reader) << reader.error().message;
      auto record = reader->next();
      ASSERT_TRUE(record && *record);
      EXPECT_EQ((*record)->timestamp_ns, 5'000'000'000 + (magic == 0xA1B23C4D ? 7 : 7000));
      EXPECT_EQ((*record)->wire_bytes, 60U);
      ASSERT_EQ((*record)->frame.size(), 3U);
      EXPECT_EQ((*record)->frame[2], std::byte{0xCC});
      auto end = reader->next();
      ASSERT_TRUE(end);
      EXPECT_FALSE(*end);
    }
  }
}

TEST(PcapReader, EveryCutFileIsAnErrorOrAnEnd) {
  const auto file = make_file(Order::little, {});
  for (std::size_t size = 0; size < file.size(); ++size) {
    auto reader = PcapReader::open(ConstByteSpan(file).first(size));
    if (size < 24) {
      ASSERT_FALSE(reader);
      EXPECT_EQ(reader.error().code, Errc::corrupt);
      continue;
    }
    ASSERT_TRUE(reader);
    auto record = reader->next();
    if (size == 24) {
      ASSERT_TRUE(record);
      EXPECT_FALSE(*record);
    } else {
      ASSERT_FALSE(record);
      EXPECT_EQ(record.error().code, Errc::corrupt);
      EXPECT_THAT(record.error().message, ::testing::HasSubstr("offset 24"));
      auto end = reader->next();
      ASSERT_TRUE(end);
      EXPECT_FALSE(*end);
    }
  }
}

TEST(PcapReader, RecordThatClaimsTooMuchIsCorrupt) {
  for (const std::uint32_t claimed : {4U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
    const auto file = make_file(Order::big, {.claimed_bytes = claimed});
    auto reader = PcapReader::open(file);
    ASSERT_TRUE(reader);
    EXPECT_FALSE(reader->next());
  }
}

TEST(PcapReader, OtherFilesAreNamed) {
  auto loopback = PcapReader::open(make_file(Order::little, {.link_type = 0}));
  ASSERT_FALSE(loopback);
  EXPECT_EQ(loopback.error().code, Errc::unsupported);
  auto pcapng = PcapReader::open(make_file(Order::big, {.magic = 0x0A0D0D0A}));
  ASSERT_FALSE(pcapng);
  EXPECT_THAT(pcapng.error().message, ::testing::HasSubstr("pcapng"));
  auto other = PcapReader::open(make_file(Order::big, {.magic = 0x7F454C46}));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::corrupt);
}

class PcapWriterTest : public ::testing::Test {
 protected:
  void TearDown() override { ::unlink(path_.c_str()); }

  [[nodiscard]] std::vector<std::byte> contents() const {
    std::ifstream file(path_, std::ios::binary);
    std::ostringstream copy;
    copy << file.rdbuf();
    const std::string text = copy.str();
    const ConstByteSpan bytes = as_byte_span(text);
    return {bytes.begin(), bytes.end()};
  }

  std::string path_ = fmt::format("{}aoekit-pcap-test-{}", ::testing::TempDir(), ::getpid());
};

TEST_F(PcapWriterTest, WhatIsWrittenIsReadBack) {
  {
    auto writer = PcapWriter::create({.path = path_, .snap_bytes = 10});
    ASSERT_TRUE(writer) << writer.error().message;
    const std::vector<std::byte> frame(60, std::byte{0x42});
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_TRUE((*writer)->write(1'700'000'000'123'456'789 + i, frame));
    }
  }
  const auto file = contents();
  auto reader = PcapReader::open(file);
  ASSERT_TRUE(reader) << reader.error().message;
  for (int i = 0; i < 20'000; ++i) {
    auto record = reader->next();
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->timestamp_ns, 1'700'000'000'123'456'789 + i);
    EXPECT_EQ((*record)->wire_bytes, 60U);
    EXPECT_EQ((*record)->frame.size(), 10U);
  }
  auto end = reader->next();
  EXPECT_TRUE(end && !*end);
}

TEST_F(PcapWriterTest, EmptyCaptureIsReadableAtOnce) {
  auto writer = PcapWriter::create({.path = path_});
  ASSERT_TRUE(writer);
  EXPECT_TRUE(PcapReader::open(contents()));
}

TEST_F(PcapWriterTest, ErrorsNameTheFile) {
  auto missing = PcapWriter::create({.path = "/nonexistent/x.pcap"});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, ::testing::StartsWith("/nonexistent/x.pcap: "));
  auto full = PcapWriter::create({.path = "/dev/full"});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::no_space);
}

}  // namespace
}  // namespace aoe::net
