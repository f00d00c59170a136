#include "target/announcer.h"

#include "base/check.h"
#include "protocol/aoe_config.h"
#include "target/access_list.h"

#include <algorithm>
#include <utility>

namespace aoe::target {
namespace {

using protocol::FrameHeader;

// 64 frames of at most 1056 bytes a millisecond: half of a gigabit link at the very most.
constexpr int kFramesPerBatch = 64;
constexpr Duration kBatchInterval = Duration::milliseconds(1);
constexpr std::uint8_t kProbeCount = 3;

}  // namespace

Announcer::Announcer(CoreParts& parts, StateKeeper& keeper, AtaExecutor& executor)
    : parts_(parts),
      keeper_(keeper),
      executor_(executor),
      to_advertise_(parts.limits.exports_max),
      discoveries_(parts.limits.discoveries_max) {
  probing_.reserve(parts.limits.exports_max);
}

void Announcer::begin_probe(Instant now, Export& subject) {
  subject.state = ExportState::probing;
  subject.probes_left = kProbeCount;
  subject.probe_next = now;
  if (std::find(probing_.begin(), probing_.end(), subject.id) == probing_.end()) {
    probing_.push_back(subject.id);
  }
}

void Announcer::skip_probe(Export& subject) {
  if (subject.state == ExportState::probing) {
    finish_probe(subject);
  }
}

int Announcer::probe(Instant now, Export& subject) {
  int sent = 0;
  for (std::size_t i = 0; i < parts_.replies.port_count(); ++i) {
    const PortId port{static_cast<std::uint8_t>(i)};
    if (!subject.is_served_on(port) || !parts_.replies.port(port).link_up) {
      continue;
    }
    PacketBuffer frame = parts_.replies.allocate(port, protocol::kFrameBytesMin);
    if (!frame) {
      continue;
    }
    FrameHeader header;
    header.destination = MacAddress::broadcast();
    header.source = parts_.replies.port(port).mac;
    header.address = subject.settings.address;
    header.command = static_cast<std::uint8_t>(protocol::Command::config);
    // Bit 31 marks the tags of programs: a Linux driver on this host ignores the answer.
    header.tag = Tag{static_cast<std::uint32_t>(parts_.prng.next()) | 0x80000000U};
    protocol::build_header(frame.bytes(), header);
    protocol::ConfigFrame query;
    query.protocol_version = protocol::kVersion;
    protocol::build_config(frame.bytes(), query);
    parts_.replies.send(port, std::move(frame), protocol::kFrameBytesMin);
    ++sent;
  }
  if (subject.probes_left == kProbeCount) {
    subject.probe_end = now + parts_.limits.probe_time;
  }
  --subject.probes_left;
  subject.probe_next = now + parts_.limits.probe_time / kProbeCount;
  return sent;
}

void Announcer::advance_probes(Instant now) {
  int budget = now >= probe_pace_next_ ? kFramesPerBatch : 0;
  for (std::size_t i = 0; i < probing_.size();) {
    Export* subject = parts_.exports.find(probing_[i]);
    if (subject != nullptr && subject->state == ExportState::conflict &&
        now >= subject->probe_end) {
      begin_probe(now, *subject);
    }
    const bool has_asked = subject != nullptr && subject->probes_left != kProbeCount;
    if (subject != nullptr && subject->state == ExportState::probing && has_asked &&
        now >= subject->probe_end) {
      finish_probe(*subject);
    }
    if (subject == nullptr ||
        (subject->state != ExportState::probing && subject->state != ExportState::conflict)) {
      probing_[i] = probing_.back();
      probing_.pop_back();
      continue;
    }
    if (subject->state == ExportState::probing && subject->probes_left != 0 &&
        now >= subject->probe_next && budget > 0) {
      // An address that nobody asked for could be anybody's: without a buffer it waits.
      budget = parts_.replies.has_buffers() ? budget - probe(now, *subject) : 0;
      if (budget <= 0) {
        probe_pace_next_ = now + kBatchInterval;
      }
    }
    ++i;
  }
}

void Announcer::finish_probe(Export& subject) {
  subject.state = subject.settings.starts_online ? ExportState::online : ExportState::offline;
  parts_.report(EventKind::export_ready, subject, subject.settings.sector_count);
  advertise(subject, ~0U);
}

void Announcer::handle_foreign_config(Instant now, PortId port, const FrameHeader& header) {
  Export* subject = parts_.exports.find(header.address);
  if (subject == nullptr || !subject->is_served_on(port)) {
    return;
  }
  if (subject->state == ExportState::probing) {
    subject->state = ExportState::conflict;
    subject->probe_end = now + parts_.limits.probe_again;
    parts_.report(EventKind::address_conflict, *subject, 0, header.source);
    return;
  }
  if (subject->state == ExportState::online || subject->state == ExportState::offline) {
    // Somebody began to serve our address while we do. Whoever wrote to us may go on; the operator
    // has to decide, so this is said loudly and (by the edge) not too often.
    parts_.report(EventKind::foreign_target, *subject, 0, header.source);
  }
}

void Announcer::advertise(Export& subject, std::uint32_t ports) {
  if (subject.state != ExportState::online) {
    return;
  }
  subject.advertise_ports |= ports & subject.settings.port_mask;
  if (!subject.is_advertise_queued && subject.advertise_ports != 0) {
    subject.is_advertise_queued = true;
    to_advertise_.push(subject.id);
    has_paced_work_ = true;
  }
}

void Announcer::advertise_all_on(PortId port) {
  for (Export* subject : parts_.exports.all()) {
    advertise(*subject, 1U << port.value);
  }
}

void Announcer::send_advertisement(Export& subject, PortId port, const MacAddress& destination) {
  PacketBuffer frame = parts_.replies.allocate(
      port, protocol::kConfigHeaderBytes + subject.persistent.config_string.size());
  if (!frame) {
    return;
  }
  FrameHeader header;
  header.destination = destination;
  header.source = parts_.replies.port(port).mac;
  header.is_response = true;
  header.address = subject.settings.address;
  header.command = static_cast<std::uint8_t>(protocol::Command::config);
  header.tag = Tag{0};  // what vblade and ggaoed send when nobody asked
  protocol::build_header(frame.bytes(), header);
  const std::size_t frame_bytes = keeper_.build_config_reply(
      frame.bytes(), port, subject, static_cast<std::uint8_t>(protocol::ConfigCommand::read));
  ++parts_.stats.advertisements;
  parts_.replies.send(port, std::move(frame), frame_bytes);
}

void Announcer::advance_advertisements() {
  for (int budget = kFramesPerBatch;
       budget > 0 && !to_advertise_.empty() && parts_.replies.has_buffers();) {
    Export* subject = parts_.exports.find(to_advertise_.front());
    AOE_CHECK(subject != nullptr, "exports that are gone were forgotten");
    if (subject->advertise_ports == 0 || subject->state != ExportState::online) {
      subject->advertise_ports = 0;
      subject->is_advertise_queued = false;
      to_advertise_.pop();
      continue;
    }
    const auto bit = static_cast<std::uint8_t>(__builtin_ctz(subject->advertise_ports));
    subject->advertise_ports &= subject->advertise_ports - 1;
    const PortId port{bit};
    if (port.value >= parts_.replies.port_count() || !parts_.replies.port(port).link_up) {
      continue;
    }
    // With a mask only those on it learn of the export, one copy each, as vblade does.
    const std::vector<MacAddress>& mask = subject->persistent.mask;
    if (mask.empty()) {
      send_advertisement(*subject, port, MacAddress::broadcast());
      --budget;
    }
    for (const MacAddress& mac : mask) {
      send_advertisement(*subject, port, mac);
      --budget;
    }
  }
}

void Announcer::handle_wildcard_query(const Arrival& arrival, PacketBuffer frame) {
  Discovery* free = nullptr;
  for (Discovery& discovery : discoveries_) {
    if (!discovery.in_use) {
      free = free == nullptr ? &discovery : free;
    } else if (discovery.port == arrival.port && discovery.header.source == arrival.header.source &&
               discovery.header.command == arrival.header.command) {
      // The same station asks again while its answer is being given: it will get the rest of it.
      ++parts_.stats.drops.rate_limited;
      return;
    }
  }
  if (free == nullptr) {
    ++parts_.stats.drops.queue_full;
    return;
  }
  free->in_use = true;
  free->port = arrival.port;
  free->header = arrival.header;
  free->frame = std::move(frame);
  free->after = std::nullopt;
  advance(arrival.now, *free);
}

void Announcer::advance(Instant now, Discovery& discovery) {
  const std::span<Export* const> all = parts_.exports.all();
  const auto begin = discovery.after ? std::upper_bound(all.begin(), all.end(), *discovery.after,
                                                        [](DeviceAddress wanted, const Export* e) {
                                                          return wanted < e->settings.address;
                                                        })
                                     : all.begin();
  Arrival arrival;
  arrival.now = now;
  arrival.port = discovery.port;
  arrival.header = discovery.header;
  arrival.bytes = std::as_const(discovery.frame).bytes();
  const DeviceAddress wanted = discovery.header.address;
  int budget = kFramesPerBatch;
  for (auto at = begin; at != all.end(); ++at) {
    if (budget == 0 || !parts_.replies.has_buffers()) {
      has_paced_work_ = true;
      return;
    }
    Export& subject = **at;
    const bool matches =
        (wanted.shelf == protocol::kAllShelves || wanted.shelf == subject.settings.address.shelf) &&
        (wanted.slot == protocol::kAllSlots || wanted.slot == subject.settings.address.slot);
    discovery.after = subject.settings.address;
    if (!matches || subject.state != ExportState::online || !subject.is_served_on(discovery.port)) {
      continue;
    }
    if (!may_use(subject.settings, subject.persistent.mask, discovery.header.source)) {
      ++parts_.stats.drops.access_denied;
      continue;
    }
    if (discovery.header.command == static_cast<std::uint8_t>(protocol::Command::config)) {
      keeper_.handle_config(arrival, subject);
    } else {
      executor_.handle_command(arrival, PacketBuffer(), subject);
    }
    --budget;
  }
  discovery.in_use = false;
  discovery.frame.reset();
}

void Announcer::forget(Export& subject) {
  std::erase(probing_, subject.id);
  if (subject.is_advertise_queued) {
    for (std::size_t left = to_advertise_.size(); left > 0; --left) {
      const ExportId id = to_advertise_.pop();
      if (id != subject.id) {
        to_advertise_.push(id);
      }
    }
    subject.is_advertise_queued = false;
  }
}

std::size_t Announcer::discoveries() const {
  return static_cast<std::size_t>(std::count_if(discoveries_.begin(), discoveries_.end(),
                                                [](const Discovery& d) { return d.in_use; }));
}

void Announcer::handle_timeout(Instant now) {
  advance_probes(now);
  if (!has_paced_work_ || now < pace_next_) {
    return;
  }
  advance_advertisements();
  for (Discovery& discovery : discoveries_) {
    if (discovery.in_use) {
      advance(now, discovery);
    }
  }
  pace_next_ = now + kBatchInterval;
  has_paced_work_ =
      !to_advertise_.empty() || std::any_of(discoveries_.begin(), discoveries_.end(),
                                            [](const Discovery& d) { return d.in_use; });
}

std::optional<Instant> Announcer::poll_timeout() const {
  std::optional<Instant> next;
  const auto consider = [&next](Instant at) { next = next ? std::min(*next, at) : at; };
  for (const ExportId id : probing_) {
    // A stale id is cleared at the next call; it cannot postpone anything.
    const Export* subject = parts_.exports.find(id);
    if (subject == nullptr) {
      continue;
    }
    if (subject->state != ExportState::probing || subject->probes_left != kProbeCount) {
      consider(subject->probe_end);
    }
    if (subject->state == ExportState::probing && subject->probes_left != 0) {
      consider(std::max(subject->probe_next, probe_pace_next_));
    }
  }
  if (has_paced_work_) {
    consider(pace_next_);
  }
  return next;
}

}  // namespace aoe::target
