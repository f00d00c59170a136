#include "targetd/state_directory.h"

#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace aoe::targetd {
namespace {

// What the program asked of the kernel, in order, and what the kernel is to refuse.
struct Calls {
  std::vector<std::string> seen;
  std::string refused;

  // Whether the call may go on to the kernel.
  bool pass(const std::string& name) {
    seen.push_back(name);
    if (name == refused) {
      errno = EIO;
      return false;
    }
    return true;
  }
};

Calls& calls() {
  static Calls the_calls;
  return the_calls;
}

std::string kind_of(int fd) {
  struct stat status {};

  ::fstat(fd, &status);
  return S_ISDIR(status.st_mode) ? "directory" : "file";
}

}  // namespace
}  // namespace aoe::targetd

// These take the place of the C library's.
extern "C" int fdatasync(int fd) {
  return aoe::targetd::calls().pass("sync " + aoe::targetd::kind_of(fd))
             ? static_cast<int>(::syscall(SYS_fdatasync, fd))
             : -1;
}

extern "C" int fsync(int fd) {
  return aoe::targetd::calls().pass("sync " + aoe::targetd::kind_of(fd))
             ? static_cast<int>(::syscall(SYS_fsync, fd))
             : -1;
}

extern "C" int renameat(int from_fd, const char* from, int to_fd, const char* to) noexcept {
  return aoe::targetd::calls().pass(std::string("rename ") + from + " " + to)
             ? static_cast<int>(::syscall(SYS_renameat2, from_fd, from, to_fd, to, 0))
             : -1;
}

namespace aoe::targetd {
namespace {

constexpr DeviceAddress kAddress{Shelf{7}, Slot{1}};

class StateDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    calls() = {};
    directory_ = open();
  }

  [[nodiscard]] std::unique_ptr<StateDirectory> open() const {
    auto directory = StateDirectory::open(temp_.path("state"));
    EXPECT_TRUE(directory) << directory.error().message;
    return directory ? *std::move(directory) : nullptr;
  }

  [[nodiscard]] std::string content() const {
    std::ifstream file(temp_.path("state/e7.1.state"), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  testing::TempDir temp_;
  std::unique_ptr<StateDirectory> directory_;
};

TEST_F(StateDirectoryTest, WhatWasSavedIsLoaded) {
  const auto nothing = directory_->load(kAddress, StateFile::state);
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(*nothing);
  ASSERT_TRUE(directory_->save(kAddress, StateFile::state, as_byte_span("first")));
  ASSERT_TRUE(directory_->save(kAddress, StateFile::state, as_byte_span("second and longer")));
  const auto loaded = open()->load(kAddress, StateFile::state);
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ(as_text(**loaded), "second and longer");
  const auto other = directory_->load({Shelf{7}, Slot{2}}, StateFile::state);
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
}

// The order that leaves the old content or the new after a power cut: the bytes are stable before
// they get the name, and the name is stable before anybody is told.
TEST_F(StateDirectoryTest, ContentIsStableBeforeItsNameAndTheNameBeforeTheEnd) {
  ASSERT_TRUE(directory_->save(kAddress, StateFile::state, as_byte_span("bytes")));
  EXPECT_THAT(calls().seen, ::testing::ElementsAre("sync file", "rename e7.1.state.new e7.1.state",
                                                   "sync directory"));
}

// What another boot makes void anyway needs no disk, but it is replaced whole too.
TEST_F(StateDirectoryTest, AServingRecordIsReplacedWholeAndNotMadeStable) {
  ASSERT_TRUE(directory_->save(kAddress, StateFile::serving, as_byte_span("record")));
  EXPECT_THAT(calls().seen, ::testing::ElementsAre("rename e7.1.serving.new e7.1.serving"));
  const auto loaded = directory_->load(kAddress, StateFile::serving);
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ(as_text(**loaded), "record");
  EXPECT_FALSE(*directory_->load(kAddress, StateFile::state));
}

TEST_F(StateDirectoryTest, EveryRefusalOfTheKernelIsAnErrorAndKeepsAWholeFile) {
  ASSERT_TRUE(directory_->save(kAddress, StateFile::state, as_byte_span("old")));
  for (const char* refused : {"sync file", "rename e7.1.state.new e7.1.state", "sync directory"}) {
    calls().refused = refused;
    const auto saved = directory_->save(kAddress, StateFile::state, as_byte_span("new"));
    ASSERT_FALSE(saved) << refused;
    EXPECT_EQ(saved.error().code, Errc::io) << saved.error().message;
    // Renamed but perhaps not stable: both are whole, and the caller tells nobody.
    EXPECT_EQ(content(), std::string(refused) == "sync directory" ? "new" : "old");
  }
}

TEST_F(StateDirectoryTest, AFileThatIsNoStateIsCorrupt) {
  (void)temp_.make_file("state/e7.1.state", 65 * 1024);
  const auto loaded = directory_->load(kAddress, StateFile::state);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::corrupt);
}

TEST_F(StateDirectoryTest, RemovesOneFileAndLeavesTheOthers) {
  ASSERT_TRUE(directory_->save(kAddress, StateFile::state, as_byte_span("state")));
  ASSERT_TRUE(directory_->save(kAddress, StateFile::freeze, as_byte_span("freeze")));
  ASSERT_TRUE(directory_->remove(kAddress, StateFile::freeze));
  const auto gone = directory_->load(kAddress, StateFile::freeze);
  ASSERT_TRUE(gone);
  EXPECT_FALSE(*gone);
  const auto left = directory_->load(kAddress, StateFile::state);
  ASSERT_TRUE(left);
  EXPECT_TRUE(*left);
  EXPECT_TRUE(directory_->remove(kAddress, StateFile::freeze));
}

TEST_F(StateDirectoryTest, SymbolicLinksAreNotFollowed) {
  const std::string victim = temp_.make_file("victim", 3);
  ASSERT_EQ(::symlink(victim.c_str(), temp_.path("state/e7.1.state").c_str()), 0);
  ASSERT_EQ(::symlink(victim.c_str(), temp_.path("state/e7.1.state.new").c_str()), 0);
  EXPECT_FALSE(directory_->load(kAddress, StateFile::state));
  EXPECT_FALSE(directory_->save(kAddress, StateFile::state, as_byte_span("bytes")));
  EXPECT_EQ(std::filesystem::file_size(victim), 3U);
}

TEST_F(StateDirectoryTest, OneHolderAtATime) {
  ASSERT_TRUE(directory_->lock(kAddress));
  const auto second = open();
  const auto locked = second->lock(kAddress);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, Errc::busy);
  EXPECT_TRUE(second->lock({Shelf{7}, Slot{2}}));
  directory_->unlock(kAddress);
  EXPECT_TRUE(second->lock(kAddress));
}

}  // namespace
}  // namespace aoe::targetd
