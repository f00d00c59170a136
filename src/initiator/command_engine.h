// Carries raw commands out: one question, one answer, any AoE command.
#pragma once

#include "initiator/core_context.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"
#include "protocol/aoe_frame.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aoe::initiator {

class CommandEngine {
 public:
  explicit CommandEngine(const CoreContext& context);

  // Errors: bad_request (longer than a frame, unknown port), busy.
  [[nodiscard]] Result<void, SubmitError> submit(Instant now, const CommandRequest& request);

  // An answer whose tag is that of exchange `slot`. Checks the rest; counts what does not match.
  void on_answer(Instant now, std::uint32_t slot, PortId port, const protocol::FrameHeader& header,
                 ConstByteSpan frame);
  void on_expiry(Instant now, std::uint32_t slot);

  // A command without a port of its own goes out on every port: one frame a call.
  [[nodiscard]] bool next_frame(Instant now, TxFrame& out);

  [[nodiscard]] std::size_t poll_completions(std::span<CommandCompletion> out);

  // Gives the memory of the request back without an answer; no completion follows. For callers that
  // stop waiting early. Unknown cookies are ignored.
  void cancel(std::uint64_t cookie);

  [[nodiscard]] std::size_t in_use() const { return commands_.size() - free_.size(); }

 private:
  struct Command {
    CommandRequest request;
    std::uint32_t slot = kNoIndex;  // its exchange while it waits for an answer
    Instant deadline;
    std::uint32_t ports_left = 0;  // of this transmission
    CommandCompletion completion{};
  };

  [[nodiscard]] std::uint32_t ports_up(const CommandRequest& request) const;
  void begin_transmission(Instant now, std::uint32_t id);
  void end(std::uint32_t id);

  CoreContext context_;
  std::vector<Command> commands_;
  IndexLinks links_;
  IndexList free_;
  IndexList completed_;
  IndexList waiting_;  // exchanges with frames to send
};

}  // namespace aoe::initiator
