#include "os/processors.h"

#include <sched.h>

namespace aoe::os {

std::vector<int> usable_processors() {
  std::vector<int> numbers;
  cpu_set_t set;
  CPU_ZERO(&set);
  // Fails on machines with more processors than the set has places: then none is told apart.
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(static_cast<unsigned>(i), &set)) {
        numbers.push_back(i);
      }
    }
  }
  if (numbers.empty()) {
    numbers.push_back(0);
  }
  return numbers;
}

}  // namespace aoe::os
