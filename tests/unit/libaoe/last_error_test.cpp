#include "libaoe/last_error.h"

#include "libaoe/call.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>
#include <thread>

namespace aoe::libaoe {
namespace {

TEST(LastError, NamesTheCallAndKeepsTheSystemsNumber) {
  set_last_error("aoe_open", {Errc::not_permitted, EPERM, "eth1: open packet socket: denied"});
  EXPECT_STREQ(last_error_text(), "aoe_open: eth1: open packet socket: denied");
  EXPECT_EQ(last_error_number(), EPERM);
}

TEST(LastError, BelongsToItsThread) {
  set_last_error("here", {Errc::io, 0, "lost"});
  std::thread([] {
    EXPECT_STREQ(last_error_text(), "");
    EXPECT_EQ(last_error_number(), 0);
    set_last_error("there", {Errc::busy, 0, "later"});
  }).join();
  EXPECT_STREQ(last_error_text(), "here: lost");
}

TEST(LastError, CutsWhatIsTooLong) {
  set_last_error("call", {Errc::io, 0, std::string(2000, 'x')});
  EXPECT_EQ(std::string(last_error_text()).size(), 511U);
  EXPECT_EQ(std::string(last_error_text()).substr(0, 7), "call: x");
}

TEST(LastError, EveryKindHasANumber) {
  struct Case {
    Errc code;
    int number;
  };

  for (const Case c :
       {Case{Errc::io, EIO}, Case{Errc::invalid_argument, EINVAL}, Case{Errc::not_found, ENXIO},
        Case{Errc::already_exists, EEXIST}, Case{Errc::busy, EAGAIN},
        Case{Errc::not_permitted, EPERM}, Case{Errc::timed_out, ETIMEDOUT},
        Case{Errc::unsupported, ENOTSUP}, Case{Errc::corrupt, EIO}, Case{Errc::no_space, ENOSPC},
        Case{Errc::unavailable, ENXIO}}) {
    EXPECT_EQ(errno_of({c.code, 0, ""}), c.number) << errc_name(c.code);
  }
}

TEST(RunCall, TurnsExceptionsIntoErrors) {
  EXPECT_EQ(run_call("call", []() -> Result<int> { throw std::bad_alloc(); }), -1);
  EXPECT_EQ(last_error_number(), ENOMEM);
  EXPECT_EQ(run_call("call", []() -> Result<int> { throw std::runtime_error("odd"); }), -1);
  EXPECT_STREQ(last_error_text(), "call: odd");
  EXPECT_EQ(run_call("call", []() -> Result<int> { return 7; }), 7);
}

}  // namespace
}  // namespace aoe::libaoe
