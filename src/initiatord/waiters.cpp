#include "initiatord/waiters.h"

#include "base/parse.h"

#include <fmt/format.h>

#include <utility>

namespace aoe::initiatord {
namespace {

bool has_happened(const Waiters::Waiter& waiter, const initiator::Device& device) {
  if (waiter.until == Waiters::Until::up) {
    return device.is_up();
  }
  const initiator::PathSet& paths = device.paths();
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    if (paths.at(i).carries_data() && paths.at(i).identified >= waiter.since) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Result<control::Json>> Waiters::outcome(const Waiter& waiter, Instant now,
                                                      DeviceKeeper& keeper) {
  const std::string name = to_string(waiter.address);
  const KeptDevice* device = keeper.find(waiter.address);
  if (device != nullptr && !device->enabled) {
    return fail_with(Errc::unavailable, 0,
                     fmt::format("{0}: wait: it is disabled (aoe enable {0})", name));
  }
  const initiator::Device* view = device == nullptr ? nullptr : keeper.view(*device);
  if (view != nullptr && has_happened(waiter, *view)) {
    return control::Json{{"address", name}, {"size_sectors", view->sectors()}};
  }
  if (now >= waiter.deadline) {
    return fail_with(Errc::timed_out, 0,
                     fmt::format("{}: {}: no answer within {} (is the target running?)", name,
                                 waiter.until == Until::up ? "wait" : "revalidate",
                                 format_duration(waiter.patience)));
  }
  return std::nullopt;
}

void Waiters::look(Instant now, DeviceKeeper& keeper) {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const auto answer = outcome(*waiter, now, keeper);
    if (!answer) {
      ++waiter;
      continue;
    }
    control::Reply reply = std::move(waiter->reply);
    waiter = waiters_.erase(waiter);
    reply.send(*answer);
  }
}

std::optional<Instant> Waiters::next_time() const {
  std::optional<Instant> next;
  for (const Waiter& waiter : waiters_) {
    if (!next || waiter.deadline < *next) {
      next = waiter.deadline;
    }
  }
  return next;
}

std::vector<DeviceAddress> Waiters::addresses() const {
  std::vector<DeviceAddress> all;
  all.reserve(waiters_.size());
  for (const Waiter& waiter : waiters_) {
    all.push_back(waiter.address);
  }
  return all;
}

}  // namespace aoe::initiatord
