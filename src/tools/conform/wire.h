// How the checks of `aoe conform` reach the target: whole frames out, whole frames in.
#pragma once

#include "base/bytes.h"
#include "base/mac_address.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aoe::tools::conform {

using Bytes = std::vector<std::byte>;

enum class Listen : std::uint8_t {
  until_answered,  // ends with the first answer to each; what stays unanswered is sent again
  to_the_end,      // sends copies, so that no single loss looks like silence; all answers that come
  sent_once,       // sends no copy; ends when each has one answer
};

// Whether `answer` belongs to `question`: a response with its tag, whatever else is wrong with it.
// A question that is too short for a tag should have no answer: every response that the asked
// station sends to the asking one counts.
[[nodiscard]] bool is_answer_to(const Bytes& question, const Bytes& answer);

// Checks are written against this, so that they run over a network and over a target in memory.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;

  // The address and the MTU of our end.
  [[nodiscard]] virtual MacAddress mac() const = 0;
  [[nodiscard]] virtual std::size_t mtu_bytes() const = 0;

  // Sends the frames as they are, in order, and returns every answer to one of them in the order of
  // arrival. The frames may be of any length.
  [[nodiscard]] virtual std::vector<Bytes> ask(std::span<const Bytes> frames, Listen listen) = 0;

  [[nodiscard]] virtual Instant now() const = 0;

  // Lets time pass: at least as much.
  virtual void rest(Duration duration) = 0;
};

}  // namespace aoe::tools::conform
