// A program's end of the control socket.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "control/line_splitter.h"
#include "control/message.h"
#include "os/fd.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::control {

// A blocking connection to a daemon; single thread.
//
//   AOE_TRY_ASSIGN(auto client, Client::connect("/run/aoekit/target.sock", {}));
//   AOE_TRY_ASSIGN(const Json result, client->call("target.list", Json::object()));
class Client {
 public:
  struct Options {
    Duration timeout = Duration::seconds(10);  // of connect() and of each call()
  };

  // Errors: unavailable (no daemon there), not_permitted, timed_out, invalid_argument (the path).
  [[nodiscard]] static Result<std::unique_ptr<Client>> connect(const std::string& path,
                                                               Options options);

  // Over a connected stream socket; `name` stands in messages.
  [[nodiscard]] static std::unique_ptr<Client> adopt(os::Fd socket, std::string name,
                                                     Options options);

  // Errors: the daemon's own with its code and message as they came, timed_out, unavailable (it
  // closed the connection), corrupt (what came is not this protocol). After one of the last three
  // the connection is of no use. Events that arrive meanwhile are dropped.
  [[nodiscard]] Result<Json> call(std::string_view method, const Json& params);

  enum class FollowStep : std::uint8_t { more, stop };

  // Subscribes and hands every event to `on_event` until it says stop. Waits for events without
  // limit. Errors: as call().
  [[nodiscard]] Result<void> follow(const std::function<FollowStep(const Json& event)>& on_event);

  // For loops of one's own: after subscribe() events are asked for with next_event() whenever
  // wait_fd() is readable, until there is none. Errors: as call().
  [[nodiscard]] Result<void> subscribe();
  [[nodiscard]] Result<std::optional<Json>> next_event();

  [[nodiscard]] int wait_fd() const { return socket_.get(); }

 private:
  Client(os::Fd socket, std::string name, Options options);

  [[nodiscard]] Result<void> send(std::string_view line, Instant deadline);
  // Without a deadline it waits for as long as it takes.
  [[nodiscard]] Result<Message> receive(std::optional<Instant> deadline);
  [[nodiscard]] Result<void> wait(short events, std::optional<Instant> deadline);

  os::Fd socket_;
  std::string name_;
  Options options_;
  LineSplitter input_;
  std::uint64_t next_id_ = 1;
};

}  // namespace aoe::control
