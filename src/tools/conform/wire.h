// How the checks of `aoe conform` reach the target: whole frames out, whole frames in.
#pragma once

#include "base/bytes.h"
#include "base/mac_address.h"
#include "base/time.h"

#include <cstddef>
#include <span>
#include <vector>

namespace aoe::tools::conform {

using Bytes = std::vector<std::byte>;

enum class Listen : bool {
  until_answered,  // ends with the first answer; what stays unanswered is sent again
  to_the_end,      // sends once, and waits to see whether (or how many) answers come
};

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

  // Sends the frames as they are, in order, and returns every answer that has the response flag and
  // the tag of one of them, in the order of arrival, whatever else is wrong with it. The frames may
  // be of any length. Until answered: until each tag has one answer, sending again what has none.
  [[nodiscard]] virtual std::vector<Bytes> ask(std::span<const Bytes> frames, Listen listen) = 0;

  // Lets time pass.
  virtual void rest(Duration duration) = 0;
};

}  // namespace aoe::tools::conform
