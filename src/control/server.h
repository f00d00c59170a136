// The daemon's end of the control socket.
#pragma once

#include "base/result.h"
#include "control/line_splitter.h"
#include "control/message.h"
#include "os/fd.h"
#include "runtime/event_loop.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::control {

class Server;

// The duty to answer one request, once. Moves to wherever the answer will be known; a request whose
// Reply is destroyed unanswered gets the error "unavailable". The server outlives all its replies.
class Reply {
 public:
  // Answers nothing.
  Reply() = default;
  Reply(Reply&& other) noexcept;
  Reply& operator=(Reply&& other) noexcept;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply();

  // Answers. Later calls do nothing; so does the first when the client has gone.
  void send(const Result<Json>& outcome);

  // Whether somebody asked, and has no answer yet.
  [[nodiscard]] bool is_awaited() const { return server_ != nullptr; }

 private:
  friend class Server;
  Reply(Server& server, std::uint64_t connection, Json id);

  Server* server_ = nullptr;  // null once answered or moved from
  std::uint64_t connection_ = 0;
  Json id_{};
};

// Serves newline-delimited JSON (control/message.h) to any number of clients on an event loop.
//
//   AOE_TRY_ASSIGN(auto server, Server::open(*loop, {.path = "/run/aoekit/target.sock"}));
//   server->add_method("target.list", [&](const Json& params) { return list(params); });
//   server->publish({{"type", "export.ready"}, {"address", "e7.1"}});
//
// Every request gets exactly one answer; requests of one connection may be answered out of order
// when handlers defer. The method "events.follow" is the server's own: its connection receives all
// that is published from then on, besides the answers to further requests.
//
// Served are root, the user that the daemon runs as, and the members of `group`; all others get the
// error not_permitted. Nobody can make the server hold more than the limits below: it stops reading
// from a client that does not take its answers, and drops events for a follower that does not keep
// up, telling it how many with {"type":"events.lost","count":N}.
//
// Lives on the loop's thread. The loop outlives it. Handlers run inside the loop's callbacks, must
// not block and must not destroy the server; they may publish.
class Server {
 public:
  struct Options {
    std::string path{};
    std::optional<gid_t> group{};
    std::size_t connections_max = 256;  // further ones get the error busy
    std::size_t request_bytes_max = kRequestBytesMax;
    // What may wait for a client to read it. A single answer may be longer.
    std::size_t output_bytes_max = std::size_t{4} << 20U;
    // Deferred requests of one client; further ones wait in its socket.
    std::size_t pending_max = 64;
  };

  // A bad parameter may also be reported by letting nlohmann's own exception out: it becomes the
  // error invalid_argument.
  using Handler = std::function<Result<Json>(const Json& params)>;
  using DeferredHandler = std::function<void(const Json& params, Reply reply)>;

  // Errors: those of os::listen_unix.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(runtime::EventLoop& loop,
                                                            Options options);

  // Serves only connections handed to adopt().
  [[nodiscard]] static std::unique_ptr<Server> create_detached(runtime::EventLoop& loop,
                                                               Options options);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Closes all connections and removes the socket file if it is still this server's.
  ~Server();

  // `name` is new; methods are added before the first turn of the loop.
  void add_method(std::string name, Handler handler);
  void add_deferred_method(std::string name, DeferredHandler handler);

  // Queues the event for every follower. An object; by convention it has a "type".
  void publish(const Json& event);

  // Serves a connected stream socket as if it had been accepted.
  void adopt(os::Fd socket);

  [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }

 private:
  friend class Reply;

  struct Connection {
    Connection(os::Fd socket, std::size_t request_bytes_max)
        : fd(std::move(socket)), input(request_bytes_max) {}

    os::Fd fd;
    LineSplitter input;
    std::string output;
    std::size_t output_sent = 0;    // bytes of `output` that the kernel has taken
    std::size_t pending = 0;        // requests whose Reply is out
    std::uint64_t events_lost = 0;  // not yet reported
    std::uint32_t watched_events = 0;
    bool following = false;
    bool processing = false;   // its lines are being handled further up the stack
    bool input_ended = false;  // the client will send no more
    bool closing = false;      // answer what is queued, then close
    bool dead = false;         // to be removed when no handler is running

    [[nodiscard]] std::size_t unsent_bytes() const { return output.size() - output_sent; }
  };

  // Connections are removed only when the outermost entry into the server ends.
  class Entry;

  Server(runtime::EventLoop& loop, Options options);

  void accept_ready();
  void refuse_for_lack_of_descriptors();
  [[nodiscard]] Result<void> check_permission(int socket) const;
  void connection_ready(std::uint64_t id, std::uint32_t events);
  void read_input(Connection& connection);
  void process_input(std::uint64_t id, Connection& connection);
  void handle_line(std::uint64_t id, Connection& connection, std::string_view line);
  void call_method(Connection& connection, Request request, Reply reply);
  void answer(std::uint64_t id, const Json& request_id, const Result<Json>& outcome);
  void follow(Connection& connection, Reply reply);
  void queue(Connection& connection, std::string_view line);
  void flush(Connection& connection);
  void report_lost_events(Connection& connection);
  [[nodiscard]] bool may_take_requests(const Connection& connection) const;
  void settle(Connection& connection);
  void remove_dead();

  runtime::EventLoop& loop_;
  Options options_;
  os::Fd listener_;
  os::Fd spare_;  // given up for a moment to refuse a client when descriptors run out
  dev_t socket_device_ = 0;
  ino_t socket_inode_ = 0;
  std::map<std::string, DeferredHandler, std::less<>> methods_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_connection_ = 1;
  unsigned depth_ = 0;
};

}  // namespace aoe::control
