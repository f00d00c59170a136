#include "compat/solaris/open_probes.h"

#include <algorithm>
#include <utility>

namespace aoe::compat::solaris {

void OpenProbes::open(std::vector<AddressPattern> patterns, Instant now) {
  close_ended(now);
  probes_.push_back({.patterns = std::move(patterns), .end = now + kOpenFor, .answered = {}});
}

bool OpenProbes::is_answered_by(const TargetAddress& target, Instant now) {
  close_ended(now);
  bool is_answer = false;
  for (Probe& probe : probes_) {
    is_answer = take_answer(probe, target) || is_answer;
  }
  return is_answer;
}

void OpenProbes::close_ended(Instant now) {
  probes_.erase(std::remove_if(probes_.begin(), probes_.end(),
                               [&](const Probe& probe) { return now >= probe.end; }),
                probes_.end());
}

bool OpenProbes::take_answer(Probe& probe, const TargetAddress& target) {
  return std::any_of(probe.patterns.begin(), probe.patterns.end(),
                     [&](const AddressPattern& pattern) { return pattern.matches(target); }) &&
         probe.answered.size() < kAnsweredMax && probe.answered.insert(target).second;
}

}  // namespace aoe::compat::solaris
