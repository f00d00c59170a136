#include "sim/actors/workload.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {

using initiator::IoCompletion;
using initiator::IoOp;
using initiator::IoStatus;

namespace {

constexpr unsigned kGenerationShift = 32;
constexpr Duration kRejectedWait = Duration::milliseconds(500);

bool changes(IoOp op) {
  return op == IoOp::write || op == IoOp::trim || op == IoOp::write_zeroes;
}

}  // namespace

Workload::Workload(BlockMachine& host, Judges& judges, WorkloadOptions options)
    : host_(host),
      judges_(judges),
      options_(std::move(options)),
      prng_(host.world().fork(stream(StreamKind::workload, options_.index))),
      slots_(options_.depth),
      memory_(std::size_t{options_.depth} * options_.sectors_max * kSectorBytes) {
  for (std::uint32_t i = options_.depth; i > 0; --i) {
    idle_.push_back(i - 1);
  }
  values_.reserve(options_.sectors_max);
  host.set_user(this);
}

void Workload::violate(Rule rule, std::string what) {
  judges_.violations.add(rule, host_.world().now(),
                         "workload " + std::to_string(options_.index) + ": " + std::move(what));
}

// --- life ---

void Workload::start(std::uint64_t operations) {
  operations_left_ = operations;
  if (devices_.empty()) {
    begin_life();
  } else {
    pump();
  }
  host_.settle();
}

void Workload::begin_life() {
  Judges::WriterPorts ports{.addresses = {}, .promise = options_.promise};
  for (std::size_t i = 0; i < host_.port_count(); ++i) {
    ports.addresses.push_back(host_.port_info(PortId{static_cast<std::uint8_t>(i)}).mac);
  }
  writer_ = judges_.new_writer(ports);
  next_op_ = 0;
  devices_.clear();
  for (const WorkloadDisk& disk : options_.disks) {
    initiator::DeviceSettings settings = options_.device;
    settings.pinned_serial = disk.serial;
    settings.pinned_macs = disk.macs;
    const auto opened = host_.open(disk.address, settings);
    AOE_CHECK(opened.has_value(), "a new core has room for the disks of its workload");
    devices_.push_back(*opened);
  }
}

void Workload::on_crash() {
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    if (std::exchange(slots_[index].busy, false)) {
      --busy_;
      ++counters_.lost;
      forget(slots_[index]);
      idle_.push_back(index);
    }
  }
}

void Workload::on_restart() {
  begin_life();
}

void Workload::on_initiator_event(const initiator::Event& event) {
  switch (event.kind) {
    case initiator::EventKind::device_up:
    case initiator::EventKind::device_resized:
    case initiator::EventKind::device_shrunk:
      for (std::size_t i = 0; i < devices_.size(); ++i) {
        if (devices_[i] == event.device) {
          options_.disks[i].sectors = event.sectors;
        }
      }
      pump();
      break;
    case initiator::EventKind::device_down:
      ++counters_.devices_lost;
      break;
    case initiator::EventKind::path_up:
      pump();  // where requests do not wait for a path
      break;
    case initiator::EventKind::path_down:
      ++counters_.paths_lost;
      for (Slot& slot : slots_) {
        slot.path_went = slot.path_went || devices_[slot.disk] == event.device;
      }
      break;
    case initiator::EventKind::path_quarantined:
      counters_.second_instances += event.reason == initiator::QuarantineReason::instance ? 1U : 0U;
      break;
    case initiator::EventKind::events_lost:
      ++counters_.events_lost;
      pump();
      break;
    default:
      break;
  }
}

void Workload::go_on() {
  held_ = false;
  pump();
  host_.settle();
}

std::string Workload::describe_paths() const {
  std::string text;
  for (const initiator::DeviceId device : devices_) {
    text += host_.describe(device) + "\n";
  }
  return text;
}

std::string Workload::describe_open() const {
  constexpr std::size_t kShown = 3;
  std::string text;
  std::size_t shown = 0;
  for (const Slot& slot : slots_) {
    if (slot.busy && ++shown <= kShown) {
      text += std::string(text.empty() ? "" : ", ") + initiator::io_op_name(slot.request.op) +
              " of " + to_string(options_.disks[slot.disk].address) + " sectors " +
              std::to_string(slot.request.lba.value) + "+" + std::to_string(slot.request.sectors);
    }
  }
  return shown > kShown ? text + ", ..." : text;
}

void Workload::on_time(std::uint64_t value) {
  Slot& slot = slots_[value & 0xFFFFFFFFU];
  if (slot.thinks && slot.generation == value >> kGenerationShift) {
    slot.thinks = false;
    idle_.push_back(static_cast<std::uint32_t>(value & 0xFFFFFFFFU));
    pump();
  }
}

// --- requests ---

void Workload::pump() {
  while (!held_ && operations_left_ > 0 && !idle_.empty() && host_.is_up()) {
    choose(slots_[idle_.back()], idle_.back());
    if (!submit(idle_.back())) {
      return;
    }
    idle_.pop_back();
    --operations_left_;
  }
}

IoOp Workload::choose_op() {
  const WorkloadMix& mix = options_.mix;
  std::uint64_t draw = prng_.below(mix.read + mix.write + mix.flush + mix.trim + mix.write_zeroes);
  const auto falls_into = [&draw](std::uint32_t weight) {
    const bool inside = draw < weight;
    draw -= inside ? 0 : weight;
    return inside;
  };
  if (falls_into(mix.read)) {
    return IoOp::read;
  }
  if (falls_into(mix.write)) {
    return IoOp::write;
  }
  if (falls_into(mix.flush)) {
    return IoOp::flush;
  }
  return falls_into(mix.trim) ? IoOp::trim : IoOp::write_zeroes;
}

void Workload::choose(Slot& slot, std::uint32_t index) {
  const auto which = static_cast<std::uint32_t>(prng_.below(options_.disks.size()));
  const WorkloadDisk& disk = options_.disks[which];
  const IoOp op = choose_op();
  if (op == IoOp::flush) {
    prepare(slot, index, {.op = op, .disk = which});
    return;
  }
  const std::uint64_t limit =
      options_.hot_sectors == 0 ? disk.sectors : std::min(options_.hot_sectors, disk.sectors);
  std::uint64_t first = 0;
  std::uint64_t room = limit;
  if (changes(op) && disk.owners > 1) {
    const std::uint64_t row = disk.chunk_sectors * disk.owners;
    const std::uint64_t rows = std::max<std::uint64_t>(1, limit / row);
    first = prng_.below(rows) * row + disk.owner * disk.chunk_sectors;
    room = disk.chunk_sectors;
  }
  const std::uint64_t sectors =
      1 + prng_.below(std::min<std::uint64_t>(options_.sectors_max, room));
  const bool durable = op == IoOp::write && prng_.below(100) < options_.mix.durable_percent;
  prepare(slot, index,
          {.op = op,
           .disk = which,
           .lba = first + prng_.below(room - sectors + 1),
           .sectors = sectors,
           .durable = durable});
}

void Workload::prepare(Slot& slot, std::uint32_t index, const Wish& wish) {
  slot.disk = wish.disk;
  slot.asked = kNotAsked;
  initiator::IoRequest& request = slot.request;
  request = {};
  request.op = wish.op;
  request.cookie = index;
  request.timeout = options_.timeout;
  request.durable = wish.durable;
  if (wish.op == IoOp::flush) {
    return;
  }
  request.lba = Lba{wish.lba};
  request.sectors = wish.sectors;
  const ByteSpan memory = ByteSpan(memory_).subspan(
      std::size_t{index} * options_.sectors_max * kSectorBytes, request.sectors * kSectorBytes);
  if (request.op == IoOp::read) {
    request.read_into = memory;
  } else if (request.op == IoOp::write) {
    request.write_from = memory;
    for (std::uint64_t i = 0; i < request.sectors; ++i) {
      fill_sector(memory.subspan(i * kSectorBytes, kSectorBytes),
                  SectorValue::make(writer_, next_op_, i),
                  {.disk = options_.disks[wish.disk].disk, .lba = request.lba.value + i});
    }
  }
}

bool Workload::submit(std::uint32_t index) {
  Slot& slot = slots_[index];
  const auto accepted = host_.submit(devices_[slot.disk], slot.request);
  if (!accepted) {
    const bool fails_fast = options_.device.loss.on_path_loss == initiator::OnPathLoss::fail ||
                            options_.device.loss.fast_io_fail != Duration{};
    if (accepted.error() != initiator::SubmitError::not_ready &&
        accepted.error() != initiator::SubmitError::busy &&
        !(fails_fast && accepted.error() == initiator::SubmitError::no_path)) {
      violate(Rule::user_error,
              std::string("submit refused: ") + initiator::submit_error_name(accepted.error()));
    }
    return false;
  }
  begin(slot);
  return true;
}

std::optional<std::uint32_t> Workload::ask(const Wish& wish) {
  if (idle_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t index = idle_.back();
  prepare(slots_[index], index, wish);
  if (!submit(index)) {
    return std::nullopt;
  }
  idle_.pop_back();
  slots_[index].asked = static_cast<std::uint32_t>(asked_.size());
  asked_.emplace_back();
  const std::uint32_t number = slots_[index].asked;
  host_.settle();
  return number;
}

void Workload::begin(Slot& slot) {
  slot.busy = true;
  slot.path_went = false;
  ++busy_;
  ++counters_.submitted;
  const WorkloadDisk& disk = options_.disks[slot.disk];
  narrate(slot, "begins");
  const RegisterHistory::Range range{.disk = disk.disk,
                                     .lba = slot.request.lba.value,
                                     .sectors = static_cast<std::uint32_t>(slot.request.sectors)};
  switch (slot.request.op) {
    case IoOp::read:
      slot.ticket = judges_.history.begin_read(range);
      return;
    case IoOp::flush:
      slot.ticket = judges_.history.begin_flush(disk.disk);
      slot.flush_start = judges_.caches.begin_flush(disk.disk);
      return;
    case IoOp::write:
      slot.ticket =
          judges_.history.begin_write({.range = range,
                                       .writer = writer_,
                                       .effect = RegisterHistory::Effect::values,
                                       .first_value = SectorValue::make(writer_, next_op_, 0),
                                       .durable = slot.request.durable});
      judges_.executions.begin(writer_, next_op_, range.sectors);
      slot.op = next_op_++;
      return;
    case IoOp::trim:
    case IoOp::write_zeroes:
      slot.ticket =
          judges_.history.begin_write({.range = range,
                                       .writer = writer_,
                                       .effect = slot.request.op == IoOp::trim && !disk.trim_is_sure
                                                     ? RegisterHistory::Effect::maybe_zeros
                                                     : RegisterHistory::Effect::zeros});
      slot.zeros =
          judges_.zeros.begin(host_.world().now(), writer_,
                              {.disk = range.disk, .lba = range.lba, .sectors = range.sectors});
      return;
  }
}

// --- completions ---

void Workload::on_completion(const IoCompletion& done) {
  TraceHash& trace = host_.world().trace();
  trace.mix(static_cast<std::uint64_t>(host_.world().now().ns));
  trace.mix(std::uint64_t{options_.index} << 48U | done.cookie << 8U |
            static_cast<std::uint64_t>(done.status));
  if (done.cookie >= slots_.size() || !slots_[done.cookie].busy) {
    violate(Rule::completion, "a completion for no request, cookie " + std::to_string(done.cookie));
    return;
  }
  Slot& slot = slots_[done.cookie];
  if (done.op != slot.request.op || done.sectors != slot.request.sectors ||
      done.device != devices_[slot.disk]) {
    violate(Rule::completion, "a completion that is not its request's");
  }
  counters_.retransmissions += done.retransmissions;
  if (slot.asked != kNotAsked) {
    asked_[slot.asked] = done;
  }
  end(slot, done);
  // Who is kept out by a reservation comes back later, and not at once to be refused again.
  const Duration think_max = done.status == IoStatus::rejected ? kRejectedWait : options_.think_max;
  if (operations_left_ > 0 && think_max.ns > 0) {
    slot.thinks = true;
    ++slot.generation;
    const auto wait =
        static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(think_max.ns)));
    host_.call_at(host_.world().now() + Duration{wait},
                  std::uint64_t{slot.generation} << kGenerationShift | done.cookie);
  } else {
    idle_.push_back(static_cast<std::uint32_t>(done.cookie));
    pump();
  }
}

void Workload::narrate(const Slot& slot, const char* what) {
  if (!judges_.narrates()) {
    return;
  }
  const initiator::IoRequest& request = slot.request;
  const bool is_flush = request.op == IoOp::flush;
  std::string name = initiator::io_op_name(request.op);
  if (request.op == IoOp::write) {
    name = to_string(SectorValue::make(writer_, slot.busy ? next_op_ : slot.op, 0));
  }
  if (!is_flush) {
    name += " of " + std::to_string(request.lba.value) + "+" + std::to_string(request.sectors);
  }
  judges_.tell(host_.world().now(), options_.disks[slot.disk].disk,
               is_flush ? 0 : request.lba.value, is_flush ? ~std::uint64_t{0} : request.sectors,
               {"initiator", std::to_string(host_.number()), what, name});
}

void Workload::end(Slot& slot, const IoCompletion& done) {
  slot.busy = false;
  --busy_;
  narrate(slot, initiator::io_status_name(done.status));
  RegisterHistory& history = judges_.history;
  const std::uint32_t disk = options_.disks[slot.disk].disk;
  if (done.status == IoStatus::ok) {
    ++counters_.ok;
    if (done.op != IoOp::read && done.op != IoOp::flush && !slot.request.durable) {
      judges_.caches.on_acknowledged(writer_, disk);
    }
    switch (slot.request.op) {
      case IoOp::read:
        check_read(slot);
        break;
      case IoOp::flush:
        history.end_flush(slot.ticket);
        judges_.caches.end_flush(host_.world().now(), writer_, disk, slot.flush_start);
        counters_.flushes_moved += slot.path_went && done.retransmissions > 0 ? 1U : 0U;
        break;
      case IoOp::write:
        judges_.executions.acknowledge(host_.world().now(), writer_, slot.op);
        history.end_write(slot.ticket);
        break;
      case IoOp::trim:
      case IoOp::write_zeroes:
        judges_.zeros.acknowledge(host_.world().now(), slot.zeros);
        history.end_write(slot.ticket);
        break;
    }
    return;
  }
  switch (done.status) {
    case IoStatus::timed_out:
      ++counters_.timed_out;
      break;
    case IoStatus::cancelled:
      ++counters_.cancelled;
      break;
    default:
      ++counters_.failed;
      break;
  }
  const bool is_loss = done.status == IoStatus::cache_lost && judges_.caches.on_told(writer_, disk);
  if (!is_loss && (!excuse || !excuse(options_.disks[slot.disk], done))) {
    violate(Rule::user_error,
            std::string(initiator::io_op_name(done.op)) + " of sector " +
                std::to_string(slot.request.lba.value) +
                " failed without a cause: " + initiator::io_status_name(done.status));
  }
  forget(slot);
}

// Its end is unknown: what it wrote may be there, now or later.
void Workload::forget(const Slot& slot) {
  switch (slot.request.op) {
    case IoOp::read:
      judges_.history.drop_read(slot.ticket);
      break;
    case IoOp::flush:
      judges_.history.drop_flush(slot.ticket);
      break;
    case IoOp::write:
      judges_.executions.give_up(writer_, slot.op);
      judges_.history.doubt_write(slot.ticket);
      break;
    case IoOp::trim:
    case IoOp::write_zeroes:
      judges_.zeros.give_up(host_.world().now(), slot.zeros);
      judges_.history.doubt_write(slot.ticket);
      break;
  }
}

void Workload::check_read(Slot& slot) {
  const WorkloadDisk& disk = options_.disks[slot.disk];
  const initiator::IoRequest& request = slot.request;
  values_.clear();
  for (std::uint64_t i = 0; i < request.sectors; ++i) {
    const SectorPlace place{.disk = disk.disk, .lba = request.lba.value + i};
    const ConstByteSpan sector = request.read_into.subspan(i * kSectorBytes, kSectorBytes);
    const std::optional<SectorValue> value = read_sector(sector, place);
    if (!value) {
      violate(Rule::wrong_answer, "a read of disk " + std::to_string(place.disk) + " sector " +
                                      std::to_string(place.lba) + " " +
                                      describe_bad_sector(sector, place));
      judges_.history.drop_read(slot.ticket);
      return;
    }
    values_.push_back(*value);
  }
  if (std::optional<std::string> problem = judges_.history.end_read(slot.ticket, values_)) {
    violate(Rule::linearizable, std::move(*problem));
  }
}

}  // namespace aoe::sim
