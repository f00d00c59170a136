#include "control/server.h"

#include "base/check.h"
#include "os/error_text.h"
#include "os/unix_socket.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace aoe::control {
namespace {

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
constexpr std::size_t kCompactBytes = std::size_t{256} << 10U;
// Connections accepted in one turn of the loop; more wait in the listen queue for the next.
constexpr int kAcceptsPerTurn = 16;
constexpr const char* kFollowMethod = "events.follow";

os::Fd open_spare() {
  return os::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

// One try: a fresh connection has room for a line, and a client that has filled its queue already
// does without.
void send_once(int socket, const std::string& line) {
  (void)::send(socket, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

Reply::Reply(Server& server, std::uint64_t connection, Json id)
    : server_(&server), connection_(connection), id_(std::move(id)) {}

Reply::Reply(Reply&& other) noexcept
    : server_(std::exchange(other.server_, nullptr)),
      connection_(other.connection_),
      id_(std::move(other.id_)) {}

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this != &other) {
    send(fail_with(Errc::unavailable, 0, "control request: dropped unanswered"));
    server_ = std::exchange(other.server_, nullptr);
    connection_ = other.connection_;
    id_ = std::move(other.id_);
  }
  return *this;
}

Reply::~Reply() {
  send(fail_with(Errc::unavailable, 0, "control request: dropped unanswered"));
}

void Reply::send(const Result<Json>& outcome) {
  if (Server* server = std::exchange(server_, nullptr); server != nullptr) {
    server->answer(connection_, id_, outcome);
  }
}

class Server::Entry {
 public:
  explicit Entry(Server& server) : server_(server) { ++server_.depth_; }

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  ~Entry() {
    if (--server_.depth_ == 0) {
      server_.remove_dead();
    }
  }

 private:
  Server& server_;
};

Server::Server(runtime::EventLoop& loop, Options options)
    : loop_(loop), options_(std::move(options)) {}

std::unique_ptr<Server> Server::create_detached(runtime::EventLoop& loop, Options options) {
  return std::unique_ptr<Server>(new Server(loop, std::move(options)));
}

Result<std::unique_ptr<Server>> Server::open(runtime::EventLoop& loop, Options options) {
  auto server = create_detached(loop, std::move(options));
  const std::string& path = server->options_.path;
  AOE_TRY_ASSIGN(server->listener_,
                 os::listen_unix({.path = path, .group = server->options_.group}));

  struct stat info {};

  if (::lstat(path.c_str(), &info) < 0) {
    return fail_with(
        Errc::io, errno,
        fmt::format("{}: look at the control socket: {}", path, os::error_text(errno)));
  }
  server->socket_device_ = info.st_dev;
  server->socket_inode_ = info.st_ino;
  server->spare_ = open_spare();
  AOE_TRY(loop.add_fd(server->listener_.get(), EPOLLIN,
                      [raw = server.get()](std::uint32_t) { raw->accept_ready(); }));
  return server;
}

Server::~Server() {
  for (const auto& [id, connection] : connections_) {
    loop_.remove_fd(connection->fd.get());
  }
  if (!listener_) {
    return;
  }
  loop_.remove_fd(listener_.get());

  // Somebody may have removed the file and another daemon may have made its own there since.
  struct stat info {};

  if (::lstat(options_.path.c_str(), &info) == 0 && info.st_dev == socket_device_ &&
      info.st_ino == socket_inode_) {
    ::unlink(options_.path.c_str());
  }
}

void Server::add_method(std::string name, Handler handler) {
  add_deferred_method(
      std::move(name), [handler = std::move(handler)](const Json& params, Reply reply) {
        try {
          reply.send(handler(params));
        } catch (const Json::exception& e) {
          reply.send(fail_with(Errc::invalid_argument, 0, fmt::format("params: {}", e.what())));
        }
      });
}

void Server::add_deferred_method(std::string name, DeferredHandler handler) {
  AOE_CHECK(name != kFollowMethod, "events.follow is the server's own");
  const bool added = methods_.emplace(std::move(name), std::move(handler)).second;
  AOE_CHECK(added, "a method has one handler");
}

void Server::publish(const Json& event) {
  const Entry entry(*this);
  std::string line;
  for (const auto& [id, connection] : connections_) {
    if (!connection->following || connection->closing || connection->dead) {
      continue;
    }
    if (line.empty()) {
      line = format_event(event);
    }
    if (connection->unsent_bytes() + line.size() > options_.output_bytes_max) {
      ++connection->events_lost;
      continue;
    }
    report_lost_events(*connection);
    queue(*connection, line);
    settle(*connection);
  }
}

void Server::accept_ready() {
  const Entry entry(*this);
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    os::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE) {
        refuse_for_lack_of_descriptors();
      }
      // ECONNABORTED and the like concern one client that has gone already.
      return;
    }
    if (const auto permitted = check_permission(socket.get()); !permitted) {
      send_once(socket.get(), format_error(nullptr, permitted.error()));
      continue;
    }
    adopt(std::move(socket));
  }
}

// Without this the waiting client would keep the loop turning at full speed until a descriptor
// comes free.
void Server::refuse_for_lack_of_descriptors() {
  spare_.reset();
  const os::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    send_once(socket.get(), format_error(nullptr, {Errc::busy, EMFILE,
                                                   "control socket: the daemon has no free file "
                                                   "descriptor (try again)"}));
  }
  spare_ = open_spare();
}

Result<void> Server::check_permission(int socket) const {
  AOE_TRY_ASSIGN(const os::PeerCredentials peer, os::peer_credentials(socket));
  if (peer.uid == 0 || peer.uid == ::geteuid()) {
    return {};
  }
  if (options_.group) {
    const gid_t group = *options_.group;
    if (peer.gid == group ||
        std::find(peer.groups.begin(), peer.groups.end(), group) != peer.groups.end()) {
      return {};
    }
  }
  return fail_with(Errc::not_permitted, 0,
                   fmt::format("control socket: user {}: not allowed (only root, the daemon's user "
                               "and its configured group are)",
                               peer.uid));
}

void Server::adopt(os::Fd socket) {
  const Entry entry(*this);
  if (connections_.size() >= options_.connections_max) {
    send_once(socket.get(),
              format_error(nullptr, {Errc::busy, 0,
                                     fmt::format("control socket: {} clients are connected, the "
                                                 "most it takes (try again)",
                                                 connections_.size())}));
    return;
  }
  const std::uint64_t id = next_connection_++;
  auto connection = std::make_unique<Connection>(std::move(socket), options_.request_bytes_max);
  connection->watched_events = EPOLLIN;
  const auto added = loop_.add_fd(connection->fd.get(), EPOLLIN, [this, id](std::uint32_t events) {
    connection_ready(id, events);
  });
  if (!added) {
    send_once(connection->fd.get(), format_error(nullptr, added.error()));
    return;
  }
  connections_.emplace(id, std::move(connection));
}

void Server::connection_ready(std::uint64_t id, std::uint32_t events) {
  const Entry entry(*this);
  Connection& connection = *connections_.at(id);
  const bool can_read = !connection.input_ended && may_take_requests(connection);
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && !can_read)) {
    // Nobody is left to read an answer.
    connection.dead = true;
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    flush(connection);
  }
  if ((events & (EPOLLIN | EPOLLHUP)) != 0 && can_read) {
    read_input(connection);
  }
  process_input(id, connection);
  settle(connection);
}

void Server::read_input(Connection& connection) {
  std::array<char, kReadBytes> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
  const ssize_t count = ::recv(connection.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0) {
    connection.input.append({bytes.data(), static_cast<std::size_t>(count)});
  } else if (count == 0) {
    connection.input_ended = true;
  } else if (errno != EAGAIN && errno != EINTR) {
    connection.dead = true;
  }
}

bool Server::may_take_requests(const Connection& connection) const {
  return !connection.dead && !connection.closing && connection.pending < options_.pending_max &&
         connection.unsent_bytes() < options_.output_bytes_max;
}

void Server::process_input(std::uint64_t id, Connection& connection) {
  if (connection.processing) {
    return;
  }
  connection.processing = true;
  while (may_take_requests(connection)) {
    std::optional<std::string> line = connection.input.next_line();
    if (!line && connection.input_ended && connection.input.buffered_bytes() > 0) {
      line = connection.input.take_rest();
    }
    if (!line) {
      break;
    }
    if (!line->empty()) {
      handle_line(id, connection, *line);
    }
  }
  if (connection.input.overflowed() && !connection.closing) {
    queue(connection, format_error(nullptr, {Errc::invalid_argument, 0,
                                             fmt::format("control request: longer than {} bytes",
                                                         options_.request_bytes_max)}));
    connection.closing = true;
  }
  connection.processing = false;
}

void Server::handle_line(std::uint64_t id, Connection& connection, std::string_view line) {
  auto request = parse_request(line);
  if (!request) {
    queue(connection, format_error(request.error().id, request.error().error));
    return;
  }
  ++connection.pending;
  Reply reply(*this, id, request->id);
  call_method(connection, *std::move(request), std::move(reply));
}

void Server::call_method(Connection& connection, Request request, Reply reply) {
  if (request.method == kFollowMethod) {
    follow(connection, std::move(reply));
    return;
  }
  const auto method = methods_.find(request.method);
  if (method == methods_.end()) {
    reply.send(fail_with(
        Errc::not_found, 0,
        fmt::format("control request: method {}: unknown to this daemon", request.method)));
    return;
  }
  try {
    method->second(request.params, std::move(reply));
  } catch (const Json::exception&) {
    // A deferred handler that met a parameter of another type: unwinding has destroyed its Reply
    // and so answered. Handlers that want a better text use control/params.h.
    return;
  }
}

void Server::answer(std::uint64_t id, const Json& request_id, const Result<Json>& outcome) {
  const Entry entry(*this);
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second->dead) {
    return;
  }
  Connection& connection = *found->second;
  --connection.pending;
  queue(connection,
        outcome ? format_result(request_id, *outcome) : format_error(request_id, outcome.error()));
  // The answer may have made room for requests that wait.
  process_input(id, connection);
  settle(connection);
}

void Server::follow(Connection& connection, Reply reply) {
  // The answer first, so that it stands before the first event.
  reply.send(Json::object());
  connection.following = true;
}

void Server::queue(Connection& connection, std::string_view line) {
  connection.output.append(line);
  flush(connection);
}

void Server::flush(Connection& connection) {
  while (!connection.dead && connection.unsent_bytes() > 0) {
    const ssize_t count =
        ::send(connection.fd.get(), connection.output.data() + connection.output_sent,
               connection.unsent_bytes(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      connection.dead = errno != EAGAIN;
      break;
    }
    connection.output_sent += static_cast<std::size_t>(count);
  }
  if (connection.unsent_bytes() == 0 || connection.output_sent > kCompactBytes) {
    connection.output.erase(0, connection.output_sent);
    connection.output_sent = 0;
  }
  if (connection.output.empty()) {
    report_lost_events(connection);
  }
}

void Server::report_lost_events(Connection& connection) {
  if (const std::uint64_t lost = std::exchange(connection.events_lost, 0); lost > 0) {
    queue(connection, format_event({{"type", "events.lost"}, {"count", lost}}));
  }
}

// Decides what to wait for next, or that there is nothing to wait for.
void Server::settle(Connection& connection) {
  const bool idle = connection.pending == 0 && connection.unsent_bytes() == 0;
  const bool finished = connection.closing || (connection.input_ended && !connection.following &&
                                               connection.input.buffered_bytes() == 0);
  if (idle && finished) {
    connection.dead = true;
  }
  if (connection.dead) {
    return;
  }
  const bool wants_input = !connection.input_ended && may_take_requests(connection);
  const std::uint32_t events = (wants_input ? std::uint32_t{EPOLLIN} : 0U) |
                               (connection.unsent_bytes() > 0 ? std::uint32_t{EPOLLOUT} : 0U);
  if (events != connection.watched_events) {
    connection.watched_events = events;
    connection.dead = !loop_.modify_fd(connection.fd.get(), events).has_value();
  }
}

void Server::remove_dead() {
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (it->second->dead) {
      loop_.remove_fd(it->second->fd.get());
      it = connections_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace aoe::control
