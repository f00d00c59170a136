#include "sim/congestion/scenario.h"

#include "sim/congestion/buffered_target.h"
#include "sim/congestion/core_host.h"
#include "sim/congestion/frame_ledger.h"
#include "sim/congestion/linux_host.h"
#include "sim/world/ethernet_switch.h"
#include "sim/world/world.h"

#include <memory>

namespace aoe::sim {
namespace {

constexpr LoadPattern::Shape kPattern{.places = 4096, .sectors = 2};
constexpr std::size_t kDataBytes = kPattern.sectors * kSectorBytes;

// Does one operation after the other, from 4 that are always waiting.
class BusyDisk final : public DiskUser {
 public:
  BusyDisk(World& world, std::uint32_t number, const DiskOptions& options)
      : disk_(world, number, options),
        pattern_(kPattern, world.fork(stream(StreamKind::workload, number))),
        data_(kDataBytes) {
    disk_.set_user(this);
    for (std::uint32_t i = 0; i < 4 * options.speed.parallel; ++i) {
      submit(world.now());
    }
  }

  void handle_disk_done(Instant now, std::uint32_t /*disk*/,
                        const StoreCompletion& /*done*/) override {
    ++done_;
    submit(now);
  }

  [[nodiscard]] std::uint64_t done() const { return done_; }

 private:
  void submit(Instant now) {
    disk_.submit(now, {.kind = StoreOpKind::read,
                       .offset_bytes = pattern_.next().value * kSectorBytes,
                       .length_bytes = kDataBytes,
                       .data = data_});
  }

  SimDisk disk_;
  LoadPattern pattern_;
  std::vector<std::byte> data_;
  std::uint64_t done_ = 0;
};

DiskOptions disk_options(const CongestionOptions& options) {
  return {.sectors = kPattern.places * kPattern.sectors, .speed = options.disk};
}

std::uint64_t capacity(const CongestionOptions& options) {
  World world({.seed = options.seed, .frames_max = 1});
  std::vector<std::unique_ptr<BusyDisk>> disks;
  for (std::uint32_t slot = 0; slot < options.slots; ++slot) {
    disks.push_back(std::make_unique<BusyDisk>(world, slot, disk_options(options)));
  }
  world.events().run_until(world.now() + Duration::seconds(options.seconds));
  std::uint64_t done = 0;
  for (const auto& disk : disks) {
    done += disk->done();
  }
  return done;
}

// Everything of one run, in the order of construction.
class Setting {
 public:
  explicit Setting(const CongestionOptions& options)
      : options_(options),
        world_({.seed = options.seed, .frames_max = kFramesMax, .frame_bytes_max = 1514}),
        start_(world_.now() + kDiscovery),
        ledger_(start_, options.seconds, options.hosts),
        target_(world_, ledger_,
                {.slots = options.slots,
                 .ports = static_cast<std::uint8_t>(options.fabrics.size()),
                 .buffers = options.buffers,
                 .disk = disk_options(options),
                 .request_loss_ppm = options.request_loss_ppm,
                 .answer_loss_ppm = options.answer_loss_ppm}) {
    for (std::uint16_t i = 0; i < options.hosts; ++i) {
      hosts_.push_back(make_host(i));
    }
    connect();
    Prng random = world_.fork(stream(StreamKind::schedule, 0));
    for (const auto& host : hosts_) {
      const auto spread = static_cast<std::uint64_t>(options.start_spread.ns);
      const auto after = static_cast<std::int64_t>(random.below(spread));
      host->start(world_.now() + kDiscovery / 2 * host->number() / options.hosts,
                  start_ + Duration::nanoseconds(after));
    }
  }

  [[nodiscard]] CongestionReport run();

 private:
  static constexpr std::uint32_t kFramesMax = 65'536;
  static constexpr Duration kDiscovery = Duration::seconds(4);

  [[nodiscard]] std::unique_ptr<LoadHost> make_host(std::uint16_t number) {
    const LoadOptions load{.slots = options_.slots,
                           .ports = static_cast<std::uint8_t>(options_.fabrics.size()),
                           .depth = options_.depth,
                           .pattern = kPattern};
    if (options_.driver == DriverKind::linux_model) {
      return std::make_unique<LinuxHost>(world_, ledger_, number, load);
    }
    auto host = std::make_unique<CoreHost>(world_, ledger_, number, load, options_.settings);
    cores_.push_back(&host->core());
    return host;
  }

  void connect();
  void add_up(CongestionReport& report) const;

  CongestionOptions options_;
  World world_;
  Instant start_;
  FrameLedger ledger_;
  BufferedTarget target_;
  std::vector<std::unique_ptr<LoadHost>> hosts_;
  std::vector<const initiator::InitiatorCore*> cores_;
  std::vector<std::unique_ptr<EthernetSwitch>> switches_;
  std::vector<std::unique_ptr<Link>> links_;
};

void Setting::connect() {
  std::vector<LinkDirection*> from_target;
  std::vector<std::vector<LinkDirection*>> from_hosts(hosts_.size());
  for (std::uint16_t fabric = 0; fabric < options_.fabrics.size(); ++fabric) {
    const auto add_link = [&] {
      links_.push_back(std::make_unique<Link>(world_, links_.size()));
      links_.back()->set_quality(options_.fabrics[fabric]);
    };
    switches_.push_back(std::make_unique<EthernetSwitch>(
        world_, EthernetSwitch::Options{.ports = static_cast<std::uint16_t>(hosts_.size() + 1)}));
    add_link();
    switches_.back()->attach(*links_.back(), target_, fabric);
    from_target.push_back(&links_.back()->to_far());
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      add_link();
      switches_.back()->attach(*links_.back(), *hosts_[i], fabric);
      from_hosts[i].push_back(&links_.back()->to_far());
    }
  }
  target_.attach(std::move(from_target));
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    hosts_[i]->attach(std::move(from_hosts[i]));
  }
}

CongestionReport Setting::run() {
  CongestionReport report;
  const std::int64_t samples = std::int64_t{options_.seconds} * 100;
  double held = 0;
  for (std::int64_t i = 1; i <= samples; ++i) {
    world_.events().run_until(start_ + Duration::milliseconds(10 * i));
    held += target_.held();
  }
  report.held_mean = held / static_cast<double>(samples);
  report.events = world_.events().handled();
  report.overflowed = target_.counters().overflowed;
  report.held_max = target_.counters().held_max;
  report.capacity = capacity(options_);
  add_up(report);
  return report;
}

void add(initiator::CoreStats& sum, const initiator::CoreStats& one) {
  sum.retransmissions += one.retransmissions;
  sum.expiries += one.expiries;
  sum.early_losses += one.early_losses;
  sum.tail_probes += one.tail_probes;
  sum.spurious_retransmissions += one.spurious_retransmissions;
  sum.chance_losses += one.chance_losses;
  sum.window_cuts += one.window_cuts;
  sum.paced_sends += one.paced_sends;
}

void Setting::add_up(CongestionReport& report) const {
  LatencyHistogram latency;
  for (const FrameLedger::Second& second : ledger_.seconds()) {
    report.seconds.push_back({.answered = second.answered,
                              .sent = second.sent,
                              .retransmitted = second.retransmitted,
                              .needless = second.needless,
                              .lost = second.lost,
                              .latency_p99 = second.latency.percentile(99)});
    report.answered += second.answered;
    report.sent += second.sent;
    report.retransmitted += second.retransmitted;
    report.needless += second.needless;
    report.lost += second.lost;
    latency.add_all(second.latency);
  }
  report.latency_p50 = latency.percentile(50);
  report.latency_p99 = latency.percentile(99);
  report.latency_max = latency.max();
  double sum = 0;
  double squares = 0;
  for (const std::uint64_t answered : ledger_.answered_by_host()) {
    const auto share = static_cast<double>(answered);
    sum += share;
    squares += share * share;
  }
  report.jain = squares == 0 ? 0 : sum * sum / (options_.hosts * squares);
  for (const initiator::InitiatorCore* core : cores_) {
    add(report.core, core->stats());
  }
}

}  // namespace

DiskSpeed CongestionOptions::spinning_disk() {
  return {.kind = DiskSpeed::Kind::spinning,
          .parallel = 1,
          .read_min = Duration::microseconds(200),
          .read_spread = Duration::microseconds(200),
          .tail_ppm = 2000,
          .tail = Duration::seconds(1),
          .stroke = Duration::milliseconds(14),
          .turn = Duration::microseconds(8'333)};
}

DiskSpeed CongestionOptions::flash_disk() {
  return {.kind = DiskSpeed::Kind::flash,
          .parallel = 32,
          .read_min = Duration::microseconds(100),
          .read_spread = Duration::microseconds(100)};
}

CongestionReport run_congestion(const CongestionOptions& options) {
  return Setting(options).run();
}

}  // namespace aoe::sim
