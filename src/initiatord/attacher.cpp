#include "initiatord/attacher.h"

#include "frontends/block/device_links.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <utility>

namespace aoe::initiatord {

using block::AttachAnswer;
using block::AttachCommand;
using block::AttachOp;
using control::Json;

namespace {

// `aoe attach` waits 30 s for an answer, unless it is told otherwise.
constexpr Duration kPatience = Duration::seconds(25);

Error error_of(const Error& cause, DeviceAddress address, const char* what) {
  return {cause.code, cause.os_errno,
          fmt::format("{}: {}: {}", to_string(address), what, cause.message)};
}

Error error_of(const AttachAnswer& answer, DeviceAddress address, const char* what) {
  return error_of(Error{answer.code, answer.os_errno, answer.text.str()}, address, what);
}

}  // namespace

Attacher::Attacher(Instant now, DeviceKeeper& keeper, std::unique_ptr<block::AttachProcess> process,
                   Surroundings surroundings)
    : keeper_(keeper), process_(std::move(process)), surroundings_(std::move(surroundings)) {
  if (!surroundings_.links.empty()) {
    for (const auto& [address, device] : block::read_links(surroundings_.links)) {
      adopt(now, address, device);
    }
  }
  AttachCommand command;
  command.op = AttachOp::sweep;
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
}

Result<void> Attacher::send(AttachCommand command, control::Reply& reply) {
  command.id = next_id_++;
  AOE_TRY(process_->send(command));
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

void Attacher::adopt(Instant now, DeviceAddress address, const std::string& device) {
  for (const block::FrontEnd& front_end : block::front_ends()) {
    if (front_end.carrier != block::Carrier::own ||
        front_end.source_of(device) != block::name_of_source(address)) {
      continue;
    }
    KeptDevice* kept = keeper_.keep(now, address);
    if (kept == nullptr) {
      spdlog::warn("{}: no room to keep it, although it is attached as {}", to_string(address),
                   device);
      continue;
    }
    kept->users.block_device = device;
    kept->users.front_end = front_end.name;
    kept->users.outlives_daemon = true;
    spdlog::info("{}: is attached as {} through {}", to_string(address), device, front_end.name);
    resume(*kept);
  }
}

void Attacher::resume(const KeptDevice& device) {
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
  AttachCommand command;
  command.op = AttachOp::attach;
  command.address = wish.address;
  command.via = wish.via;
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
  if (!answer.is_ok) {
    const Error error = error_of(answer, pending.address, "attach");
    spdlog::warn("{}", error.message);
    pending.reply.send(fail(error));
    return;
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
      if (const KeptDevice* device = keeper_.find(event.device);
          device != nullptr && !device->config.attach.empty() && !device->users.is_changing &&
          device->users.block_device.empty()) {
        attach(now, {.address = device->address(), .via = device->config.attach}, {});
      }
      return;
    default:
      return;
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
}

void Attacher::update(DeviceAddress address) {
  const KeptDevice* device = keeper_.find(address);
  if (device == nullptr || device->users.block_device.empty() || device->users.is_changing) {
    return;
  }
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
  while (const auto answer = process_->next()) {
    handle_answer(*answer);
  }
  if (!process_->has_ended() || pending_.empty()) {
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
