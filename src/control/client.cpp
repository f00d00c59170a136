#include "control/client.h"

#include "os/clock.h"
#include "os/error_text.h"
#include "os/unix_socket.h"

#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace aoe::control {
namespace {

// Far above any answer; keeps a program alive that talks to something else than a daemon of ours.
constexpr std::size_t kAnswerBytesMax = std::size_t{256} << 20U;
constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
constexpr int kBusyPauseMs = 10;

}  // namespace

Client::Client(os::Fd socket, std::string name, Options options)
    : socket_(std::move(socket)),
      name_(std::move(name)),
      options_(options),
      input_(kAnswerBytesMax) {}

std::unique_ptr<Client> Client::adopt(os::Fd socket, std::string name, Options options) {
  return std::unique_ptr<Client>(new Client(std::move(socket), std::move(name), options));
}

Result<std::unique_ptr<Client>> Client::connect(const std::string& path, Options options) {
  const Instant deadline = os::monotonic_now() + options.timeout;
  for (;;) {
    auto socket = os::connect_unix(path);
    if (socket) {
      return adopt(*std::move(socket), path, options);
    }
    if (socket.error().code != Errc::busy) {
      return fail(std::move(socket).error());
    }
    if (os::monotonic_now() >= deadline) {
      return fail_with(Errc::timed_out, 0,
                       fmt::format("{}: connect: the daemon does not accept connections", path));
    }
    ::poll(nullptr, 0, kBusyPauseMs);
  }
}

Result<Json> Client::call(std::string_view method, const Json& params) {
  const Instant deadline = os::monotonic_now() + options_.timeout;
  const Json id = next_id_++;
  // A daemon that refuses says why before it closes, so a failed send still looks for the answer.
  const auto sent = send(format_request({id, std::string(method), params}), deadline);
  if (!sent && sent.error().code != Errc::unavailable) {
    return fail(sent.error());
  }
  for (;;) {
    AOE_TRY_ASSIGN(Message message, receive(deadline));
    if (message.kind == Message::Kind::event) {
      continue;
    }
    // A null id answers what the daemon could not read: with one request out that is ours.
    if (message.id != id && !message.id.is_null()) {
      continue;
    }
    if (message.kind == Message::Kind::error) {
      return fail(std::move(message.error));
    }
    return std::move(message.body);
  }
}

Result<void> Client::follow(const std::function<FollowStep(const Json& event)>& on_event) {
  AOE_TRY(subscribe());
  for (;;) {
    AOE_TRY_ASSIGN(const Message message, receive(std::nullopt));
    if (message.kind == Message::Kind::event && on_event(message.body) == FollowStep::stop) {
      return {};
    }
  }
}

Result<void> Client::subscribe() {
  AOE_TRY(call("events.follow", Json::object()));
  return {};
}

Result<std::optional<Json>> Client::next_event() {
  for (;;) {
    auto message = receive(Instant{});
    if (!message) {
      if (message.error().code == Errc::timed_out) {
        return std::optional<Json>();
      }
      return fail(message.error());
    }
    if (message->kind == Message::Kind::event) {
      return std::optional<Json>(std::move(message->body));
    }
  }
}

Result<void> Client::send(std::string_view line, Instant deadline) {
  while (!line.empty()) {
    const ssize_t count = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      line.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      AOE_TRY(wait(POLLOUT, deadline));
    } else if (errno != EINTR) {
      return fail_with(Errc::unavailable, errno,
                       fmt::format("{}: send a request: {}", name_, os::error_text(errno)));
    }
  }
  return {};
}

Result<Message> Client::receive(std::optional<Instant> deadline) {
  for (;;) {
    if (const auto line = input_.next_line()) {
      auto message = parse_message(*line);
      if (!message) {
        message.error().message = fmt::format("{}: {}", name_, message.error().message);
      }
      return message;
    }
    if (input_.overflowed()) {
      return fail_with(
          Errc::corrupt, 0,
          fmt::format("{}: control answer: longer than {} bytes", name_, kAnswerBytesMax));
    }
    std::array<char, kReadBytes> bytes{};
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count > 0) {
      input_.append({bytes.data(), static_cast<std::size_t>(count)});
    } else if (count == 0) {
      return fail_with(Errc::unavailable, 0,
                       fmt::format("{}: the daemon closed the connection", name_));
    } else if (errno == EAGAIN) {
      AOE_TRY(wait(POLLIN, deadline));
    } else if (errno != EINTR) {
      return fail_with(Errc::unavailable, errno,
                       fmt::format("{}: read the answer: {}", name_, os::error_text(errno)));
    }
  }
}

Result<void> Client::wait(short events, std::optional<Instant> deadline) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  pollfd entry{socket_.get(), events, 0};
  int timeout_ms = -1;
  if (deadline) {
    const std::int64_t left_ns = (*deadline - os::monotonic_now()).ns;
    if (left_ns <= 0) {
      return fail_with(Errc::timed_out, 0,
                       fmt::format("{}: no answer within {:g} s", name_,
                                   static_cast<double>(options_.timeout.ns) / 1e9));
    }
    timeout_ms = static_cast<int>(std::min<std::int64_t>(left_ns / kNsPerMs + 1, 60'000));
  }
  if (::poll(&entry, 1, timeout_ms) < 0 && errno != EINTR) {
    return fail_with(Errc::io, errno, fmt::format("{}: poll: {}", name_, os::error_text(errno)));
  }
  return {};
}

}  // namespace aoe::control
