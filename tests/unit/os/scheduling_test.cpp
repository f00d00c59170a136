#include "os/scheduling.h"

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <thread>

namespace aoe::os {
namespace {

// The slice of this thread in ns, which stands at byte 24 of struct sched_attr. 0: not told.
std::uint64_t slice_ns() {
  std::array<std::uint64_t, 6> attributes{};
  return ::syscall(SYS_sched_getattr, 0, attributes.data(), sizeof attributes, 0) == 0
             ? attributes[3]
             : 0;
}

int nice_value() {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
}

// Nothing of it may stay with the thread that runs the tests.
void in_a_thread(const std::function<void()>& what) {
  std::thread(what).join();
}

TEST(Scheduling, ShortSlicesReachThreadsMadeLaterAndChangeNothingElse) {
  in_a_thread([] {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 7), 0);
    const std::uint64_t before_ns = slice_ns();
    ask_for_short_slices();
    EXPECT_EQ(nice_value(), 7);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
    if (before_ns == 0) {
      GTEST_SKIP() << "needs Linux 6.12";
    }
    EXPECT_EQ(slice_ns(), 100'000U);
    in_a_thread([] { EXPECT_EQ(slice_ns(), 100'000U); });
  });
}

TEST(Scheduling, AnotherPolicyStays) {
  in_a_thread([] {
    const sched_param none{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &none), 0);
    const std::uint64_t before_ns = slice_ns();
    ask_for_short_slices();
    EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH);
    EXPECT_EQ(slice_ns(), before_ns);
  });
}

}  // namespace
}  // namespace aoe::os
