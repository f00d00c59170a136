#include "initiatord/attacher.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <utility>

namespace aoe::initiatord {

using block::AttachAnswer;
using block::AttachCommand;
using block::AttachOp;
using control::Json;

namespace {

Error error_of(const Error& cause, DeviceAddress address, const char* what) {
  return {cause.code, cause.os_errno,
          fmt::format("{}: {}: {}", to_string(address), what, cause.message)};
}

Error error_of(const AttachAnswer& answer, DeviceAddress address, const char* what) {
  return error_of(Error{answer.code, answer.os_errno, answer.text.str()}, address, what);
}

}  // namespace

Attacher::Attacher(DeviceKeeper& keeper, std::unique_ptr<block::AttachProcess> process)
    : keeper_(keeper), process_(std::move(process)) {
  AttachCommand command;
  command.op = AttachOp::sweep;
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
}

Result<void> Attacher::send(AttachCommand command, control::Reply& reply) {
  command.id = next_id_++;
  AOE_TRY(process_->send(command));
  pending_[command.id] = {command.op, command.address, std::move(reply)};
  return {};
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

void Attacher::attach(const Wish& wish, control::Reply reply) {
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
  if (auto sent = send(command, reply); !sent) {
    reply.send(fail(error_of(sent.error(), wish.address, "attach")));
    return;
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
  }
  spdlog::info("{}: attached as {} through {}", name, block_device, via);
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
  AttachCommand command;
  command.op = AttachOp::detach;
  command.address = address;
  command.via = users.front_end;
  command.device = users.block_device;
  if (auto sent = send(command, reply); !sent) {
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
    device->users.block_device.clear();
    device->users.front_end.clear();
  }
  pending.reply.send(Json{{"address", name}});
}

// --- what happens by itself ---

void Attacher::handle_event(const initiator::Event& event) {
  switch (event.kind) {
    case initiator::EventKind::device_resized:
      update(event.address);
      return;
    case initiator::EventKind::device_up:
      if (const KeptDevice* device = keeper_.find(event.device);
          device != nullptr && !device->config.attach.empty() && !device->users.is_changing &&
          device->users.block_device.empty()) {
        attach({.address = device->address(), .via = device->config.attach}, {});
      }
      return;
    default:
      return;
  }
}

void Attacher::handle_release(DeviceAddress address) {
  KeptDevice* device = keeper_.find(address);
  if (device == nullptr || device->users.is_changing || device->users.block_device.empty() ||
      device->users.open_files != 0) {
    return;
  }
  spdlog::warn("{}: {} was taken away, and not by aoe detach", to_string(address),
               device->users.block_device);
  device->users.block_device.clear();
  device->users.front_end.clear();
  AttachCommand command;
  command.op = AttachOp::forget;
  command.address = address;
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
}

void Attacher::update(DeviceAddress address) {
  const KeptDevice* device = keeper_.find(address);
  if (device == nullptr || device->users.block_device.empty() || device->users.is_changing) {
    return;
  }
  AttachCommand command;
  command.op = AttachOp::update_size;
  command.address = address;
  command.via = device->users.front_end;
  command.device = device->users.block_device;
  control::Reply nobody;
  static_cast<void>(send(command, nobody));
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
    case AttachOp::sweep:
      if (const std::string text = answer.text.str(); !text.empty()) {
        spdlog::warn("{}", text);
      }
      return;
  }
}

}  // namespace aoe::initiatord
