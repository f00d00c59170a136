#include "base/prng.h"
#include "os/fd.h"
#include "tools/copy_engine.h"
#include "tools/stream_end.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace aoe::tools {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kDepth = 8;

// A disk in memory that answers out of order, as a network does.
class FakeDevice final : public CopyEnd {
 public:
  explicit FakeDevice(std::string initial) : content(std::move(initial)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override { return content.size(); }

  Result<void> prepare(std::optional<std::uint64_t> /*total_bytes*/) override { return {}; }

  Result<void> start_read(CopyBlock& block) override {
    copy_bytes(block.data(), as_byte_span(content).subspan(block.offset, block.bytes));
    waiting_.push_back(&block);
    return {};
  }

  Result<void> start_write(CopyBlock& block) override {
    EXPECT_LE(block.offset + block.bytes, content.size());
    content.replace(block.offset, block.bytes, as_text(block.data()));
    waiting_.push_back(&block);
    return {};
  }

  Result<void> poll(std::vector<CopyBlock*>& done) override {
    if (waiting_.empty() || prng_.chance(1, 3)) {
      return {};
    }
    if (fails_after-- == 0) {
      return fail_with(Errc::timed_out, 0, "fake: timed out");
    }
    const std::size_t at = prng_.below(waiting_.size());
    done.push_back(waiting_[at]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    return {};
  }

  [[nodiscard]] std::size_t outstanding() const override { return waiting_.size(); }

  void wait(Instant /*deadline*/) override {}

  Result<void> finish(std::uint64_t /*total_bytes*/) override { return {}; }

  std::string content;
  int fails_after = -1;

 private:
  std::string name_ = "fake";
  std::deque<CopyBlock*> waiting_;
  Prng prng_{7};
};

std::string noise(std::size_t bytes) {
  Prng prng(bytes);
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) {
    text.push_back(static_cast<char>(prng.below(256)));
  }
  return text;
}

void flip(std::string& text, std::size_t at) {
  text[at] = static_cast<char>(text[at] ^ 4);
}

class CopyFiles : public ::testing::Test {
 protected:
  CopyFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "aoekit-copy-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }

  ~CopyFiles() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path(const char* name) const { return (directory_ / name).string(); }

  void write_file(const char* name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }

  [[nodiscard]] std::string read_file(const char* name) const {
    std::ifstream file(path(name), std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
  }

  [[nodiscard]] std::unique_ptr<CopyEnd> open(const char* name, CopyRole role) const {
    auto end = open_file_end({path(name), role, Sparse::yes});
    EXPECT_TRUE(end.has_value());
    return *std::move(end);
  }

  [[nodiscard]] Result<std::uint64_t> copy(CopyEnd& source, CopyEnd& destination,
                                           std::optional<std::uint64_t> total) {
    CopyBuffers buffers({kBlock, kDepth});
    CopyEngine engine(
        {.source = source, .destination = destination, .buffers = buffers, .total_bytes = total});
    return engine.run();
  }

  std::filesystem::path directory_;
};

TEST_F(CopyFiles, AnyLengthArrivesWholeFromADeviceThatAnswersOutOfOrder) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{512}, kBlock - 512, kBlock, 5 * kBlock + 1024, 40 * kBlock}) {
    FakeDevice device(noise(size));
    const auto file = open("image", CopyRole::destination);
    ASSERT_TRUE(file->prepare(size).has_value());
    EXPECT_EQ(copy(device, *file, size).value(), size);
    ASSERT_TRUE(file->finish(size).has_value());
    EXPECT_EQ(read_file("image"), device.content) << size;
  }
}

TEST_F(CopyFiles, AnOldLongerFileIsCutAndZerosBecomeHoles) {
  write_file("image", noise(3 << 20U));
  std::string content(std::size_t{2} << 20U, '\0');
  content += noise(kBlock);
  FakeDevice device(content);
  const auto file = open("image", CopyRole::destination);
  ASSERT_TRUE(file->prepare(content.size()).has_value());
  ASSERT_TRUE(copy(device, *file, content.size()).has_value());
  ASSERT_TRUE(file->finish(content.size()).has_value());
  EXPECT_EQ(read_file("image"), content);

  struct stat info {};

  ASSERT_EQ(::stat(path("image").c_str(), &info), 0);
  EXPECT_LT(info.st_blocks * 512, std::int64_t{1} << 20U);
}

TEST_F(CopyFiles, HolesOfASourceReadAsZeros) {
  write_file("image", noise(kBlock));
  std::filesystem::resize_file(path("image"), 300 * kBlock);
  std::ofstream(path("image"), std::ios::app | std::ios::binary) << noise(kBlock + 100);
  const std::string content = read_file("image");
  const auto file = open("image", CopyRole::source);
  FakeDevice device(std::string(content.size(), 'x'));
  ASSERT_TRUE(copy(*file, device, content.size()).has_value());
  EXPECT_EQ(device.content, content);
}

TEST_F(CopyFiles, APipeOfUnknownLengthFillsAFileOfItsLengthAndIsVerifiedByHash) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, 7 * kBlock, 7 * kBlock + 13}) {
    const std::string content = noise(size);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    std::thread writer([&] {
      const os::Fd out(ends[1]);
      EXPECT_EQ(::write(out.get(), content.data(), content.size()),
                static_cast<ssize_t>(content.size()));
    });
    const auto pipe = make_stream_end("pipe", os::Fd(ends[0]));
    const auto file = open("image", CopyRole::destination);
    ASSERT_TRUE(file->prepare(std::nullopt).has_value());
    std::vector<std::uint64_t> hashes;
    CopyBuffers buffers({kBlock, kDepth});
    CopyEngine engine(
        {.source = *pipe, .destination = *file, .buffers = buffers, .hashes = &hashes});
    EXPECT_EQ(engine.run().value(), size);
    ASSERT_TRUE(file->finish(size).has_value());
    writer.join();
    EXPECT_EQ(read_file("image"), content);

    const auto right = open("image", CopyRole::source);
    const auto checker = make_hash_check_end("image", hashes);
    EXPECT_TRUE(copy(*right, *checker, size).has_value());
    if (size > 0) {
      std::string damaged = content;
      flip(damaged, size - 1);
      write_file("image", damaged);
      const auto wrong = open("image", CopyRole::source);
      const auto again = make_hash_check_end("image", hashes);
      EXPECT_EQ(copy(*wrong, *again, size).error().code, Errc::corrupt);
    }
  }
}

TEST_F(CopyFiles, APipeGetsItsBytesInOrder) {
  const std::string content = noise(50 * kBlock);
  FakeDevice device(content);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  std::string received;
  std::thread reader([&] {
    const os::Fd in(ends[0]);
    std::array<char, 1000> piece{};
    ssize_t count = 0;
    while ((count = ::read(in.get(), piece.data(), piece.size())) > 0) {
      received.append(piece.data(), static_cast<std::size_t>(count));
    }
  });
  {
    const auto pipe = make_stream_end("pipe", os::Fd(ends[1]));
    EXPECT_TRUE(copy(device, *pipe, content.size()).has_value());
  }
  reader.join();
  EXPECT_EQ(received, content);
}

TEST_F(CopyFiles, APipeThatEndsBeforeTheStatedSizeIsAnError) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const std::string content = noise(kBlock + 10);
  ASSERT_EQ(::write(ends[1], content.data(), content.size()), static_cast<ssize_t>(content.size()));
  ::close(ends[1]);
  const auto pipe = make_stream_end("pipe", os::Fd(ends[0]));
  FakeDevice device(std::string(4 * kBlock, 'x'));
  const auto result = copy(*pipe, device, 4 * kBlock);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("ended after 4106 of 16384"), std::string::npos)
      << result.error().message;
}

TEST_F(CopyFiles, AComparisonFindsTheFirstByteThatDiffers) {
  const std::string content = noise(20 * kBlock);
  write_file("image", content);
  std::vector<std::byte> memory(kBlock * kDepth);
  for (const std::size_t damage : {std::size_t{0}, 7 * kBlock + 5, 20 * kBlock - 1}) {
    auto device = std::make_unique<FakeDevice>(content);
    flip(device->content, damage);
    const auto file = open("image", CopyRole::source);
    const auto checker = make_compare_end(std::move(device), memory, kBlock);
    const auto result = copy(*file, *checker, content.size());
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::corrupt);
    EXPECT_TRUE(result.error().message.ends_with("at byte " + std::to_string(damage)))
        << result.error().message;
  }
  const auto file = open("image", CopyRole::source);
  const auto checker = make_compare_end(std::make_unique<FakeDevice>(content), memory, kBlock);
  EXPECT_TRUE(copy(*file, *checker, content.size()).has_value());
}

TEST_F(CopyFiles, TheFirstErrorOfAnEndEndsTheCopy) {
  FakeDevice device(noise(40 * kBlock));
  device.fails_after = 5;
  const auto file = open("image", CopyRole::destination);
  ASSERT_TRUE(file->prepare(device.content.size()).has_value());
  EXPECT_EQ(copy(device, *file, device.content.size()).error().code, Errc::timed_out);
}

TEST_F(CopyFiles, AnInterruptionSaysHowFarItCame) {
  FakeDevice device(noise(40 * kBlock));
  const auto file = open("image", CopyRole::destination);
  ASSERT_TRUE(file->prepare(device.content.size()).has_value());
  int turns = 0;
  CopyBuffers buffers({kBlock, kDepth});
  CopyEngine engine({.source = device,
                     .destination = *file,
                     .buffers = buffers,
                     .total_bytes = device.content.size(),
                     .is_stopped = [&] { return ++turns > 20; }});
  const auto result = engine.run();
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("interrupted after"), std::string::npos);
}

TEST_F(CopyFiles, AFileThatShrinksWhileItIsReadIsAnError) {
  write_file("image", noise(10 * kBlock));
  const auto file = open("image", CopyRole::source);
  std::filesystem::resize_file(path("image"), kBlock);
  FakeDevice device(std::string(10 * kBlock, 'x'));
  EXPECT_FALSE(copy(*file, device, 10 * kBlock).has_value());
}

TEST_F(CopyFiles, DirectoriesAndMissingFilesAreNamed) {
  const auto directory = open_file_end({directory_.string(), CopyRole::source, Sparse::yes});
  ASSERT_FALSE(directory.has_value());
  EXPECT_NE(directory.error().message.find("it is a directory"), std::string::npos);
  const auto missing = open_file_end({path("none"), CopyRole::source, Sparse::yes});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Errc::not_found);
}

TEST(ContentHash, ChangesWithEveryByteAndTheLength) {
  std::string text = noise(1000);
  const std::uint64_t hash = content_hash(as_byte_span(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    flip(text, i);
    EXPECT_NE(content_hash(as_byte_span(text)), hash);
    flip(text, i);
  }
  EXPECT_NE(content_hash(as_byte_span(std::string(8, '\0'))),
            content_hash(as_byte_span(std::string(16, '\0'))));
}

TEST(IsAllZero, SeesTheOnlyByteThatIsNot) {
  std::string text(99, '\0');
  EXPECT_TRUE(is_all_zero(as_byte_span(text)));
  EXPECT_TRUE(is_all_zero({}));
  for (char& c : text) {
    c = 1;
    EXPECT_FALSE(is_all_zero(as_byte_span(text)));
    c = 0;
  }
}

}  // namespace
}  // namespace aoe::tools
