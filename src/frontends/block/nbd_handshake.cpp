#include "frontends/block/nbd_handshake.h"

#include "base/bytes.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace aoe::block {
namespace {

// proto.md, "Newstyle negotiation" and "Option types".
constexpr std::uint64_t kInitMagic = 0x4e42444d41474943;    // "NBDMAGIC"
constexpr std::uint64_t kOptionMagic = 0x49484156454f5054;  // "IHAVEOPT"
constexpr std::uint64_t kReplyMagic = 0x0003e889045565a9;
constexpr std::uint16_t kFixedNewstyle = 1U << 0U;
constexpr std::uint32_t kClientFlags = kFixedNewstyle;
constexpr std::uint32_t kOptionGo = 7;
constexpr std::uint16_t kInfoExport = 0;
constexpr std::uint16_t kInfoBlockSize = 3;
constexpr std::uint32_t kReplyErrorBit = 1U << 31U;
constexpr std::uint32_t kBlockBytes = 512;
constexpr std::size_t kGoBytes = 28;
constexpr std::size_t kInfoExportBytes = 2 + 8 + 2;
constexpr std::size_t kInfoBlockSizeBytes = 2 + 3 * 4;
constexpr time_t kPatienceSeconds = 10;

Error silence(int os_errno) {
  const bool is_late = os_errno == EAGAIN;
  return {is_late ? Errc::timed_out : Errc::io, os_errno,
          fmt::format("nbd server: {}",
                      is_late ? fmt::format("silent for {} s", kPatienceSeconds)
                              : (os_errno == 0 ? "it has hung up" : os::error_text(os_errno)))};
}

Result<void> read_all(int socket, std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t count = ::recv(socket, into.data(), into.size(), 0);
    if (count > 0) {
      into = into.subspan(static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return fail(silence(count == 0 ? 0 : errno));
    }
  }
  return {};
}

Result<void> send_all(int socket, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return fail(silence(errno));
    }
  }
  return {};
}

void set_patience(int socket, time_t seconds) {
  const timeval limit{.tv_sec = seconds, .tv_usec = 0};
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  (void)::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  (void)::fcntl(socket, F_SETFL, 0);
}

Result<NbdExport> converse(int socket) {
  std::array<std::byte, kNbdGreetingBytes> greeting{};
  AOE_TRY(read_all(socket, greeting));
  AOE_TRY(check_greeting(greeting));
  AOE_TRY(send_all(socket, encode_go()));
  NbdExport found;
  std::vector<std::byte> data;
  for (;;) {
    std::array<std::byte, kNbdReplyHeadBytes> head{};
    AOE_TRY(read_all(socket, head));
    AOE_TRY_ASSIGN(const NbdReplyHead reply, decode_reply_head(head));
    data.resize(reply.data_bytes);
    AOE_TRY(read_all(socket, data));
    if (reply.type == kNbdReplyAck) {
      return found;
    }
    if (reply.type == kNbdReplyInfo) {
      AOE_TRY(take_info(data, found));
    } else if ((reply.type & kReplyErrorBit) != 0) {
      return fail_with(Errc::unavailable, 0,
                       fmt::format("nbd server: it refuses (error {}): {}",
                                   reply.type & ~kReplyErrorBit, as_text(data)));
    }
  }
}

}  // namespace

Result<void> check_greeting(std::span<const std::byte, kNbdGreetingBytes> greeting) {
  if (load_be64(greeting, 0) != kInitMagic || load_be64(greeting, 8) != kOptionMagic ||
      (load_be16(greeting, 16) & kFixedNewstyle) == 0) {
    return fail_with(Errc::unsupported, 0, "nbd server: it does not speak fixed newstyle NBD");
  }
  return {};
}

std::vector<std::byte> encode_go() {
  // Behind the option's length: the length of the name, and how many informations, which is one.
  std::vector<std::byte> bytes(kGoBytes);
  store_be32(bytes, 0, kClientFlags);
  store_be64(bytes, 4, kOptionMagic);
  store_be32(bytes, 12, kOptionGo);
  store_be32(bytes, 16, 4 + 2 + 2);
  store_be32(bytes, 20, 0);
  store_be16(bytes, 24, 1);
  store_be16(bytes, 26, kInfoBlockSize);
  return bytes;
}

Result<NbdReplyHead> decode_reply_head(std::span<const std::byte, kNbdReplyHeadBytes> head) {
  const NbdReplyHead reply{.type = load_be32(head, 12), .data_bytes = load_be32(head, 16)};
  if (load_be64(head, 0) != kReplyMagic || load_be32(head, 8) != kOptionGo ||
      reply.data_bytes > kNbdReplyBytesMax) {
    return fail_with(Errc::corrupt, 0, "nbd server: malformed answer");
  }
  return reply;
}

Result<void> take_info(std::span<const std::byte> data, NbdExport& into) {
  if (data.size() < 2) {
    return fail_with(Errc::corrupt, 0, "nbd server: malformed information");
  }
  const auto kind = load_be16(data, 0);
  if (kind == kInfoExport && data.size() == kInfoExportBytes) {
    into = {.bytes = load_be64(data, 2), .flags = load_be16(data, 10)};
  } else if (kind == kInfoBlockSize && data.size() == kInfoBlockSizeBytes) {
    if (const auto minimum = load_be32(data, 2); minimum > kBlockBytes) {
      return fail_with(
          Errc::unsupported, 0,
          fmt::format("nbd server: its blocks have {} bytes, a sector {}", minimum, kBlockBytes));
    }
  } else if (kind == kInfoExport || kind == kInfoBlockSize) {
    return fail_with(Errc::corrupt, 0, "nbd server: malformed information");
  }
  return {};
}

Result<NbdExport> negotiate(int socket) {
  set_patience(socket, kPatienceSeconds);
  auto found = converse(socket);
  // The kernel waits for answers as long as it takes.
  set_patience(socket, 0);
  return found;
}

}  // namespace aoe::block
