#include "targetd/shard_set.h"

#include "net/frame_filter.h"
#include "net/port_kinds.h"
#include "os/processors.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

namespace aoe::targetd {
namespace {

// Rates are the daemon's, and divided; every shard has tables of the full size.
target::TargetLimits limits_of_one(const ShardSet::Options& options) {
  target::TargetLimits limits = options.limits;
  limits.light_replies_per_second =
      std::max<std::uint32_t>(1, limits.light_replies_per_second / options.count);
  limits.light_replies_burst =
      std::max<std::uint32_t>(1, limits.light_replies_burst / options.count);
  return limits;
}

}  // namespace

Result<std::unique_ptr<ShardSet>> ShardSet::open(runtime::EventLoop& loop, const Options& options,
                                                 Prng& prng) {
  AOE_TRY_ASSIGN(os::EventFd news, os::EventFd::open());
  std::unique_ptr<ShardSet> set(new ShardSet(loop, options, std::move(news)));
  for (std::uint16_t index = 0; index < options.count; ++index) {
    AOE_TRY(set->add_place(index, prng));
  }
  return set;
}

ShardSet::ShardSet(runtime::EventLoop& loop, const Options& options, os::EventFd news)
    : loop_(loop), options_(options), news_(std::move(news)) {}

ShardSet::~ShardSet() {
  for (Place& place : places_) {
    place.thread.reset();
    place.shard.reset();
  }
}

Result<void> ShardSet::add_place(std::uint16_t index, Prng& prng) {
  Place place;
  if (options_.count > 1) {
    AOE_TRY_ASSIGN(place.own_loop, runtime::EventLoop::create(options_.polling));
  }
  runtime::EventLoop& loop = place.own_loop != nullptr ? *place.own_loop : loop_;
  // Where the daemon's thread works on a shard, it submits, too.
  storage::IoEngineOptions engine_options;
  engine_options.issuer = options_.count > 1 ? storage::IoIssuer::several : storage::IoIssuer::one;
  AOE_TRY_ASSIGN(auto opened, storage::open_io_engine(engine_options));
  place.engine = std::move(opened.engine);
  engine_fallback_ = std::move(opened.fallback_reason);

  std::vector<std::unique_ptr<net::PacketPort>> ports;
  std::size_t frame_bytes = options_.frame_bytes_min;
  for (const std::string& name : options_.interfaces) {
    net::AfPacketOptions port_options;
    port_options.interface = name;
    port_options.filter = net::FrameFilter::requests_and_announcements;
    port_options.share = {.index = index, .count = options_.count};
    port_options.qdisc_bypass = net::QdiscBypass::yes;
    AOE_TRY_ASSIGN(auto port, net::open_port(options_.port, port_options));
    frame_bytes = std::max(frame_bytes, port->info().mtu_bytes + net::kEthernetHeaderBytes);
    ports.push_back(std::move(port));
  }
  place.shard = std::make_unique<Shard>(Shard::Parts{loop, *place.engine}, limits_of_one(options_),
                                        frame_bytes, Prng(prng.next()));
  for (auto& port : ports) {
    AOE_TRY(place.shard->add_port(std::move(port)));
  }
  storage::IoEngine* engine = place.engine.get();
  AOE_TRY(loop.add_fd(engine->wait_fd(), EPOLLIN, [engine](std::uint32_t) { engine->poll(); }));
  loop.add_poller([engine] { return engine->has_arrived(); });
  places_.push_back(std::move(place));
  return {};
}

Result<void> ShardSet::start() {
  if (options_.count == 1) {
    return {};
  }
  AOE_TRY(loop_.add_fd(news_.fd(), EPOLLIN, [this](std::uint32_t) { news_.drain(); }));
  const std::vector<int> cpus = os::usable_processors();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    // One a processor, as far as there are enough; else the kernel places them.
    const int cpu = places_.size() <= cpus.size() ? cpus[i] : -1;
    AOE_TRY_ASSIGN(place.thread, ShardThread::start(*place.shard, *place.own_loop, news_, cpu));
  }
  has_threads_ = true;
  loop_.set_sleep_hooks([this] { give_back_all(); }, [this] { take_all(); });
  return {};
}

std::optional<Instant> ShardSet::turn() {
  return options_.count == 1 ? at(0).turn() : std::nullopt;
}

void ShardSet::take_all() {
  if (!has_threads_) {
    return;
  }
  for (Place& place : places_) {
    place.thread->want();
  }
  for (Place& place : places_) {
    place.thread->take();
  }
}

void ShardSet::give_back_all() {
  if (!has_threads_) {
    return;
  }
  for (Place& place : places_) {
    place.thread->give_back();
  }
}

std::size_t ShardSet::index_of(DeviceAddress address) const {
  return net::share_of(address.shelf.value, address.slot.value, options_.count);
}

std::vector<const target::Export*> ShardSet::exports() const {
  std::vector<const target::Export*> all;
  for (const Place& place : places_) {
    const auto some = place.shard->core().exports();
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end(), [](const target::Export* a, const target::Export* b) {
    return a->settings.address < b->settings.address;
  });
  return all;
}

void ShardSet::refresh_ports() {
  for (Place& place : places_) {
    place.shard->refresh_ports();
  }
}

void ShardSet::stop_receiving() {
  for (Place& place : places_) {
    place.shard->stop_receiving();
  }
}

void ShardSet::stop_working() {
  for (Place& place : places_) {
    place.shard->stop_working();
  }
}

bool ShardSet::is_working() const {
  return std::any_of(places_.begin(), places_.end(),
                     [](const Place& place) { return place.shard->is_working(); });
}

std::uint32_t ShardSet::requests_in_flight() const {
  std::uint32_t sum = 0;
  for (const Place& place : places_) {
    sum += place.shard->core().requests_in_flight();
  }
  return sum;
}

bool ShardSet::has_state_saves() {
  return std::any_of(places_.begin(), places_.end(),
                     [](const Place& place) { return place.shard->has_state_save(); });
}

bool ShardSet::finish(Duration timeout) {
  for (Place& place : places_) {
    if (!place.engine->drain(timeout)) {
      return false;
    }
  }
  has_threads_ = false;
  for (Place& place : places_) {
    place.thread.reset();
  }
  return true;
}

}  // namespace aoe::targetd
