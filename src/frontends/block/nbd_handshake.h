// The client's side of the negotiation of NBD, before the kernel takes the connection over:
// https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md, "Fixed newstyle negotiation".
#pragma once

#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aoe::block {

// What the server exports.
struct NbdExport {
  std::uint64_t bytes = 0;
  std::uint16_t flags = 0;  // "transmission flags" of the specification
};

inline constexpr std::uint16_t kNbdReadOnly = 1U << 1U;
inline constexpr std::uint16_t kNbdMultiConn = 1U << 8U;

// ---- The messages ----

inline constexpr std::size_t kNbdGreetingBytes = 18;
inline constexpr std::size_t kNbdReplyHeadBytes = 20;

// Errors: unsupported (no server of fixed newstyle).
[[nodiscard]] Result<void> check_greeting(std::span<const std::byte, kNbdGreetingBytes> greeting);

// Our flags and NBD_OPT_GO for the export without a name.
[[nodiscard]] std::vector<std::byte> encode_go();

struct NbdReplyHead {
  std::uint32_t type = 0;
  std::uint32_t data_bytes = 0;  // that follow; at most kNbdReplyBytesMax
};

inline constexpr std::uint32_t kNbdReplyBytesMax = 4096;
inline constexpr std::uint32_t kNbdReplyAck = 1;
inline constexpr std::uint32_t kNbdReplyInfo = 3;

// Errors: corrupt (no reply to NBD_OPT_GO, or a longer one than anybody needs).
[[nodiscard]] Result<NbdReplyHead> decode_reply_head(
    std::span<const std::byte, kNbdReplyHeadBytes> head);

// Takes what an NBD_REP_INFO says; what it does not know it leaves. Errors: corrupt, unsupported
// (blocks above 512 bytes).
[[nodiscard]] Result<void> take_info(std::span<const std::byte> data, NbdExport& into);

// ---- The conversation ----

// On a connected socket, which it makes a blocking one; afterwards it is ready for requests.
// Errors: those above, io, timed_out (the server is silent for 10 s), unavailable (it refuses, with
// its words).
[[nodiscard]] Result<NbdExport> negotiate(int socket);

}  // namespace aoe::block
