#include "initiatord/attacher.h"

#include "os/block_device_users.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace aoe::initiatord {

using block::AttachAnswer;
using block::AttachCommand;
using block::AttachOp;
using control::Json;

namespace {

// `aoe attach` waits 30 s for an answer, unless it is told otherwise.
constexpr Duration kPatience = Duration::seconds(25);
// Until a device that could not be attached by itself is tried again.
constexpr Duration kPause = Duration::seconds(30);

Error error_of(const Error& cause, DeviceAddress address, const char* what) {
  return {cause.code, cause.os_errno,
          fmt::format("{}: {}: {}", to_string(address), what, cause.message)};
}

Error error_of(const AttachAnswer& answer, DeviceAddress address, const char* what) {
  return error_of(Error{answer.code, answer.os_errno, answer.text.str()}, address, what);
}

}  // namespace

Attacher::Attacher(Instant now, DeviceKeeper& keeper, std::unique_ptr<block::AttachWorker> worker,
                   Surroundings surroundings)
    : keeper_(keeper), worker_(std::move(worker)), surroundings_(std::move(surroundings)) {
  for (const block::Survivor& survivor : surroundings_.survivors) {
    adopt(now, survivor);
  }
  AttachCommand command;
  command.op = AttachOp::sweep;
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
}

Result<void> Attacher::send(AttachCommand command, control::Reply& reply) {
  command.id = next_id_++;
  AOE_TRY(worker_->send(command));
  Pending& pending = pending_[command.id];
  pending.op = command.op;
  pending.address = command.address;
  pending.reply = std::move(reply);
  return {};
}

AttachCommand Attacher::command_for(AttachOp op, const KeptDevice& device) const {
  AttachCommand command;
  command.op = op;
  command.address = device.address();
  command.via = device.users.front_end;
  command.device = device.users.block_device;
  return command;
}

void Attacher::adopt(Instant now, const block::Survivor& survivor) {
  const std::string name = to_string(survivor.address);
  KeptDevice* kept = keeper_.keep(now, survivor.address);
  if (kept == nullptr) {
    spdlog::warn("{}: no room to keep it, although it is attached as {}", name, survivor.device);
    return;
  }
  DeviceUsers& users = kept->users;
  if (!users.block_device.empty()) {
    spdlog::warn("{}: is attached as {} and as {}: only the first is looked after", name,
                 users.block_device, survivor.device);
    return;
  }
  users.block_device = survivor.device;
  users.front_end = survivor.front_end->name;
  users.outlives_daemon = true;
  spdlog::info("{}: is attached as {} through {}", name, survivor.device, users.front_end);
  if (surroundings_.other_initiators == OtherInitiators::are_deaf) {
    spdlog::warn("{}: {} has an initiator of its own, and port = xdp takes its answers away", name,
                 users.front_end);
  }
  // Its names may be gone, and its server.
  update(survivor.address);
}

void Attacher::resume(const KeptDevice& device) {
  const bool is_under_way = std::any_of(pending_.begin(), pending_.end(), [&](const auto& pending) {
    return pending.second.op == AttachOp::resume && pending.second.address == device.address();
  });
  if (is_under_way) {
    return;
  }
  AttachCommand command = command_for(AttachOp::resume, device);
  command.uri = surroundings_.uri(device.config, block::Access::read_write);
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
}

Result<KeptDevice*> Attacher::find(DeviceAddress address) {
  KeptDevice* device = keeper_.find(address);
  if (device == nullptr) {
    return fail_with(Errc::not_found, 0, to_string(address) + ": no such device (see aoe list)");
  }
  if (device->users.is_changing) {
    return fail_with(Errc::busy, 0,
                     to_string(address) + ": it is being attached or detached at this moment");
  }
  return device;
}

// --- attach ---

Result<void> Attacher::check_attachable(const KeptDevice& device) const {
  const std::string name = to_string(device.address());
  if (!device.users.block_device.empty()) {
    return fail_with(Errc::already_exists, 0,
                     fmt::format("{}: attach: it is attached as {} (aoe detach {})", name,
                                 device.users.block_device, name));
  }
  const initiator::Device* open = keeper_.view(device);
  if (open == nullptr) {
    return fail_with(Errc::unavailable, 0,
                     fmt::format("{}: attach: it is disabled (aoe enable {})", name, name));
  }
  if (!open->is_up() || open->sectors() == 0) {
    return fail_with(Errc::unavailable, 0,
                     fmt::format("{}: attach: no path reaches it (aoe wait {})", name, name));
  }
  return {};
}

Result<std::string> Attacher::usable_front_end(const Wish& wish) const {
  if (surroundings_.other_initiators == OtherInitiators::work) {
    return wish.via;
  }
  const block::FrontEnd* const asked = block::find_front_end(wish.via);
  if (asked != nullptr && asked->carrier == block::Carrier::own) {
    return fail_with(Errc::unsupported, 0,
                     fmt::format("{}: attach: {} has an initiator of its own, and port = xdp takes "
                                 "its answers away (use --via loop, or port = packet)",
                                 to_string(wish.address), wish.via));
  }
  return wish.via == "auto" ? "loop" : wish.via;
}

void Attacher::attach(Instant now, const Wish& wish, control::Reply reply) {
  auto device = find(wish.address);
  if (!device) {
    reply.send(fail(device.error()));
    return;
  }
  if (auto attachable = check_attachable(**device); !attachable) {
    reply.send(fail(attachable.error()));
    return;
  }
  const auto via = usable_front_end(wish);
  if (!via) {
    reply.send(fail(via.error()));
    return;
  }
  AttachCommand command;
  command.op = AttachOp::attach;
  command.address = wish.address;
  command.via = *via;
  const bool is_read_only = (*device)->config.access == DeviceAccess::read_only;
  command.access = is_read_only ? block::Access::read_only : wish.access;
  command.uri = surroundings_.uri((*device)->config, command.access);
  const bool is_asked = reply.is_awaited();
  if (auto sent = send(command, reply); !sent) {
    reply.send(fail(error_of(sent.error(), wish.address, "attach")));
    return;
  }
  if (is_asked) {
    pending_.rbegin()->second.give_up_at = now + kPatience;
  }
  (*device)->users.is_changing = true;
}

void Attacher::end_attach(Pending& pending, const AttachAnswer& answer) {
  KeptDevice* device = keeper_.find(pending.address);
  if (device != nullptr) {
    device->users.is_changing = false;
  }
  const auto wanted = wanted_.find(pending.address);
  if (!answer.is_ok) {
    const Error error = error_of(answer, pending.address, "attach");
    if (wanted == wanted_.end() || wanted->second.complaint != error.message) {
      spdlog::warn("{}", error.message);
    }
    if (wanted != wanted_.end()) {
      wanted->second.complaint = error.message;
    }
    pending.reply.send(fail(error));
    return;
  }
  if (wanted != wanted_.end()) {
    wanted_.erase(wanted);
  }
  const std::string name = to_string(pending.address);
  const std::string via = answer.via.str();
  const std::string block_device = answer.device.str();
  if (device != nullptr) {
    device->users.block_device = block_device;
    device->users.front_end = via;
    const block::FrontEnd* const front_end = block::find_front_end(via);
    device->users.outlives_daemon =
        front_end != nullptr && front_end->carrier == block::Carrier::own;
  }
  if (pending.is_given_up) {
    spdlog::warn("{}: {} came too late for the one who asked, and is taken away again", name,
                 block_device);
    detach(pending.address, {});
    return;
  }
  spdlog::info("{}: attached as {} through {}", name, block_device, via);
  surroundings_.tell(Attachment::attached, pending.address, block_device);
  pending.reply.send(Json{{"address", name},
                          {"block_device", block_device},
                          {"via", via},
                          {"passed_over", answer.text.str()}});
  // Since then it may have been closed, or have grown.
  handle_release(pending.address);
  update(pending.address);
}

// --- detach ---

void Attacher::detach(DeviceAddress address, control::Reply reply) {
  wanted_.erase(address);
  auto device = find(address);
  if (!device) {
    reply.send(fail(device.error()));
    return;
  }
  DeviceUsers& users = (*device)->users;
  if (users.block_device.empty()) {
    reply.send(fail_with(Errc::not_found, 0, to_string(address) + ": detach: it is not attached"));
    return;
  }
  if (auto sent = send(command_for(AttachOp::detach, **device), reply); !sent) {
    reply.send(fail(error_of(sent.error(), address, "detach")));
    return;
  }
  users.is_changing = true;
}

void Attacher::end_detach(Pending& pending, const AttachAnswer& answer) {
  KeptDevice* device = keeper_.find(pending.address);
  if (device != nullptr) {
    device->users.is_changing = false;
  }
  if (!answer.is_ok) {
    pending.reply.send(fail(error_of(answer, pending.address, "detach")));
    return;
  }
  const std::string name = to_string(pending.address);
  spdlog::info("{}: detached", name);
  if (device != nullptr) {
    note_detached(*device);
  }
  pending.reply.send(Json{{"address", name}});
}

// --- what happens by itself ---

void Attacher::handle_event(Instant now, const initiator::Event& event) {
  switch (event.kind) {
    case initiator::EventKind::device_resized:
      update(event.address);
      return;
    case initiator::EventKind::device_up:
      if (const KeptDevice* device = keeper_.find(event.device); device != nullptr) {
        if (device->users.outlives_daemon && !device->users.is_changing) {
          resume(*device);
        }
        want(now, device->address());
      }
      return;
    default:
      return;
  }
}

void Attacher::want(Instant now, DeviceAddress address) {
  wanted_[address].next = now;
  attach_wanted(now);
}

void Attacher::attach_wanted(Instant now) {
  for (auto at = wanted_.begin(); at != wanted_.end();) {
    const KeptDevice* device = keeper_.find(at->first);
    if (device == nullptr || device->config.attach.empty() || !device->users.block_device.empty()) {
      at = wanted_.erase(at);
      continue;
    }
    if (now >= at->second.next && !device->users.is_changing && check_attachable(*device)) {
      at->second.next = now + kPause;
      attach(now, {.address = device->address(), .via = device->config.attach}, {});
    }
    ++at;
  }
}

void Attacher::handle_release(DeviceAddress address) {
  KeptDevice* device = keeper_.find(address);
  if (device == nullptr || device->users.is_changing || device->users.block_device.empty() ||
      device->users.open_files != 0 || device->users.outlives_daemon) {
    return;
  }
  forget(*device);
}

void Attacher::forget(KeptDevice& device) {
  spdlog::warn("{}: {} was taken away, and not by aoe detach", to_string(device.address()),
               device.users.block_device);
  const AttachCommand command = command_for(AttachOp::forget, device);
  note_detached(device);
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
}

void Attacher::note_detached(KeptDevice& device) {
  const std::string block_device = std::exchange(device.users.block_device, std::string());
  partitions_.erase(device.address());
  device.users.front_end.clear();
  device.users.outlives_daemon = false;
  surroundings_.tell(Attachment::detached, device.address(), block_device);
}

void Attacher::look_around(Instant now) {
  for (auto& [id, pending] : pending_) {
    if (pending.give_up_at && now >= *pending.give_up_at && !pending.is_given_up) {
      pending.is_given_up = true;
      const std::string name = to_string(pending.address);
      pending.reply.send(fail_with(
          Errc::timed_out, 0,
          fmt::format("{}: attach: the disk does not answer within {} s (what comes later "
                      "is taken away again; see aoe paths {})",
                      name, kPatience.ns / 1'000'000'000, name)));
    }
  }
  for (KeptDevice* const device : keeper_.devices()) {
    const DeviceUsers& users = device->users;
    const block::FrontEnd* const front_end = users.outlives_daemon && !users.is_changing
                                                 ? block::find_front_end(users.front_end)
                                                 : nullptr;
    if (front_end != nullptr && !front_end->exists(users.block_device)) {
      forget(*device);
    }
  }
  if (std::exchange(looks_at_partitions_, false)) {
    follow_partitions();
  }
  attach_wanted(now);
}

void Attacher::follow_partitions() {
  for (const KeptDevice* const device : keeper_.devices()) {
    const DeviceUsers& users = device->users;
    if (users.block_device.empty() || users.is_changing) {
      continue;
    }
    const auto known = partitions_.find(device->address());
    if (known == partitions_.end() || known->second != os::partitions_of(users.block_device)) {
      update(device->address());
    }
  }
}

void Attacher::update(DeviceAddress address) {
  const KeptDevice* device = keeper_.find(address);
  if (device == nullptr || device->users.block_device.empty() || device->users.is_changing) {
    return;
  }
  // What comes later is followed by another event.
  partitions_[address] = os::partitions_of(device->users.block_device);
  AttachCommand command = command_for(AttachOp::update_size, *device);
  if (const initiator::Device* const open = keeper_.view(*device); open != nullptr) {
    command.bytes = open->sectors() * kSectorBytes;
  }
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
  if (device->users.outlives_daemon) {
    resume(*device);
  }
}

// --- answers ---

void Attacher::handle_readable() {
  while (const auto answer = worker_->next()) {
    handle_answer(*answer);
  }
  if (!worker_->has_ended() || pending_.empty()) {
    return;
  }
  AttachAnswer lost;
  lost.code = Errc::unavailable;
  lost.text = "the process that attaches has ended (restart the daemon)";
  while (!pending_.empty()) {
    lost.id = pending_.begin()->first;
    handle_answer(lost);
  }
}

void Attacher::handle_answer(const AttachAnswer& answer) {
  auto found = pending_.extract(answer.id);
  if (found.empty()) {
    return;
  }
  Pending& pending = found.mapped();
  switch (pending.op) {
    case AttachOp::attach:
      end_attach(pending, answer);
      return;
    case AttachOp::detach:
      end_detach(pending, answer);
      return;
    case AttachOp::update_size:
    case AttachOp::forget:
      if (!answer.is_ok) {
        spdlog::warn("{}: {}", to_string(pending.address), answer.text.str());
      }
      return;
    case AttachOp::resume:
    case AttachOp::sweep:
      if (const std::string text = answer.text.str(); !text.empty()) {
        spdlog::warn("{}", text);
      }
      return;
  }
}

}  // namespace aoe::initiatord
