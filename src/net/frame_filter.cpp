#include "net/frame_filter.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <span>
#include <vector>

namespace aoe::net {
namespace {

constexpr std::uint32_t kFlagsAt = 14;
constexpr std::uint32_t kResponseFlag = 0x08;
constexpr std::uint32_t kShelfAt = 16;
constexpr std::uint32_t kAllShelves = 0xFFFF;
constexpr std::uint32_t kSlotAt = 18;
constexpr std::uint32_t kAllSlots = 0xFF;
constexpr std::uint32_t kCommandAt = 19;
constexpr std::uint32_t kWholeFrame = 0xFFFFFFFF;

using Program = std::vector<sock_filter>;

// Goes on behind its end with the frames of this share; a frame that ends before its address is
// for nobody.
void add_share(Program& program, AddressShare share) {
  program.insert(program.end(), {
                                    {BPF_LD | BPF_H | BPF_ABS, 0, 0, kShelfAt},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 7, 0, kAllShelves},
                                    {BPF_MISC | BPF_TAX, 0, 0, 0},
                                    {BPF_LD | BPF_B | BPF_ABS, 0, 0, kSlotAt},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 4, 0, kAllSlots},
                                    {BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0},
                                    {BPF_ALU | BPF_MOD | BPF_K, 0, 0, share.count},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, share.index},
                                    {BPF_RET | BPF_K, 0, 0, 0},
                                });
}

void add_remarkable(Program& program) {
  constexpr std::uint32_t kErrorFlag = 0x04;
  constexpr std::uint32_t kVersionMask = 0xF0;
  constexpr std::uint32_t kVersionOne = 0x10;
  constexpr std::uint32_t kIssueAta = 0;
  constexpr std::uint32_t kStatusAt = 27;
  constexpr std::uint32_t kStatusFailure = 0xA9;  // BSY, DF, DRQ, ERR
  constexpr std::uint32_t kArgumentEnd = 36;
  program.insert(program.end(), {
                                    {BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
                                    {BPF_JMP | BPF_JGE | BPF_K, 0, 9, kArgumentEnd},
                                    {BPF_LD | BPF_B | BPF_ABS, 0, 0, kFlagsAt},
                                    {BPF_JMP | BPF_JSET | BPF_K, 0, 8, kResponseFlag},
                                    {BPF_JMP | BPF_JSET | BPF_K, 6, 0, kErrorFlag},
                                    {BPF_ALU | BPF_AND | BPF_K, 0, 0, kVersionMask},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 4, kVersionOne},
                                    {BPF_LD | BPF_B | BPF_ABS, 0, 0, kCommandAt},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 2, kIssueAta},
                                    {BPF_LD | BPF_B | BPF_ABS, 0, 0, kStatusAt},
                                    {BPF_JMP | BPF_JSET | BPF_K, 0, 1, kStatusFailure},
                                    {BPF_RET | BPF_K, 0, 0, kWholeFrame},
                                    {BPF_RET | BPF_K, 0, 0, 0},
                                });
}

// Rejects frames by the response flag and the command, and all that end before those.
void add_kind(Program& program, FrameFilter filter) {
  constexpr std::uint32_t kQueryConfig = 1;
  const std::uint32_t if_request = filter == FrameFilter::responses ? 0 : kWholeFrame;
  const std::uint32_t if_announcement = filter == FrameFilter::requests ? 0 : kWholeFrame;
  const std::uint32_t if_response = filter == FrameFilter::responses ? kWholeFrame : 0;
  program.insert(program.end(), {
                                    {BPF_LD | BPF_B | BPF_ABS, 0, 0, kFlagsAt},
                                    {BPF_JMP | BPF_JSET | BPF_K, 1, 0, kResponseFlag},
                                    {BPF_RET | BPF_K, 0, 0, if_request},
                                    {BPF_LD | BPF_B | BPF_ABS, 0, 0, kCommandAt},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, kQueryConfig},
                                    {BPF_RET | BPF_K, 0, 0, if_announcement},
                                    {BPF_RET | BPF_K, 0, 0, if_response},
                                });
}

}  // namespace

int attach_frame_filter(int fd, FrameFilter filter, AddressShare share) {
  if (filter == FrameFilter::all && share.count == 1) {
    return 0;
  }
  Program program;
  if (share.count > 1) {
    add_share(program, share);
  }
  switch (filter) {
    case FrameFilter::all:
      program.push_back({BPF_RET | BPF_K, 0, 0, kWholeFrame});
      break;
    case FrameFilter::remarkable_responses:
      add_remarkable(program);
      break;
    case FrameFilter::requests:
    case FrameFilter::responses:
    case FrameFilter::requests_and_announcements:
      add_kind(program, filter);
      break;
  }
  const sock_fprog code{static_cast<unsigned short>(program.size()), program.data()};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code);
}

}  // namespace aoe::net
