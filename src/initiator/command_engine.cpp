#include "initiator/command_engine.h"

#include "initiator/frame_builder.h"

#include <algorithm>
#include <bit>

namespace aoe::initiator {
namespace {

using protocol::kHeaderBytes;

constexpr Duration kIntervalMax = Duration::seconds(2);

bool address_matches(DeviceAddress asked, DeviceAddress answered) {
  return (asked.shelf == protocol::kAllShelves || asked.shelf == answered.shelf) &&
         (asked.slot == protocol::kAllSlots || asked.slot == answered.slot);
}

}  // namespace

CommandEngine::CommandEngine(const CoreContext& context)
    : context_(context),
      commands_(context.options.limits.commands_max),
      links_(context.options.limits.commands_max) {
  for (std::uint32_t id = 0; id < commands_.size(); ++id) {
    free_.push_back(links_, id);
  }
}

Result<void, SubmitError> CommandEngine::submit(Instant now, const CommandRequest& request) {
  const PortTable& ports = context_.ports;
  if (request.argument.size() > context_.pool.frame_bytes() - kHeaderBytes ||
      (request.port && (request.port->value >= ports.size() || !ports[request.port->value]))) {
    return aoe::fail(SubmitError::bad_request);
  }
  if (free_.empty()) {
    return aoe::fail(SubmitError::busy);
  }
  const std::optional<std::uint32_t> slot = context_.exchanges.acquire(ExchangeKind::command, now);
  if (!slot) {
    ++context_.stats.tags_exhausted;
    return aoe::fail(SubmitError::busy);
  }
  const std::uint32_t id = free_.pop_front(links_);
  Command& command = commands_[id];
  command = {};
  command.request = request;
  command.slot = *slot;
  command.deadline = now + request.timeout;
  command.completion.cookie = request.cookie;
  context_.exchanges.at(*slot).owner = id;
  begin_transmission(now, id);
  return {};
}

std::uint32_t CommandEngine::ports_up(const CommandRequest& request) const {
  std::uint32_t mask = 0;
  for (std::uint32_t i = 0; i < context_.ports.size(); ++i) {
    const std::optional<PortInfo>& port = context_.ports[i];
    const bool wanted = !request.port || request.port->value == i;
    const bool fits = port && kHeaderBytes + request.argument.size() <=
                                  port->mtu_bytes + protocol::kEthernetHeaderBytes;
    if (wanted && fits && port->link_up) {
      mask |= 1U << i;
    }
  }
  return mask;
}

void CommandEngine::begin_transmission(Instant now, std::uint32_t id) {
  Command& command = commands_[id];
  Exchange& exchange = context_.exchanges.at(command.slot);
  command.ports_left = ports_up(command.request);
  exchange.sent = now;
  Duration wait = kIntervalMax;
  if (exchange.transmissions < 16) {
    wait = std::min(wait,
                    command.request.retransmit_after * (std::int64_t{1} << exchange.transmissions));
  }
  const bool last = exchange.transmissions >= command.request.retransmissions_max;
  context_.exchanges.timers().set(command.slot,
                                  last ? command.deadline : std::min(command.deadline, now + wait));
  ++exchange.transmissions;
  if (command.ports_left != 0 && !exchange.queued) {
    exchange.queued = true;
    waiting_.push_back(context_.exchanges.links(), command.slot);
  }
}

bool CommandEngine::next_frame(Instant now, TxFrame& out) {
  if (waiting_.empty() || context_.pool.available() == 0) {
    return false;
  }
  const std::uint32_t slot = waiting_.front();
  Exchange& exchange = context_.exchanges.at(slot);
  Command& command = commands_[exchange.owner];
  const CommandRequest& request = command.request;
  const auto port = static_cast<std::uint8_t>(std::countr_zero(command.ports_left));
  command.ports_left &= command.ports_left - 1;
  if (command.ports_left == 0) {
    exchange.queued = false;
    static_cast<void>(waiting_.pop_front(context_.exchanges.links()));
  }
  out.port = PortId{port};
  out.frame = start_frame(context_.pool, kHeaderBytes + request.argument.size(),
                          {.destination = request.destination,
                           .source = context_.ports[port]->mac,
                           .address = request.address,
                           .command = request.command,
                           .tag = exchange.tag});
  copy_bytes(out.frame.bytes().subspan(kHeaderBytes), request.argument);
  exchange.ports_used |= 1U << port;
  exchange.sent = now;
  ++context_.stats.frames_sent;
  if (exchange.transmissions > 1) {
    ++context_.stats.retransmissions;
    command.completion.retransmissions = exchange.transmissions - 1;
  }
  return true;
}

void CommandEngine::on_answer(Instant now, std::uint32_t slot, PortId port,
                              const protocol::FrameHeader& header, ConstByteSpan frame) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const std::uint32_t id = exchange.owner;
  Command& command = commands_[id];
  const CommandRequest& request = command.request;
  if (!address_matches(request.address, header.address)) {
    ++context_.stats.wrong_address;
    return;
  }
  if (header.command != request.command) {
    ++context_.stats.wrong_command;
    return;
  }
  if ((exchange.ports_used >> port.value & 1U) == 0 ||
      (!request.destination.is_group() && header.source != request.destination)) {
    ++context_.stats.wrong_path;
    return;
  }
  const ConstByteSpan bytes = frame.subspan(kHeaderBytes);
  if (!header.is_error && bytes.size() < request.reply_bytes_min) {
    ++context_.stats.short_data;
    return;
  }
  ++context_.stats.answers;
  copy_bytes(request.reply, bytes.first(std::min(bytes.size(), request.reply.size())));
  CommandCompletion& completion = command.completion;
  completion.answered = true;
  completion.header = header;
  completion.port = port;
  completion.reply_bytes = bytes.size();
  completion.rtt = now - exchange.sent;
  end(id);
}

void CommandEngine::on_expiry(Instant now, std::uint32_t slot) {
  const std::uint32_t id = context_.exchanges.at(slot).owner;
  if (now >= commands_[id].deadline) {
    end(id);
    return;
  }
  ++context_.stats.expiries;
  begin_transmission(now, id);
}

void CommandEngine::end(std::uint32_t id) {
  Command& command = commands_[id];
  Exchange& exchange = context_.exchanges.at(command.slot);
  if (exchange.queued) {
    exchange.queued = false;
    waiting_.remove(context_.exchanges.links(), command.slot);
  }
  context_.exchanges.release(command.slot);
  command.slot = kNoIndex;
  completed_.push_back(links_, id);
}

std::size_t CommandEngine::poll_completions(std::span<CommandCompletion> out) {
  std::size_t count = 0;
  while (count < out.size() && !completed_.empty()) {
    const std::uint32_t id = completed_.pop_front(links_);
    out[count++] = commands_[id].completion;
    free_.push_back(links_, id);
  }
  return count;
}

void CommandEngine::cancel(std::uint64_t cookie) {
  for (std::uint32_t id = 0; id < commands_.size(); ++id) {
    Command& command = commands_[id];
    if (command.slot != kNoIndex && command.request.cookie == cookie) {
      end(id);
      completed_.remove(links_, id);
      free_.push_back(links_, id);
    }
  }
}

}  // namespace aoe::initiator
