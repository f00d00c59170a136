#include "client/session_state.h"

#include "os/clock.h"

#include <algorithm>
#include <array>

namespace aoe::client {

using initiator::CommandCompletion;
using initiator::CommandRequest;
using initiator::DeviceId;
using initiator::SubmitError;

SessionState::SessionState(std::unique_ptr<CoreRunner> runner, std::uint32_t requests_max)
    : runner_(std::move(runner)), tickets_(requests_max) {
  free_tickets_.reserve(requests_max);
  for (std::uint32_t i = requests_max; i > 0; --i) {
    free_tickets_.push_back(i - 1);
  }
}

SessionState::Queue& SessionState::queue(DeviceId id) {
  if (id.value >= queues_.size()) {
    queues_.resize(id.value + std::size_t{1});
  }
  return queues_[id.value];
}

void SessionState::turn(Instant deadline) {
  runner_->turn(deadline);
  sort_completions();
  // Nobody listens yet; the state is asked for instead.
  std::array<initiator::Event, 32> events;
  while (core().poll_events(events) == events.size()) {
  }
}

void SessionState::sort_completions() {
  std::array<IoCompletion, 64> batch;
  while (const std::size_t count = core().poll_completions(batch)) {
    for (const IoCompletion& completion : std::span(batch).first(count)) {
      const auto number = static_cast<std::uint32_t>(completion.cookie);
      Ticket& ticket = tickets_[number];
      Queue& own = queue(completion.device);
      --own.outstanding;
      if (ticket.sync) {
        ticket.result = completion;
        continue;
      }
      own.completions.push_back(completion);
      own.completions.back().cookie = ticket.cookie;
      free_tickets_.push_back(number);
    }
  }
  std::array<CommandCompletion, 16> commands;
  while (const std::size_t count = core().poll_commands(commands)) {
    const auto done = std::span(commands).first(count);
    commands_done_.insert(commands_done_.end(), done.begin(), done.end());
  }
}

Result<std::uint32_t, SubmitError> SessionState::start(DeviceId id, const IoRequest& request,
                                                       bool sync) {
  if (free_tickets_.empty()) {
    return aoe::fail(SubmitError::busy);
  }
  const std::uint32_t number = free_tickets_.back();
  IoRequest inner = request;
  inner.cookie = number;
  if (auto accepted = core().submit(os::monotonic_now(), id, inner); !accepted) {
    return aoe::fail(accepted.error());
  }
  free_tickets_.pop_back();
  tickets_[number] = {.cookie = request.cookie, .sync = sync, .result = {}};
  ++queue(id).outstanding;
  return number;
}

Result<void, SubmitError> SessionState::submit(DeviceId id, const IoRequest& request) {
  if (auto started = start(id, request, false); !started) {
    return aoe::fail(started.error());
  }
  return {};
}

Result<IoCompletion, SubmitError> SessionState::run(DeviceId id, const IoRequest& request) {
  auto started = start(id, request, true);
  // The caller's own requests may hold every slot: they end in time.
  while (!started && started.error() == SubmitError::busy && outstanding(id) > 0) {
    turn(os::monotonic_now() + Duration::seconds(1));
    started = start(id, request, true);
  }
  if (!started) {
    return aoe::fail(started.error());
  }
  Ticket& ticket = tickets_[*started];
  while (!ticket.result) {
    turn(os::monotonic_now() + Duration::seconds(1));
  }
  IoCompletion completion = *ticket.result;
  completion.cookie = ticket.cookie;
  free_tickets_.push_back(*started);
  return completion;
}

std::size_t SessionState::take_completions(DeviceId id, std::span<IoCompletion> out) {
  std::deque<IoCompletion>& done = queue(id).completions;
  const std::size_t count = std::min(out.size(), done.size());
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = done.front();
    done.pop_front();
  }
  return count;
}

bool SessionState::has_completion(DeviceId id) const {
  return id.value < queues_.size() && !queues_[id.value].completions.empty();
}

std::size_t SessionState::outstanding(DeviceId id) const {
  return id.value < queues_.size() ? queues_[id.value].outstanding : 0;
}

void SessionState::close(DeviceId id) {
  core().close_device(os::monotonic_now(), id);
  sort_completions();
  queue(id).completions.clear();
}

Result<CommandCompletion, SubmitError> SessionState::run_command(CommandRequest request) {
  request.cookie = next_command_++;
  if (auto accepted = core().submit_command(os::monotonic_now(), request); !accepted) {
    return aoe::fail(accepted.error());
  }
  for (;;) {
    turn(os::monotonic_now() + Duration::seconds(1));
    for (auto done = commands_done_.begin(); done != commands_done_.end(); ++done) {
      if (done->cookie == request.cookie) {
        const CommandCompletion completion = *done;
        commands_done_.erase(done);
        return completion;
      }
    }
  }
}

std::optional<PortId> SessionState::find_port(const std::string& interface) const {
  const CoreRunner::Ports& ports = runner_->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i]->name() == interface) {
      return PortId{static_cast<std::uint8_t>(i)};
    }
  }
  return std::nullopt;
}

const std::string& SessionState::port_name(PortId port) const {
  return runner_->ports()[port.value]->name();
}

}  // namespace aoe::client
