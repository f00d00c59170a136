#include "os/privileges.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <string>

namespace aoe::os {
namespace {

// Gives privileges up in a child and returns its exit status: 0 when `check` holds there, 1 when it
// does not, 2 when dropping failed.
int after_drop(const PrivilegeDrop& drop, const std::function<bool()>& check) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto dropped = drop_privileges(drop);
    if (!dropped) {
      std::fprintf(stderr, "%s\n", dropped.error().message.c_str());
      ::_exit(2);
    }
    ::_exit(check() ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string status_field(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0) {
      return line.substr(line.find_first_not_of(" \t", name.size() + 1));
    }
  }
  return "";
}

bool packet_socket_opens() {
  const int fd = ::socket(AF_PACKET, SOCK_RAW, 0);
  return fd >= 0 && ::close(fd) == 0;
}

class PrivilegesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "changing user takes root";
    }
  }
};

constexpr const char* kNoCapabilities = "0000000000000000";

TEST_F(PrivilegesTest, NothingIsLeft) {
  EXPECT_EQ(after_drop({.user = "nobody"},
                       [] {
                         return ::getuid() == 65534 && ::geteuid() == 65534 &&
                                ::getgroups(0, nullptr) == 0 &&
                                status_field("CapEff") == kNoCapabilities &&
                                status_field("CapPrm") == kNoCapabilities &&
                                status_field("CapInh") == kNoCapabilities &&
                                status_field("CapBnd") == kNoCapabilities &&
                                status_field("CapAmb") == kNoCapabilities &&
                                status_field("NoNewPrivs") == "1" && !packet_socket_opens();
                       }),
            0);
}

TEST_F(PrivilegesTest, NetRawAloneCanBeKept) {
  EXPECT_EQ(after_drop({.user = "nobody", .keep_net_raw = KeepNetRaw::yes},
                       [] {
                         return ::getuid() == 65534 &&
                                status_field("CapEff") == "0000000000002000" &&
                                status_field("CapBnd") == kNoCapabilities && packet_socket_opens();
                       }),
            0);
}

TEST_F(PrivilegesTest, NumbersAndAnotherGroupAreAccepted) {
  EXPECT_EQ(after_drop({.user = "12345", .group = "disk"},
                       [] { return ::getuid() == 12345 && ::getgid() == 6; }),
            0);
  EXPECT_EQ(after_drop({.user = "12345"}, [] { return ::getgid() == 12345; }), 0);
}

TEST_F(PrivilegesTest, RootMayKeepItsNameButLosesItsCapabilities) {
  EXPECT_EQ(after_drop({.user = ""},
                       [] {
                         return ::getuid() == 0 && status_field("CapEff") == kNoCapabilities &&
                                status_field("CapBnd") == kNoCapabilities && !packet_socket_opens();
                       }),
            0);
}

TEST_F(PrivilegesTest, OrdinaryUserCannotBecomeAnotherButCanDropTheRest) {
  EXPECT_EQ(after_drop({.user = "nobody"},
                       [] {
                         const auto again = drop_privileges({.user = "12345"});
                         return !again && again.error().code == Errc::not_permitted &&
                                drop_privileges({.user = "nobody"}).has_value() &&
                                drop_privileges({.user = ""}).has_value() &&
                                !drop_privileges({.user = "", .keep_net_raw = KeepNetRaw::yes});
                       }),
            0);
}

TEST(Privileges, UnknownNamesAreNotFound) {
  const auto user = drop_privileges({.user = "no-such-user-here"});
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, Errc::not_found);
  const auto group = drop_privileges({.user = "", .group = "no-such-group-here"});
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Errc::not_found);
}

}  // namespace
}  // namespace aoe::os
