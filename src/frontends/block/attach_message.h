// What the daemon and its attach process (attach_process.h) say to each other: one value a packet.
#pragma once

#include "base/error.h"
#include "base/ids.h"
#include "frontends/block/front_end.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aoe::block {

// Text of bounded length, so that a message has no pointers; what is longer is cut.
template <std::size_t kBytes>
class ShortText {
 public:
  ShortText& operator=(std::string_view text) {
    size_ = static_cast<std::uint16_t>(std::min(text.size(), kBytes));
    std::copy_n(text.begin(), size_, bytes_.begin());
    return *this;
  }

  [[nodiscard]] std::string str() const {
    return std::string(bytes_.data(), std::min<std::size_t>(size_, kBytes));
  }

 private:
  std::uint16_t size_ = 0;
  std::array<char, kBytes> bytes_{};
};

enum class AttachOp : std::uint8_t {
  attach,
  detach,       // the answer is busy, with by whom, while somebody uses the block device
  update_size,  // of the block device, and the links of its partitions
  resume,       // the process that served the block device may be dead: another one goes on
  forget,       // the block device is gone: its links go too
  sweep,        // gives back what a daemon that crashed had attached, as far as nobody uses it
};

struct AttachCommand {
  std::uint64_t id = 0;  // the answer has it again
  AttachOp op = AttachOp::attach;
  DeviceAddress address{};  // all but sweep
  Access access = Access::read_write;
  ShortText<16> via{};      // of attach: "auto" or a name; of the others: the name
  ShortText<64> device{};   // of detach, update_size and resume
  ShortText<1024> uri{};    // of attach and resume: the device for an initiator of its own
  std::uint64_t bytes = 0;  // of update_size
};

struct AttachAnswer {
  std::uint64_t id = 0;
  bool is_ok = false;
  Errc code = Errc::io;    // when it is not
  int os_errno = 0;        // likewise
  ShortText<16> via{};     // of attach: which front end it was
  ShortText<64> device{};  // of attach: "/dev/loop0"
  ShortText<1024> text{};  // the error, or what there is to say
};

}  // namespace aoe::block
