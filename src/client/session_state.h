// What a Session and its Devices share: the runner, and who waits for which completion.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "client/core_runner.h"
#include "client/device.h"
#include "initiator/io_request.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::client {

class SessionState {
 public:
  SessionState(std::unique_ptr<CoreRunner> runner, std::uint32_t requests_max);

  [[nodiscard]] CoreRunner& runner() { return *runner_; }

  [[nodiscard]] const CoreRunner& runner() const { return *runner_; }

  [[nodiscard]] initiator::InitiatorCore& core() { return runner_->core(); }

  // Drives the network until `deadline`, at most one event long, and sorts what came.
  void turn(Instant deadline);

  // --- devices ---

  // Starts a request whose completion goes to the device's queue.
  [[nodiscard]] Result<void, initiator::SubmitError> submit(initiator::DeviceId id,
                                                            const IoRequest& request);
  // Runs a request to its end.
  [[nodiscard]] Result<IoCompletion, initiator::SubmitError> run(initiator::DeviceId id,
                                                                 const IoRequest& request);
  [[nodiscard]] std::size_t take_completions(initiator::DeviceId id, std::span<IoCompletion> out);
  [[nodiscard]] bool has_completion(initiator::DeviceId id) const;
  [[nodiscard]] std::size_t outstanding(initiator::DeviceId id) const;
  // Ends everything of the device; the memory of its requests is free afterwards.
  void close(initiator::DeviceId id);

  // --- commands ---

  // One command to its end; nullopt when the core refuses it.
  [[nodiscard]] Result<initiator::CommandCompletion, initiator::SubmitError> run_command(
      initiator::CommandRequest request);

  [[nodiscard]] std::optional<PortId> find_port(const std::string& interface) const;
  [[nodiscard]] const std::string& port_name(PortId port) const;

 private:
  // A request inside the core goes by the number of its ticket; the caller's cookie is kept here.
  struct Ticket {
    std::uint64_t cookie = 0;
    bool sync = false;
    std::optional<IoCompletion> result{};
  };

  struct Queue {
    std::deque<IoCompletion> completions;
    std::size_t outstanding = 0;
  };

  [[nodiscard]] Result<std::uint32_t, initiator::SubmitError> start(initiator::DeviceId id,
                                                                    const IoRequest& request,
                                                                    bool sync);
  void sort_completions();
  [[nodiscard]] Queue& queue(initiator::DeviceId id);

  std::unique_ptr<CoreRunner> runner_;
  std::vector<Ticket> tickets_;
  std::vector<std::uint32_t> free_tickets_;
  std::vector<Queue> queues_;  // by DeviceId
  std::uint64_t next_command_ = 1;
  std::vector<initiator::CommandCompletion> commands_done_;
};

}  // namespace aoe::client
