#include "os/poll_until.h"

#include <chrono>
#include <thread>

namespace aoe::os {

void pause_for(Duration time) {
  std::this_thread::sleep_for(std::chrono::nanoseconds(time.ns));
}

}  // namespace aoe::os
