#include "os/notify.h"

#include "os/fd.h"
#include "os/random_seed.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace aoe::os {
namespace {

// A service manager's end of the notification socket, at an abstract address.
class NotifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string name = fmt::format("@aoekit-notify-test-{}", ::getpid());
    socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(std::begin(address.sun_path), name.size());
    address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the test has one thread
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }

  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe): the test has one thread
    }
  }

  std::string received() {
    std::array<char, 512> text{};
    const ssize_t length = ::recv(socket_.get(), text.data(), text.size(), 0);
    return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "";
  }

  Fd socket_;
  ServiceNotifier notifier_;
};

TEST_F(NotifyTest, SendsEachState) {
  notifier_.ready("serving 2 exports");
  EXPECT_EQ(received(), "READY=1\nSTATUS=serving 2 exports");
  notifier_.reloading();
  EXPECT_THAT(received(), ::testing::StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  notifier_.watchdog();
  EXPECT_EQ(received(), "WATCHDOG=1");
  notifier_.stopping();
  EXPECT_EQ(received(), "STOPPING=1");
}

TEST_F(NotifyTest, StatusStaysOneLine) {
  notifier_.status("e7.1: gone\nREADY=1");
  EXPECT_EQ(received(), "STATUS=e7.1: gone READY=1");
}

TEST_F(NotifyTest, WithoutAManagerNothingHappens) {
  ::unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): the test has one thread
  notifier_.ready("x");
  EXPECT_EQ(received(), "");
  EXPECT_FALSE(notifier_.watchdog_interval());
}

TEST_F(NotifyTest, WatchdogIntervalComesFromTheManager) {
  ::setenv("WATCHDOG_USEC", "3000000", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  EXPECT_EQ(notifier_.watchdog_interval(), Duration::seconds(3));
}

TEST(RandomSeed, Differs) {
  EXPECT_NE(random_seed(), random_seed());
}

}  // namespace
}  // namespace aoe::os
