#include "sim/swarm/chaos.h"

#include <algorithm>
#include <bit>

namespace aoe::sim {
namespace {

// Those that strike from time to time, as against those of every frame.
bool is_timed(Fault fault) {
  return fault >= Fault::clog && fault <= Fault::offline;
}

}  // namespace

Chaos::Chaos(Fabric& fabric, AdminStation& admin, const Plan& plan, Coverage& coverage)
    : fabric_(fabric),
      admin_(admin),
      plan_(plan),
      coverage_(coverage),
      prng_(fabric.world().fork(stream(StreamKind::schedule, 0))) {}

void Chaos::start() {
  active_ = true;
  for (const auto& link : fabric_.links()) {
    const bool is_bad = prng_.below(100) < plan_.bad_links_percent;
    quality_.push_back(is_bad ? plan_.bad : plan_.good);
    link->set_quality(quality_.back());
  }
  set_disk_errors(true);
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    const Fault fault = static_cast<Fault>(i);
    if (is_timed(fault) && plan_.faults.has(fault)) {
      schedule_next(fault);
    }
  }
}

void Chaos::set_disk_errors(bool on) {
  DiskOptions chances = plan_.disk;
  chances.read_error_ppm = on ? plan_.read_error_ppm : 0;
  chances.write_error_ppm = on ? plan_.write_error_ppm : 0;
  chances.flush_error_ppm = on ? plan_.flush_error_ppm : 0;
  for (const auto& disk : fabric_.disks()) {
    disk->set_error_chances(chances);
  }
}

Duration Chaos::time_between(Duration low, Duration high) {
  // Each doubling as likely as another.
  const auto doublings = std::bit_width(static_cast<std::uint64_t>(high.ns / low.ns));
  const Duration base{low.ns << prng_.below(doublings)};
  return base +
         Duration{static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(base.ns)))};
}

void Chaos::schedule_next(Fault fault) {
  const Duration mean = plan_.period_of(fault);
  const Duration wait =
      mean / 2 +
      Duration{static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(mean.ns)))};
  fabric_.world().events().schedule(fabric_.world().now() + wait, *this,
                                    static_cast<std::uint32_t>(fault), 0);
}

void Chaos::handle_event(Instant /*now*/, std::uint32_t what, std::uint64_t value) {
  if (!active_) {
    return;
  }
  if (what >= kMend) {
    mend(static_cast<Fault>(what - kMend), value);
    return;
  }
  const Fault fault = static_cast<Fault>(what);
  strike(fault);
  schedule_next(fault);
}

void Chaos::mend_after(Fault fault, std::uint64_t victim, Duration low, Duration high) {
  fabric_.world().events().schedule(fabric_.world().now() + time_between(low, high), *this,
                                    kMend + static_cast<std::uint32_t>(fault), victim);
}

TargetHost& Chaos::any_target() {
  return *fabric_.targets()[prng_.below(fabric_.targets().size())];
}

BlockMachine& Chaos::any_machine() {
  return *fabric_.machines()[prng_.below(fabric_.machines().size())];
}

std::uint64_t Chaos::any_link() {
  return prng_.below(fabric_.links().size());
}

// --- what goes wrong ---

void Chaos::strike(Fault fault) {
  const Instant now = fabric_.world().now();
  const Duration ms = Duration::milliseconds(1);
  switch (fault) {
    case Fault::clog:
      prng_.chance(1, 4) ? swizzle() : clog_some();
      break;
    case Fault::partition: {
      const std::uint64_t link = any_link();
      const bool far = prng_.chance(1, 2);
      (far ? fabric_.links()[link]->to_far() : fabric_.links()[link]->to_near()).set_cut(true);
      mend_after(fault, link, ms, Duration::seconds(2));
      break;
    }
    case Fault::cable: {
      const std::uint64_t link = any_link();
      fabric_.links()[link]->set_plugged(now, false);
      mend_after(fault, link, ms, Duration::seconds(2));
      break;
    }
    case Fault::port: {
      BlockMachine& host = any_machine();
      const std::uint64_t port = prng_.below(host.port_count());
      host.set_port_enabled(PortId{static_cast<std::uint8_t>(port)}, false);
      mend_after(fault, std::uint64_t{host.number()} << 8U | port, ms, Duration::seconds(2));
      break;
    }
    case Fault::black_hole: {
      const std::uint64_t link = any_link();
      LinkQuality narrow = quality_[link];
      narrow.mtu_bytes = plan_.black_hole_mtu_bytes;
      const std::uint64_t ways = prng_.below(3);  // both, or one of them
      if (ways != 1) {
        fabric_.links()[link]->to_far().set_quality(narrow);
      }
      if (ways != 2) {
        fabric_.links()[link]->to_near().set_quality(narrow);
      }
      mend_after(fault, link, ms * 10, Duration::seconds(8));
      break;
    }
    case Fault::mtu: {
      const bool of_initiator = prng_.chance(1, 2);
      const std::uint64_t victim =
          of_initiator ? any_machine().number() : any_target().options().index;
      narrow_port(victim << 1U | (of_initiator ? 1 : 0), prng_.chance(1, 2) ? 1500 : 4200);
      mend_after(fault, victim << 1U | (of_initiator ? 1 : 0), ms, Duration::seconds(2));
      break;
    }
    case Fault::target_kill:
      coverage_.add(RareState::target_kill);
      any_target().kill(time_between(ms, Duration::seconds(2)));
      break;
    case Fault::power_cut:
      any_target().power_cut(time_between(ms * 10, Duration::seconds(3)));
      break;
    case Fault::target_pause:
      any_target().pause(now + time_between(ms, Duration::seconds(3)));
      break;
    case Fault::initiator_pause:
      any_machine().pause(now + time_between(ms, Duration::seconds(3)));
      break;
    case Fault::initiator_crash: {
      // The new life of a machine knows no fences of the old one, so where it has plain targets it
      // boots for longer than a frame lives; to our own its old session is known.
      if (fabric_.initiators().empty()) {
        break;
      }
      InitiatorHost& host = *fabric_.initiators()[prng_.below(fabric_.initiators().size())];
      if (host.is_up()) {
        coverage_.add(RareState::initiator_crash);
        const bool is_quick = plan_.exactly_once && prng_.chance(1, 2);
        const Duration longest = plan_.initiator.frame_life_max;
        host.crash((is_quick ? Duration{} : longest) + time_between(ms, Duration::seconds(1)));
      }
      break;
    }
    case Fault::disk_hang: {
      const std::uint64_t disk = prng_.below(fabric_.disks().size());
      fabric_.disks()[disk]->hang();
      mend_after(fault, disk, ms, Duration::seconds(3));
      break;
    }
    case Fault::reserve:
      reserve();
      break;
    case Fault::resize:
      resize();
      break;
    case Fault::offline: {
      TargetHost& host = any_target();
      const std::uint64_t place = prng_.below(host.exports().size());
      host.set_online(place, false);
      mend_after(fault, std::uint64_t{host.options().index} << 8U | place, ms,
                 Duration::seconds(1));
      break;
    }
    default:
      break;
  }
}

void Chaos::clog_some() {
  coverage_.add(RareState::clogged);
  Link& link = *fabric_.links()[any_link()];
  const Instant until =
      fabric_.world().now() + time_between(Duration::milliseconds(1), Duration::milliseconds(800));
  (prng_.chance(1, 2) ? link.to_far() : link.to_near()).clog_until(until);
}

// Stops some links one after the other and lets them go in another order.
void Chaos::swizzle() {
  coverage_.add(RareState::clogged);
  std::vector<std::uint64_t> links;
  for (std::uint64_t i = 0; i < fabric_.links().size(); ++i) {
    if (prng_.chance(1, 2)) {
      links.push_back(i);
    }
  }
  for (const std::uint64_t link : links) {
    const Instant until =
        fabric_.world().now() + Duration{static_cast<std::int64_t>(prng_.below(800'000'000))};
    fabric_.links()[link]->to_far().clog_until(until);
    fabric_.links()[link]->to_near().clog_until(until);
  }
}

// The victim's lowest bit says whether it is an initiator.
void Chaos::narrow_port(std::uint64_t victim, std::size_t mtu_bytes) {
  const std::size_t index = victim >> 1U;
  const std::size_t mtu = std::min(mtu_bytes, plan_.mtu_bytes);
  if ((victim & 1U) != 0) {
    fabric_.machines()[index]->set_port_mtu(PortId{0}, mtu);
  } else {
    fabric_.targets()[index]->set_port_mtu(PortId{0}, mtu);
  }
}

void Chaos::reserve() {
  const BlockMachine& host = any_machine();
  TargetHost& target = any_target();
  const std::uint64_t place = prng_.below(target.exports().size());
  std::vector<MacAddress> holders;
  if (prng_.chance(2, 3)) {
    for (std::size_t port = 0; port < host.port_count(); ++port) {
      holders.push_back(host.port_info(PortId{static_cast<std::uint8_t>(port)}).mac);
    }
  }
  const DeviceAddress address = target.exports()[place].settings.address;
  admin_.force_reservation(address, holders);
  // Another change at once: copies of the first one may come after it.
  if (prng_.chance(1, 3)) {
    admin_.force_reservation(address, {});
  }
}

void Chaos::resize() {
  TargetHost& host = any_target();
  const std::uint64_t place = prng_.below(host.exports().size());
  const std::uint64_t sectors = host.exports()[place].settings.sector_count;
  if (sectors < plan_.disk_sectors * 2) {
    host.resize(place, sectors + 1 + prng_.below(plan_.disk_sectors / 8));
  }
}

// --- mending ---

void Chaos::mend(Fault fault, std::uint64_t victim) {
  const Instant now = fabric_.world().now();
  switch (fault) {
    case Fault::partition:
      fabric_.links()[victim]->to_far().set_cut(false);
      fabric_.links()[victim]->to_near().set_cut(false);
      break;
    case Fault::cable:
      fabric_.links()[victim]->set_plugged(now, true);
      break;
    case Fault::port:
      fabric_.machines()[victim >> 8U]->set_port_enabled(
          PortId{static_cast<std::uint8_t>(victim & 0xFFU)}, true);
      break;
    case Fault::black_hole:
      fabric_.links()[victim]->set_quality(quality_[victim]);
      break;
    case Fault::mtu:
      narrow_port(victim, plan_.mtu_bytes);
      break;
    case Fault::disk_hang:
      fabric_.disks()[victim]->release(now);
      break;
    case Fault::offline:
      fabric_.targets()[victim >> 8U]->set_online(victim & 0xFFU, true);
      break;
    default:
      break;
  }
}

void Chaos::heal() {
  active_ = false;
  const Instant now = fabric_.world().now();
  for (const auto& link : fabric_.links()) {
    link->to_far().set_cut(false);
    link->to_near().set_cut(false);
    link->to_far().clog_until(now);
    link->to_near().clog_until(now);
    link->set_quality(plan_.good);
    link->set_plugged(now, true);
  }
  set_disk_errors(false);
  for (const auto& disk : fabric_.disks()) {
    disk->release(now);
  }
  for (BlockMachine* host : fabric_.machines()) {
    for (std::size_t port = 0; port < host->port_count(); ++port) {
      host->set_port_enabled(PortId{static_cast<std::uint8_t>(port)}, true);
    }
    host->set_port_mtu(PortId{0}, plan_.mtu_bytes);
    host->wake_up();
  }
  admin_.drop_waiting();  // or there may be no room for what follows
  for (const auto& host : fabric_.targets()) {
    host->set_port_mtu(PortId{0}, plan_.mtu_bytes);
    host->recover();
    for (const TargetHost::Served& served : host->exports()) {
      admin_.force_reservation(served.settings.address, {});
    }
  }
}

}  // namespace aoe::sim
