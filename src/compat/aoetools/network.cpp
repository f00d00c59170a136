#include "compat/aoetools/network.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace aoe::compat::aoetools {
namespace {

// "No such device": the text as perror prints it.
std::string system_text(int os_errno) {
  std::string text = os::error_text(os_errno);
  if (!text.empty()) {
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  }
  return text;
}

}  // namespace

std::unique_ptr<client::Session> open_session(const std::string& interface,
                                              std::optional<Tag> first_tag, Console& console) {
  client::SessionOptions options;
  options.interfaces = {interface};
  options.first_tag = first_tag;
  auto session = client::Session::open(options);
  if (session) {
    return *std::move(session);
  }
  const Error& error = session.error();
  if (error.code == Errc::not_permitted) {
    console.error(fmt::format("got bad socket: {}\n", system_text(EPERM)));
  } else if (error.code == Errc::not_found || error.code == Errc::invalid_argument) {
    console.error(fmt::format("bind funky: {}\n", system_text(ENODEV)));
  } else {
    console.error(error.message + "\n");
    return nullptr;
  }
  // Of the descriptor that they never got.
  console.error(fmt::format("Can't get hw addr: {}\n", system_text(EBADF)));
  return nullptr;
}

long number_at_front(const std::string& text) {
  return std::strtol(text.c_str(), nullptr, 10);
}

std::vector<std::byte> whole_frame(const client::ExchangeReply& reply) {
  std::vector<std::byte> frame(protocol::kHeaderBytes + reply.bytes.size());
  protocol::build_header(frame, reply.header);
  copy_bytes(ByteSpan(frame).subspan(protocol::kHeaderBytes), reply.bytes);
  return frame;
}

}  // namespace aoe::compat::aoetools
