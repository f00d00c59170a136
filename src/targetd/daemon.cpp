#include "targetd/daemon.h"

#include "base/parse.h"
#include "daemon/setup.h"
#include "net/packet_port.h"
#include "os/boot_identity.h"
#include "os/clock.h"
#include "os/privileges.h"
#include "os/processors.h"
#include "os/random_seed.h"
#include "targetd/control_methods.h"
#include "targetd/event_text.h"
#include "targetd/export_opener.h"
#include "targetd/reload_plan.h"
#include "targetd/serving_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace aoe::targetd {
namespace {

constexpr std::size_t kFrameBytesMin = 9000 + net::kEthernetHeaderBytes;
constexpr Duration kPeriod = Duration::seconds(1);
constexpr Duration kStateSaveInterval = Duration::seconds(600);
constexpr Duration kStopTime = Duration::seconds(10);
constexpr Duration kStopLook = Duration::milliseconds(10);

Result<void> check_available(const TargetConfig& config) {
  if (config.metrics) {
    return fail_with(Errc::unsupported, 0, "metrics: not available in this version");
  }
  return {};
}

std::uint16_t shard_count(const TargetConfig& config) {
  if (config.shards != 0) {
    return config.shards;
  }
  return static_cast<std::uint16_t>(
      std::min<std::size_t>(os::usable_processors().size(), kShardsMax));
}

}  // namespace

Daemon::Daemon(Options options) : options_(std::move(options)) {}

Daemon::~Daemon() {
  freezer_.reset();  // they hold answers that the control socket waits for
  overlays_.reset();
  snapshots_.reset();
  control_.reset();
  shards_.reset();
}

int Daemon::run(const TargetConfig& config) {
  config_ = config;
  if (auto available = check_available(config_); !available) {
    spdlog::error("{}", available.error().message);
    return daemon::kExitMisused;
  }
  if (options_.replace) {
    if (auto replaced = replace_running(); !replaced) {
      spdlog::error("{}", replaced.error().message);
      return daemon::kExitFailed;
    }
  }
  if (auto opened = open_edges(); !opened) {
    spdlog::error("{}", opened.error().message);
    return daemon::kExitFailed;
  }
  if (auto shards = open_shards(); !shards) {
    spdlog::error("{}", shards.error().message);
    return shards.error().code == Errc::io ? daemon::kExitFailed : daemon::kExitMisused;
  }
  for (const ExportConfig& item : config_.exports) {
    if (auto started = start_export(item); !started) {
      spdlog::error("{}", started.error().message);
      return daemon::kExitMisused;
    }
    settling_.insert(item.address);
  }
  if (auto control = open_control(); !control) {
    spdlog::error("{}", control.error().message);
    return daemon::kExitFailed;
  }
  if (auto settled = settle_privileges(); !settled) {
    spdlog::error("{}", settled.error().message);
    return daemon::kExitFailed;
  }
  loop_until_stopped();
  if (!shards_->finish(Duration::seconds(1))) {
    // A backend hangs: its operations cannot be taken back, and closing would wait for them for
    // ever.
    control_.reset();
    std::_Exit(exit_status_);
  }
  return exit_status_;
}

Result<void> Daemon::open_edges() {
  // First of all, so that every thread made later inherits the block.
  AOE_TRY_ASSIGN(signals_, os::SignalSet::open({SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}));
  (void)std::signal(SIGPIPE, SIG_IGN);
  AOE_TRY_ASSIGN(states_, StateDirectory::open(config_.state_dir));
  // Several shards have loops of their own, and look for frames there.
  AOE_TRY_ASSIGN(
      loop_, runtime::EventLoop::create(shard_count(config_) == 1 ? daemon::polling(config_)
                                                                  : runtime::EventLoop::Options{}));
  AOE_TRY_ASSIGN(links_, os::LinkMonitor::open());
  return {};
}

Result<void> Daemon::open_shards() {
  ShardSet::Options options;
  options.count = shard_count(config_);
  options.polling = daemon::polling(config_);
  options.port = config_.port;
  options.interfaces = config_.interfaces;
  options.limits.frame_life = config_.frame_life;
  options.frame_bytes_min = kFrameBytesMin;
  Prng prng(os::random_seed());
  AOE_TRY_ASSIGN(shards_, ShardSet::open(*loop_, options, prng));
  if (!shards_->engine_fallback().empty()) {
    spdlog::warn("io_uring is not usable, using threads: {}", shards_->engine_fallback());
  }
  make_volumes();
  for (const auto& port : shards_->ports()) {
    if (!port->info().link_up) {
      spdlog::warn("{}: the link is down; it is served as soon as it comes up", port->name());
    }
  }
  port_log_.look(shards_->ports());
  AOE_TRY(watch_descriptors());
  return {};
}

void Daemon::make_volumes() {
  const auto run_blocking = [this](auto job, auto completion) {
    worker_->post(std::move(job), std::move(completion));
  };
  const auto wake = [this](DeviceAddress address) {
    if (const auto id = export_ids_.find(address); id != export_ids_.end()) {
      shards_->of(address).watch(id->second);
    }
  };
  const auto engine_of = [this](DeviceAddress address) -> storage::IoEngine& {
    return shards_->engine_of(address);
  };
  const auto publish = [this](const control::Json& event) {
    if (control_ != nullptr) {
      control_->publish(event);
    }
  };
  freezer_ = std::make_unique<Freezer>(Freezer::Parts{.engine_of = engine_of,
                                                      .states = *states_,
                                                      .state_dir = config_.state_dir,
                                                      .run_blocking = run_blocking,
                                                      .wake = wake,
                                                      .publish = publish});
  overlays_ = std::make_unique<Overlays>(Overlays::Parts{
      .engine_of = engine_of, .run_blocking = run_blocking, .wake = wake, .publish = publish});
  scrubber_ = std::make_unique<Scrubber>(Scrubber::Parts{.wake = wake, .publish = publish});
  snapshots_ = std::make_unique<Snapshots>(Snapshots::Parts{
      .engine_of = engine_of,
      .states = *states_,
      .state_dir = config_.state_dir,
      .run_blocking = run_blocking,
      .wake = wake,
      .publish = publish,
      .start = [this](const ExportConfig& config, DeviceAddress owner,
                      auto view) { return start_snapshot(config, owner, std::move(view)); },
      .check_sharing = [this](DeviceAddress snapshot,
                              DeviceAddress owner) { return check_sharing(snapshot, owner); },
      .stop =
          [this](DeviceAddress address) {
            const auto id = export_ids_.find(address);
            if (id == export_ids_.end()) {
              return false;
            }
            (void)shards_->of(address).core().remove_export(os::monotonic_now(), id->second);
            return true;
          },
      .is_in_use = [this](DeviceAddress address) { return export_ids_.contains(address); }});
}

Result<void> Daemon::watch_descriptors() {
  AOE_TRY(loop_->add_fd(signals_->wait_fd(), EPOLLIN, [this](std::uint32_t) {
    while (const auto signal = signals_->next()) {
      handle_signal(signal->number);
    }
  }));
  return loop_->add_fd(links_->wait_fd(), EPOLLIN, [this](std::uint32_t) {
    links_changed_ = !links_->drain().empty() || links_changed_;
  });
}

Result<void> Daemon::open_control() {
  AOE_TRY_ASSIGN(control_, daemon::open_control(*loop_, config_));
  add_control_methods(*control_, *this);
  return {};
}

Result<void> Daemon::start_export(const ExportConfig& config) {
  AOE_TRY_ASSIGN(OpenedExport opened,
                 open_export(config, config_.interfaces, shards_->engine_of(config.address)));
  return start_opened(config, std::move(opened));
}

Result<void> Daemon::check_sharing(DeviceAddress snapshot, DeviceAddress owner) const {
  if (shards_->is_together(snapshot, owner)) {
    return {};
  }
  return fail_with(
      Errc::unsupported, 0,
      fmt::format("{}: a snapshot of {} shares its store, so the same of {} shards has to serve "
                  "it: expected an address whose shelf and slot together leave the same remainder "
                  "by {}",
                  to_string(snapshot), to_string(owner), shards_->size(), shards_->size()));
}

Result<void> Daemon::start_snapshot(const ExportConfig& config, DeviceAddress owner,
                                    std::unique_ptr<storage::BlockStore> view) {
  OpenedExport opened;
  if (view != nullptr) {
    // The number of shards may have been another one when the snapshot was taken.
    AOE_TRY(check_sharing(config.address, owner));
  }
  if (view == nullptr) {
    AOE_TRY_ASSIGN(opened,
                   open_export(config, config_.interfaces, shards_->engine_of(config.address)));
  } else {
    opened.settings = make_settings(config, config_.interfaces, view->info());
    opened.base_name = view->describe();
    opened.store = std::move(view);
  }
  AOE_TRY(start_opened(config, std::move(opened)));
  derived_[config.address] = config;
  return {};
}

Result<void> Daemon::start_opened(const ExportConfig& config, OpenedExport opened) {
  for (const std::string& warning : opened.warnings) {
    spdlog::warn("{}", warning);
  }
  AOE_TRY(states_->lock(config.address, options_.replace ? kStopTime : Duration{}));
  const auto give_up = [&](Error error) {
    freezer_->remove(config.address);
    overlays_->remove(config.address);
    snapshots_->remove(config.address);
    scrubber_->remove(config.address);
    states_->unlock(config.address);
    return fail(std::move(error));
  };
  if (auto added = freezer_->add(config, opened.layered, opened.base_name); !added) {
    return give_up(std::move(added).error());
  }
  if (opened.integrity != nullptr) {
    scrubber_->add(config, *opened.integrity);
  }
  if (auto added = snapshots_->add(config, opened.snapshots, opened.base_name); !added) {
    return give_up(std::move(added).error());
  }
  if (opened.overlays != nullptr) {
    if (auto added = overlays_->add(config, *opened.overlays, opened.base_name); !added) {
      return give_up(std::move(added).error());
    }
  }
  auto remembered = remember(config.address);
  if (!remembered) {
    return give_up(std::move(remembered).error());
  }
  // Before anything is served: whoever finds this record knows that frames may be under way.
  if (auto recorded = record_serving(config.address, std::nullopt); !recorded) {
    return give_up(std::move(recorded).error());
  }
  opened.settings.hold_plain_writes = remembered->hold;
  Shard& shard = shards_->of(config.address);
  auto id =
      shard.add_export(opened.settings, std::move(remembered->state), std::move(opened.store));
  if (!id) {
    return give_up(std::move(id).error());
  }
  if (remembered->handover) {
    AOE_TRY(shard.core().take_over(os::monotonic_now(), *id, *remembered->handover));
    spdlog::info("{}: goes on where the target before left off: {} sessions, {} Linux addresses",
                 to_string(config.address), remembered->handover->sessions.size(),
                 remembered->handover->hosts.size());
  }
  const target::Export* added = shard.core().find(*id);
  if (added != nullptr && added->hold_plain_writes_until > os::monotonic_now()) {
    spdlog::info(
        "{}: writes of plain initiators are held for {}: frames that were sent to an "
        "earlier start may still arrive",
        to_string(config.address), format_duration(remembered->hold));
  }
  export_ids_[config.address] = *id;
  shard.watch(*id);  // a shadow that was found is being put over the store
  snapshots_->start_exports(config.address);
  return {};
}

Result<Daemon::Remembered> Daemon::remember(DeviceAddress address) const {
  Remembered remembered;
  AOE_TRY_ASSIGN(const auto state, states_->load(address, StateFile::state));
  if (state) {
    AOE_TRY_ASSIGN(remembered.state, target::decode_state(address, *state));
  }
  HoldQuestion question;
  question.where = os::boot_identity();
  question.now = os::monotonic_now();
  question.frame_life = config_.frame_life;
  AOE_TRY_ASSIGN(const auto serving, states_->load(address, StateFile::serving));
  const auto record = serving ? ServingRecord::decode(*serving) : std::nullopt;
  if (record) {
    question.earlier = EarlierService::recorded;
    question.record = *record;
  } else if (serving || state) {
    question.earlier = EarlierService::unknown;
  }
  remembered.hold = plain_write_hold(question);
  remembered.handover = fetch_handover(address, question);
  return remembered;
}

Result<void> Daemon::record_serving(DeviceAddress address, std::optional<Instant> stopped) const {
  const ServingRecord record{.where = os::boot_identity(), .stopped = stopped};
  return states_->save(address, StateFile::serving, as_byte_span(record.encode()));
}

void Daemon::record_stop(DeviceAddress address) const {
  if (auto recorded = record_serving(address, os::monotonic_now()); !recorded) {
    // The next start holds plain writes for a moment, and that is all.
    spdlog::warn("{}", recorded.error().message);
  }
}

Result<void> Daemon::settle_privileges() {
  if (options_.run_command) {
    // Made while we still have what we were started with: the command is the user's, not ours.
    AOE_TRY_ASSIGN(child_, os::ChildProcess::prepare_shell(*options_.run_command));
  }
  // Open packet sockets, files and directories keep working without any privilege. Capabilities
  // belong to threads, so threads start only after this.
  const os::PrivilegeDrop drop = daemon::privilege_drop(config_);
  if (!config_.user.empty()) {
    AOE_TRY_ASSIGN(const os::UserIdentity identity, os::identity_after(drop));
    AOE_TRY(states_->give_to(identity));
  }
  AOE_TRY(os::drop_privileges(drop));
  AOE_TRY_ASSIGN(worker_, runtime::Worker::start());
  AOE_TRY(shards_->start());
  return loop_->add_fd(worker_->wait_fd(), EPOLLIN, [this](std::uint32_t) { worker_->drain(); });
}

void Daemon::loop_until_stopped() {
  watchdog_interval_ = notifier_.watchdog_interval();
  next_periodic_ = os::monotonic_now() + kPeriod;
  next_state_save_ = os::monotonic_now() + kStateSaveInterval;
  while (!is_stop_complete()) {
    const std::optional<Instant> next = shards_->turn();
    take_news();
    freezer_->poll();
    overlays_->poll();
    snapshots_->poll();
    scrubber_->poll();
    Instant soonest = next ? std::min(*next, next_periodic_) : next_periodic_;
    if (is_stopping_) {
      // Nobody tells that the last request has ended.
      soonest = std::min(soonest, os::monotonic_now() + kStopLook);
    }
    loop_->run_once(soonest);
    if (std::exchange(links_changed_, false)) {
      shards_->refresh_ports();
      port_log_.look(shards_->ports());
    }
    if (const Instant now = os::monotonic_now(); now >= next_periodic_) {
      do_periodic_work(now);
    }
    check_start_complete();
  }
  if (shards_->requests_in_flight() == 0) {
    for (const auto& [address, id] : export_ids_) {
      leave_handover(address, id);
      record_stop(address);
    }
  }
  notifier_.stopping();
}

// What shards have for the rest of us.
void Daemon::take_news() {
  for (std::size_t i = 0; i < shards_->size(); ++i) {
    Shard& shard = shards_->at(i);
    while (const auto event = shard.next_event()) {
      handle_event(*event);
    }
    while (auto save = shard.next_state_save()) {
      save_state(std::move(*save));
    }
    shard.seen_news();
  }
}

void Daemon::save_state(target::StateSave save) {
  // Shared by the job and its completion, which run one after the other on two threads.
  struct Outcome {
    target::StateSave save;
    Result<void> result;
  };

  auto outcome = std::make_shared<Outcome>();
  outcome->save = std::move(save);
  worker_->post(
      [outcome, &states = *states_] {
        outcome->result = states.save(outcome->save.address, StateFile::state, outcome->save.bytes);
      },
      [this, outcome] {
        if (!outcome->result) {
          spdlog::error("{}", outcome->result.error().message);
        }
        using Saved = target::StateKeeper::Saved;
        shards_->of(outcome->save.address)
            .core()
            .handle_state_saved(os::monotonic_now(), outcome->save.export_id,
                                outcome->save.generation, outcome->result ? Saved::yes : Saved::no);
      });
}

void Daemon::do_periodic_work(Instant now) {
  next_periodic_ = now + kPeriod;
  if (watchdog_interval_) {
    notifier_.watchdog();
  }
  if (is_stopping_) {
    return;
  }
  // A longer MTU waits for ring slots that are out, and no link event tells when they came back.
  shards_->refresh_ports();
  port_log_.look(shards_->ports());
  look_for_new_sizes();
  if (now >= next_state_save_) {
    next_state_save_ = now + kStateSaveInterval;
    save_all_states();
  }
  if (child_ != nullptr) {
    if (const auto status = child_->exit_status()) {
      begin_stop(*status);
    }
  }
}

void Daemon::look_for_new_sizes() {
  // From the configurations to the exports: the other way would search them for each.
  for (const ExportConfig& config : config_.exports) {
    look_for_new_size(config);
  }
  for (const auto& [address, config] : derived_) {
    look_for_new_size(config);
  }
}

void Daemon::look_for_new_size(const ExportConfig& config) {
  const auto id = export_ids_.find(config.address);
  if (id == export_ids_.end()) {
    return;
  }
  Shard& shard = shards_->of(config.address);
  const target::Export* subject = shard.core().find(id->second);
  storage::BlockStore* store = shard.store_of(id->second);
  if (subject == nullptr || store == nullptr) {
    return;
  }
  const std::uint64_t sectors = exported_sectors(config.geometry, store->look_at_size());
  if (sectors > subject->settings.sector_count) {
    if (auto resized = shard.core().resize(id->second, sectors); !resized) {
      spdlog::warn("{}", resized.error().message);
    }
  }
}

void Daemon::save_all_states() {
  for (const auto& [address, id] : export_ids_) {
    // Busy means that a save is on its way, with counters as fresh as these.
    (void)shards_->of(address).core().save_state(os::monotonic_now(), id);
  }
}

void Daemon::handle_signal(int number) {
  switch (number) {
    case SIGHUP:
      notifier_.reloading();
      if (auto done = reload(); done) {
        spdlog::info("reloaded: {}", *done);
      } else {
        spdlog::error("not reloaded, the running configuration stays: {}", done.error().message);
      }
      notifier_.ready(fmt::format("serving {} exports", export_ids_.size()));
      return;
    case SIGUSR1:
    case SIGUSR2:
      handle_freeze_signal(number);
      return;
    default:
      spdlog::info("stopping");
      begin_stop(child_ != nullptr ? 128 + number : daemon::kExitOk);
      return;
  }
}

void Daemon::handle_freeze_signal(int number) {
  using Meaning = FreezeSignals::Meaning;
  const Meaning meaning = freeze_signals_.handle(number);
  if (meaning == Meaning::nothing_yet) {
    return;
  }
  const std::vector<DeviceAddress> exports = freezer_->with_shadow();
  if (meaning == Meaning::nonsense || exports.empty()) {
    spdlog::warn("signals ignored: {}", exports.empty()
                                            ? "no export has shadow= in its configuration"
                                            : "USR1 USR2 freezes, USR1 USR1 USR2 thaws");
    return;
  }
  for (const DeviceAddress address : exports) {
    if (meaning == Meaning::freeze && snapshots_->has_any(address)) {
      spdlog::warn("{}: not frozen: it has snapshots", to_string(address));
    } else if (meaning == Meaning::freeze) {
      freezer_->freeze(address, {});
    } else {
      freezer_->thaw({.address = address, .bytes_per_second = {}}, {});
    }
  }
}

void Daemon::begin_stop(int exit_status) {
  if (is_stopping_) {
    return;
  }
  is_stopping_ = true;
  exit_status_ = exit_status;
  stop_deadline_ = os::monotonic_now() + kStopTime;
  shards_->stop_receiving();
  shards_->stop_working();
  save_all_states();
}

bool Daemon::is_stop_complete() {
  if (!is_stopping_) {
    return false;
  }
  if (os::monotonic_now() >= stop_deadline_) {
    spdlog::warn("{} requests were still in flight after {} s", shards_->requests_in_flight(),
                 kStopTime.ns / 1'000'000'000);
    return true;
  }
  return shards_->requests_in_flight() == 0 && worker_->outstanding() == 0 &&
         !shards_->is_working() && !shards_->has_state_saves();
}

void Daemon::handle_event(const target::TargetEvent& event) {
  if (control_ != nullptr) {
    control_->publish(to_json(event));
  }
  switch (event.kind) {
    case target::EventKind::export_ready: {
      settling_.erase(event.address);
      const target::Export* subject = shards_->of(event.address).core().find(event.export_id);
      if (subject != nullptr) {
        ready_.insert(event.address);
        print_ready(*subject);
      }
      return;
    }
    case target::EventKind::address_conflict:
      settling_.erase(event.address);
      ready_.erase(event.address);
      break;
    case target::EventKind::export_removed: {
      freezer_->remove(event.address);
      overlays_->remove(event.address);
      snapshots_->remove(event.address);
      scrubber_->remove(event.address);
      export_ids_.erase(event.address);
      ready_.erase(event.address);
      record_stop(event.address);
      states_->unlock(event.address);
      if (moves_.contains(event.address)) {
        carry_over(event.address);
        break;
      }
      if (derived_.erase(event.address) != 0) {
        snapshots_->export_gone(event.address);
      }
      const auto again = reopen_.find(event.address);
      if (again != reopen_.end()) {
        // The store is closed by the shard after this; opening waits for the next turn.
        worker_->post([] {},
                      [this, wanted = again->second] {
                        reopen_.erase(wanted.address);
                        if (auto started = start_export(wanted); !started) {
                          spdlog::error("{}", started.error().message);
                        }
                      });
      }
      break;
    }
    default:
      break;
  }
  const auto left_out =
      throttle_.admit(os::monotonic_now(), {event.address, static_cast<std::uint32_t>(event.kind)});
  if (!left_out) {
    return;
  }
  daemon::LogLine line = describe(event);
  if (*left_out != 0) {
    line.text += fmt::format(" ({} more of these were left out)", *left_out);
  }
  daemon::say(line);
}

void Daemon::print_ready(const target::Export& subject) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < shards_->ports().size(); ++i) {
    if (subject.is_served_on(PortId{static_cast<std::uint8_t>(i)})) {
      names.push_back(shards_->ports()[i]->name());
    }
  }
  // Exactly this line, whatever the log level: scripts wait for it.
  fmt::print(stderr, "aoe-targetd: {} ready: {} sectors on {}\n",
             to_string(subject.settings.address), subject.settings.sector_count,
             fmt::join(names, ","));
}

void Daemon::check_start_complete() {
  if (is_ready_ || is_stopping_ || !settling_.empty()) {
    return;
  }
  if (ready_.empty() && !config_.exports.empty()) {
    spdlog::error("no export can be served");
    begin_stop(daemon::kExitFailed);
    return;
  }
  become_ready();
}

void Daemon::become_ready() {
  is_ready_ = true;
  if (child_ != nullptr) {
    child_->release();
    const auto watched = loop_->add_fd(child_->wait_fd(), EPOLLIN, [this](std::uint32_t) {
      if (const auto status = child_->exit_status()) {
        loop_->remove_fd(child_->wait_fd());
        begin_stop(*status);
      }
    });
    if (!watched) {
      // The periodic look notices the end as well, only later.
      spdlog::warn("--run: {}", watched.error().message);
    }
  }
  notifier_.ready(fmt::format("serving {} exports", export_ids_.size()));
}

const ExportConfig* Daemon::find_config(DeviceAddress address) const {
  const auto found =
      std::find_if(config_.exports.begin(), config_.exports.end(),
                   [address](const ExportConfig& item) { return item.address == address; });
  if (found != config_.exports.end()) {
    return &*found;
  }
  const auto derived = derived_.find(address);
  return derived == derived_.end() ? nullptr : &derived->second;
}

}  // namespace aoe::targetd
